"""What a repair's entry says, taken into the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from sqlite3 import Connection

from repository import evidence
from storage.digest import Digest
from storage.errors import StorageError
from storage.event import Event
from storage.vault import Vault

_BEYOND = "insert or replace into beyond select copy, key, outcome, found, ?3 from damage where copy = ?1 and key = ?2"


def repaired(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    """What was healed is damaged no more; of what was not, it is known what was said of it."""
    if event.outcome == "fail":
        db.executemany(_BEYOND, ((event.object, *row) for row in _failed(vault, event)))
        return
    keys = event.detail.get("repaired", [])
    assert isinstance(keys, list)
    for table in ("damage", "beyond"):
        healed = ((event.object, str(key)) for key in keys)
        db.executemany(f"delete from {table} where copy = ? and key = ?", healed)


def forget(db: Connection, copy: str) -> None:
    """What is damaged no more may be damaged again, and is said again then."""
    is_damaged = "select 1 from damage where damage.copy = beyond.copy and damage.key = beyond.key"
    db.execute(f"delete from beyond where copy = ? and not exists ({is_damaged})", (copy,))


def _failed(vault: Vault, event: Event) -> Iterator[tuple[str, str]]:
    """The keys of its list, and why; none where that is lost with its blob: then they are said once more."""
    with suppress(StorageError, ValueError):
        for row in evidence.rows(vault, Digest.parse(str(event.detail.get("list")))):
            yield str(row["key"]), str(row["why"])
