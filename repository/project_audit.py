"""Entries about audits → what was read when, and what was found: rows of the catalogue."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from sqlite3 import Connection
from typing import Any

from fixity.reading import END, START, Reading
from repository import evidence, project_repair
from repository.rows import put
from repository.schema import BLOB_KEY, RECORD_KEY
from storage.aip import stamp
from storage.digest import Digest
from storage.errors import StorageError
from storage.event import Event
from storage.vault import Vault

RESTORED = "restored"
"""The scope of a reading of what audits had missed, and was brought back."""
WHOLE = ("full", "due")
"""Scopes of readings that take keys as they come, whatever entry told of them; an entry without one is `full`."""
_FORGET = "delete from damage where copy = ?1 and key > ?2 and key <= ?3 and time <= ?4"
_CAME_BETWEEN = f"""
 and key in (
 select {BLOB_KEY} from (
   select digest from files join versions on versions.aip = files.aip and versions.version = files.since
   where versions.entry >= ?5 and versions.entry < ?6
   union all select digest from evidence where entry >= ?5 and entry < ?6)
 union all select {RECORD_KEY} from versions where entry >= ?5 and entry < ?6)
"""
_CONTAINED = """
delete from readings where copy = :copy and after >= :after and last <= :last and first_entry >= :first_entry
and end_entry <= :end_entry and time <= :time and (:collection = '' or collection = :collection)
"""


def audited(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    """What a reading found replaces what was known of the keys that it read; the rest stays as it was.

    What was found damaged after it had begun stays too: it may have read that before.
    """
    scope = scope_of(event)
    if scope == RESTORED:
        query = "delete from damage where copy = ? and outcome = 'missing' and time <= ?"
        db.execute(query, (event.object, str(event.detail.get("started", event.time))))
    if scope in WHOLE:
        put(db, "audits", {"copy": event.object, "time": event.time, "entry": entry})
    if reading := reading_of(event, entry):
        if not event.detail.get("collection"):  # it read some of these keys, and does not say which
            _forget_damage(db, event.object, reading, stamp(reading.time), scope)
        _put_reading(db, event, entry, reading)
    if report := event.detail.get("findings"):
        with suppress(StorageError):  # the list is lost with its blob: the counts stay in the entry
            for found in evidence.rows(vault, Digest.parse(str(report))):
                row = {name: found.get(name) or "" for name in ("copy", "key", "outcome", "expected", "found")}
                if row["outcome"] != "not_checked":
                    put(db, "damage", {**row, "time": event.time, "entry": entry})
    project_repair.forget(db, event.object)


def scope_of(event: Event) -> str:
    return str(event.detail.get("scope", "full"))


def reading_of(event: Event, entry: int) -> Reading | None:
    """What an audit's entry says was read; None where that is nothing, or a sample. One of before there were slices
    read all that there was."""
    detail = event.detail
    if "scope" not in detail:
        return None if event.outcome == "not checked" else Reading(START, END, 0, entry, _time(event.time))
    match detail.get("entries"):
        case [int(begin), int(end)]:
            after, last = str(detail.get("after", START)), str(detail.get("last", END))
            return Reading(after, last, begin, end, _time(str(detail.get("started", event.time))))
    return None


def _forget_damage(db: Connection, copy: str, reading: Reading, began: str, scope: str) -> None:
    row = (copy, reading.after, reading.last, began)
    if scope in WHOLE:
        db.execute(_FORGET, row)
    else:
        db.execute(_FORGET + _CAME_BETWEEN, (*row, reading.begin, reading.end))


def _put_reading(db: Connection, event: Event, entry: int, reading: Reading) -> None:
    """Those that lie in it and are older tell nothing any more."""
    row = {"copy": event.object, "collection": str(event.detail.get("collection", "")), "after": reading.after}
    row |= {"last": reading.last, "time": stamp(reading.time)}
    told: dict[str, Any] = {**row, "first_entry": reading.begin, "end_entry": reading.end}
    db.execute(_CONTAINED, told)
    put(db, "readings", {**told, "entry": entry})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
