"""A DIP as an RO-Crate 1.1: the received tree under `data/`, original names byte for byte, and what is known of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.model.data_entity import DataEntity
from rocrate.rocrate import ROCrate

from repository import dip_proof, dip_told
from repository.dip import Out
from repository.holdings import Aip, HeldFile
from repository.tree import tree
from storage.aip import Record
from storage.digest import Digest
from storage.names import escape_path

if TYPE_CHECKING:
    from repository.proving import Proof

VERSION = "1.1"
_PROOF = dip_proof.IN_CRATE
_NAMES = {".json": "Proof that these files were logged", ".py": "Checks the proof"}
_PRONOM = "https://www.nationalarchives.gov.uk/PRONOM/"


def write(out: Out, record: Record, about: Aip, files: dict[str, HeldFile], proof: Proof | None = None) -> None:
    """Write every received file, the proof, and the crate's metadata; `files` are the version's, by bag path.

    Links and empty folders have no place in a crate's files and are left to the bag and the folder.
    """
    crate = ROCrate(version=VERSION)
    _describe(crate, record, about)
    with tree(out.vault, record) as found:
        for item, digest in found.entries():
            if digest:
                out.blob(digest, b"data/" + item.name)
                crate.add(_file(crate, item.name, digest, files[item.path]))
        out.findings = dip_told.findings(found)
    if proof:
        for name, digest in (*dip_proof.write(out, proof, _PROOF), *dip_proof.write_tag_files(out, record, _PROOF)):
            crate.add(_evidence(crate, name, digest))
    folder = Path(os.fsdecode(out.path(b"")))
    crate.write(folder)
    out.files, out.size = out.files + 1, out.size + (folder / crate.metadata.id).stat().st_size


_UNKNOWN = "No license is on record: ask the archive that gave this out."  # RO-Crate 1.1 wants one of the root


def _describe(crate: ROCrate, record: Record, about: Aip) -> None:
    crate.name = about.title
    crate.description = f"Version {record.version} of {record.aip}, accession {record.accession}."
    crate.datePublished = record.created
    crate.license = _UNKNOWN
    crate.root_dataset["identifier"] = record.aip
    crate.root_dataset["version"] = str(record.version)
    if about.producer:
        producer = ContextEntity(crate, "#producer", properties={"@type": "Organization", "name": about.producer})
        crate.add(producer)
        crate.root_dataset["author"] = producer


def _evidence(crate: ROCrate, name: str, digest: Digest) -> DataEntity:
    """A file of the proof that the archive logged these files, or of the bag that it keeps them in."""
    mime = "application/json" if name.endswith(".json") else "text/x-python" if name.endswith(".py") else "text/plain"
    properties = {"@type": "File", "name": _NAMES.get(Path(name).suffix, name), "sha256": digest.hexadecimal}
    return DataEntity(crate, name, properties={**properties, "encodingFormat": mime})


def _file(crate: ROCrate, name: bytes, digest: Digest, held: HeldFile) -> DataEntity:
    """One file; its identifier is its path, percent-encoded byte by byte (RFC 3986 §2.1)."""
    properties: dict[str, Any] = {
        "@type": "File",
        "name": escape_path(name),
        "contentSize": str(held.size),
        "sha256": digest.hexadecimal,
        "encodingFormat": held.mime,
    }
    if held.puids:
        properties["encodingFormat"] = [held.mime, *(_format(crate, puid) for puid in held.puids)]
    return DataEntity(crate, "data/" + quote(name), properties=properties)


def _format(crate: ROCrate, puid: str) -> ContextEntity:
    """A format's page in PRONOM, once a crate (RO-Crate 1.1, "File format details")."""
    found = crate.get(_PRONOM + puid)
    if found is None:
        found = crate.add(ContextEntity(crate, _PRONOM + puid, properties={"@type": "WebPage", "name": puid}))
    return found
