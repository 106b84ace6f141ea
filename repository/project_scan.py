"""When each blob was last scanned for viruses, as entries of the ledger tell it: of ingests, and of scans since."""

from __future__ import annotations

from sqlite3 import Connection
from typing import NamedTuple

from repository import evidence
from storage.aip import Record
from storage.digest import Digest
from storage.errors import StorageError
from storage.event import Event
from storage.vault import Vault

DUE = """
select f.digest as digest, max(f.size) as size
from files f join versions v on v.aip = f.aip and v.version = f.since
where f.content and v.entry < ?3 and (?4 = '' or f.aip = ?4)
and not exists (select 1 from scans s where s.digest = f.digest and s.time > ?1 and s.time <= ?2)
group by f.digest order by f.digest
"""


class Window(NamedTuple):
    """What a scan is about: the content of versions that the first `entries` of the ledger tell of, of one AIP where it
    is named, that was not scanned after `before`. A scan in the future is none: a clock was wrong."""

    before: str
    now: str
    entries: int
    aip: str = ""


def ingested(db: Connection, record: Record, entry: int, event: Event) -> None:
    """A delivery all of which was clean. Of any other, everything is due."""
    if event.detail.get("scan") == "pass":
        db.execute(
            "insert or replace into scans select distinct digest, ?, 'clean', ? from files"
            " where aip = ? and since = ? and content and original_name != ''",
            (event.time, entry, record.aip, record.version),
        )


def scanned(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    """What was due then was scanned, but for what the entry's list tells: the same blobs are due in a rebuild."""
    detail = event.detail
    if detail.get("limits") == "hidden" or not _read_list(db, vault, str(detail.get("list", ""))):
        return  # what was clean cannot be told
    window = Window(
        str(detail["before"]), event.time, int(str(detail["entries"])), event.object if detail.get("aip") else ""
    )
    db.execute(
        "insert or replace into scans select due.digest, ?2, coalesce(u.outcome, 'clean'), ?5"
        f" from ({DUE}) due left join unclean u on u.digest = due.digest where u.outcome is not 'not scanned'",
        (*window, entry),
    )


def _read_list(db: Connection, vault: Vault, digest: str) -> bool:
    """Take in what was not clean; False where that is lost with its blob."""
    db.execute("create temp table if not exists unclean (digest text primary key, outcome text) without rowid")
    db.execute("delete from unclean")
    if not digest:
        return True
    try:
        rows = ((row["digest"], row["outcome"]) for row in evidence.rows(vault, Digest.parse(digest)))
        db.executemany("insert or replace into unclean values (?, ?)", rows)
    except StorageError:
        return False
    return True
