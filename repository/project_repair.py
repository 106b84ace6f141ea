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

_TRIED = "update damage set attempts = coalesce(attempts, 0) + 1 where copy = ? and key = ?"


def repaired(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    """What was healed is damaged no more; of what was not, it is known how often somebody has tried."""
    if event.outcome == "fail":
        db.executemany(_TRIED, ((event.object, key) for key in _failed(vault, event)))
        return
    keys = event.detail.get("repaired", [])
    assert isinstance(keys, list)
    db.executemany("delete from damage where copy = ? and key = ?", [(event.object, str(key)) for key in keys])


def _failed(vault: Vault, event: Event) -> Iterator[str]:
    """The keys of its list; none where that is lost with its blob: then they are tried once more."""
    with suppress(StorageError, ValueError):
        yield from (str(row["key"]) for row in evidence.rows(vault, Digest.parse(str(event.detail.get("list")))))
