"""Which signatures tell formats: those that were imported last, else fido's own.

What was imported is known from the ledger, whose entry names both files as evidence; the folder `signatures/` holds
them as they came, for the workers to read, and is made again from the vault where it is missing or was changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import NoSuchPackage
from repository.catalogue import Catalogue, Row
from storage import durable
from storage.digest import Digest, sha256
from storage.vault import Vault

if TYPE_CHECKING:
    from ingest.droid import DroidSignatures
    from ingest.droid_container import Unusable
    from ingest.identify import Format
    from ingest.signatures import Signatures

Pair = tuple[bytes, bytes]
"""A signature file and a container signature file, as they came."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an entry of the ledger says: the digests of both files, and when they were imported."""

    files: tuple[Digest, Digest]
    time: str

    @property
    def name(self) -> str:
        """The name of their folder: another for other bytes."""
        return "-".join(digest.hexadecimal[:12] for digest in self.files)


@dataclass(frozen=True, slots=True)
class Known:
    """What signatures know: how many formats and signatures, and which of these cannot be used. `imported` is when,
    "" for fido's own."""

    version: str
    puids: int
    signatures: int
    unusable: Sequence[Unusable]
    imported: str = ""


def in_force(catalogue: Catalogue) -> Imported | None:
    """What was imported last; None where nothing was."""
    query = "select time, detail from events where type = 'signatures' order by entry desc"
    return next(filter(None, map(_imported, catalogue.rows(query))), None)


def _imported(row: Row) -> Imported | None:
    said = json.loads(row["detail"])
    try:
        files = Digest.parse(str(said["signature_file"])), Digest.parse(str(said["container_file"]))
    except (KeyError, ValueError):  # an entry that was forged
        return None
    return Imported(files, row["time"])


def read(signature_file: Path, container_file: Path) -> Pair:
    """The bytes of two files that somebody names, so far as any signature file goes; raise NoSuchPackage."""
    return _read(signature_file), _read(container_file)


def _read(path: Path) -> bytes:
    from ingest.droid_xml import LARGEST  # with all that reads XML

    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise NoSuchPackage(str(path)) from error


def digests(pair: Pair) -> tuple[Digest, Digest]:
    return sha256(pair[0]), sha256(pair[1])


def from_vault(imported: Imported, vault: Vault) -> Pair:
    """The files as the vault has them; raise NotFound, Damaged or Unreachable."""
    first, second = imported.files
    return vault.read(first), vault.read(second)


def laid_out(imported: Imported, folder: Path, vault: Vault, scratch: Path) -> tuple[Path, Path]:
    """Where, below `folder`, the files in force lie, from the vault where they do not yet."""
    return lay_out(folder / imported.name, imported.files, lambda: from_vault(imported, vault), scratch)


def lay_out(folder: Path, files: tuple[Digest, Digest], pair: Callable[[], Pair], scratch: Path) -> tuple[Path, Path]:
    """See to it that both files lie in the folder, and return where; they are asked for where they do not."""
    paths = folder / "signatures.xml", folder / "containers.xml"
    if _held(paths) != files:
        for path, data in zip(paths, pair(), strict=True):
            durable.publish(durable.DISK, path, data, scratch, exclusive=False)
    return paths


def _held(paths: tuple[Path, Path]) -> tuple[Digest, ...]:
    try:
        return digests(read(*paths))
    except (OSError, NoSuchPackage):
        return ()


def known(signatures: DroidSignatures, imported: str) -> Known:
    """What DROID's signatures know."""
    table = signatures.table
    return Known(table.version, len(table.rules), signatures.count, signatures.unusable, imported)


def known_to_fido() -> Known:
    """What fido's own know."""
    own = fidos_own()
    count = sum(len(rule.signatures) for rule in own.rules)
    count += sum(len(found) for contents in own.containers.values() for found in contents.values())
    return Known(f"fido {own.version}", len(own.rules), count, ())


def fidos_own() -> Signatures:
    """The signatures that are in use where none were imported."""
    from ingest.identify_fido import load_signatures  # only now: fido brings a client for the network along

    return load_signatures()


def formats(table: Signatures) -> Mapping[str, Format]:
    """Every format by its PUID."""
    return {rule.format.puid: rule.format for rule in table.rules}
