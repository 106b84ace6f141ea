"""Whether the catalogue says what the vault says: asked before an audit, which takes from it what has to be there."""

from __future__ import annotations

from repository.catalogue import Catalogue
from storage import tombstones
from storage.aip import parse_aip
from storage.digest import Digest
from storage.errors import StorageError
from storage.vault import Vault

_HAS = (
    "select 1 from files where aip = ?1 and path = ?2 and digest = ?3 and since <= ?4"
    " and (until is null or until >= ?4)"
)  # fmt: skip


def agrees(catalogue: Catalogue, vault: Vault) -> bool:
    """Whether every file of every version's bag is in the catalogue, and every tombstone; a version that cannot be read
    says nothing."""
    deleted = {row["aip"] for row in catalogue.rows("select aip from deleted")}
    if any(f"urn:uuid:{aip}" not in deleted for aip in tombstones.buried(vault.copies)):
        return False
    versions = list(catalogue.rows("select aip, version, record from versions order by aip, version"))
    return all(_version_agrees(catalogue, vault, row["aip"], row["version"], row["record"]) for row in versions)


def _version_agrees(catalogue: Catalogue, vault: Vault, aip: str, version: int, digest: str) -> bool:
    try:
        record = vault.record(parse_aip(aip), version, Digest.parse(digest))
        return all(catalogue.one(_HAS, aip, line.path, str(line.digest), version) for line in vault.bag(record))
    except (StorageError, ValueError):
        return True  # the audit tells what is wrong with it
