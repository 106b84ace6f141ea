"""A DIP as an RO-Crate 1.1: the received tree under `data/`, original names byte for byte, and what is known of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.model.data_entity import DataEntity
from rocrate.rocrate import ROCrate

from repository.dip import Out
from repository.holdings import Aip, HeldFile
from repository.tree import tree
from storage.aip import Record
from storage.digest import Digest
from storage.names import escape_path

VERSION = "1.1"
_PRONOM = "https://www.nationalarchives.gov.uk/PRONOM/"


def write(out: Out, record: Record, about: Aip, files: dict[str, HeldFile]) -> None:
    """Write every received file and the crate's metadata; `files` are the version's, by bag path.

    Links and empty folders have no place in a crate's files and are left to the bag and the folder.
    """
    crate = ROCrate(version=VERSION)
    _describe(crate, record, about)
    with tree(out.vault, record) as found:
        for item, digest in found.entries():
            if digest:
                out.blob(digest, b"data/" + item.name)
                crate.add(_file(crate, item.name, digest, files[item.path]))
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
