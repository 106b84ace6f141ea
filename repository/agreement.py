"""Whether the catalogue says what the vault says: asked before an audit, which takes from it what has to be there."""

from __future__ import annotations

import heapq

from repository.catalogue import Catalogue
from storage.aip import parse_aip
from storage.digest import Digest
from storage.errors import StorageError
from storage.lacking import missing
from storage.vault import Vault

_FILES = (
    "select path, digest from files where aip = ?1 and since <= ?2 and (until is null or until >= ?2) order by path"
)


def agrees(catalogue: Catalogue, vault: Vault) -> bool:
    """Whether every file of every version's bag is in the catalogue, and every tombstone; a version that cannot be read
    says nothing."""
    deleted = {row["aip"] for row in catalogue.rows("select aip from deleted")}
    if any(f"urn:uuid:{aip}" not in deleted for aip in vault.buried()):
        return False
    versions = list(catalogue.rows("select aip, version, record from versions order by aip, version"))
    return all(_version_agrees(catalogue, vault, row["aip"], row["version"], row["record"]) for row in versions)


def _version_agrees(catalogue: Catalogue, vault: Vault, aip: str, version: int, digest: str) -> bool:
    try:
        record = vault.record(parse_aip(aip), version, Digest.parse(digest))
        known = ((row["path"], row["digest"]) for row in catalogue.rows(_FILES, aip, version))
        bag = heapq.merge(vault.tag_files(record), vault.payload(record))
        return next(missing(known, ((line.path, str(line.digest)) for line in bag)), None) is None
    except (StorageError, ValueError):
        return True  # the audit tells what is wrong with it
