"""The catalogue's tables. It is a projection of vault and ledger: nothing is written here that they do not say."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from fixity.outcome import DAMAGED

VERSION = 12
_BEGUN = (("schema", VERSION), ("position", 0))
IS_DAMAGED = f"outcome in ({', '.join(repr(word) for word in DAMAGED)})"
"""Of a row of `damage`: what has to be healed, and is not only extra, or of a wrong mode."""
BLOB_KEY = "'blobs/sha256/' || substr(digest, 8, 3) || '/' || substr(digest, 8)"
"""Where the blob of a row's `digest` lies: `storage.layout.blob_key` in SQL."""
RECORD_KEY = (
    "'aips/' || substr(aip, -4, 2) || '/' || substr(aip, -2) || '/' || substr(aip, 10) || '/v' || version || '.json'"
)
"""Where the record of a row of `versions` lies: `storage.layout.record_key` in SQL."""
TOMBSTONE_KEY = "'tombstones/' || substr(aip, 10) || '.json'"
"""Where that of a row of `deleted` lies."""

_TABLES: dict[str, tuple[dict[str, type], tuple[str, ...]]] = {
    "state": ({"key": str, "value": int}, ("key",)),
    "aips": (
        {"aip": str, "title": str, "accession": str, "producer": str, "created": str, "description": str,
         "versions": int, "files": int, "bytes": int},
        ("aip",),
    ),
    "versions": (
        {"aip": str, "version": int, "created": str, "reason": str, "agent": str, "files": int, "bytes": int,
         "added": int, "record": str, "file_digest": str, "file_size": int, "entry": int},
        ("aip", "version"),
    ),
    "files": (
        {"id": int, "aip": str, "path": str, "digest": str, "size": int, "since": int, "until": int,
         "original_name": str, "puids": str, "mime": str, "basis": str, "derived_from": str, "content": int},
        ("id",),
    ),
    "accessions": (
        {"accession": str, "received": str, "outcome": str, "aip": str, "because": str, "terms": str, "content": str,
         "entry": int},
        ("accession",),
    ),
    "events": (
        {"entry": int, "time": str, "type": str, "agent": str, "object": str, "outcome": str, "detail": str,
         "raw": bytes},
        ("entry",),
    ),
    "happenings": (
        {"id": str, "aip": str, "version": int, "time": str, "type": str, "agents": str, "outcome": str, "detail": str,
         "note": str, "objects": str},
        ("id",),
    ),
    "judged": (
        {"aip": str, "path": str, "tool": str, "version": int, "agent": str, "outcome": str, "note": str},
        ("aip", "path", "tool"),
    ),
    "audits": ({"copy": str, "time": str, "entry": int}, ("copy",)),
    "readings": (
        {"entry": int, "copy": str, "collection": str, "after": str, "last": str, "first_entry": int,
         "end_entry": int, "time": str},
        ("entry",),
    ),
    "damage": (
        {"copy": str, "key": str, "outcome": str, "expected": str, "found": str, "time": str, "entry": int},
        ("copy", "key"),
    ),
    "beyond": ({"copy": str, "key": str, "outcome": str, "found": str, "why": str}, ("copy", "key")),
    "fixed": ({"key": str, "digest": str, "size": int}, ("key",)),
    "requests": (
        {"request": str, "aip": str, "accession": str, "state": str, "due": str, "reason": str, "requested": str,
         "requested_by": str, "requested_user": str, "approved": str, "approved_by": str, "policy": str, "entry": int},
        ("request",),
    ),
    "holds": (
        {"hold": str, "aip": str, "accession": str, "reason": str, "since": str, "agent": str, "released": str,
         "entry": int},
        ("hold",),
    ),
    "deleted": (
        {"aip": str, "accession": str, "time": str, "request": str, "reason": str, "file_digest": str,
         "file_size": int, "entry": int},
        ("aip",),
    ),
    "corrections": (
        {"aip": str, "path": str, "digest": str, "puid": str, "mime": str, "was": str, "why": str, "time": str,
         "agent": str, "entry": int},
        ("aip", "path", "digest"),
    ),
    "scans": ({"digest": str, "time": str, "outcome": str, "entry": int}, ("digest",)),
    "evidence": ({"digest": str, "size": int, "entry": int}, ("digest",)),
}  # fmt: skip


TABLES = frozenset({*_TABLES, "aips_fts"})


def create(path: Path) -> sqlite3.Connection:
    """A new catalogue; raise sqlite3.Error."""
    from sqlite_utils import Database  # a tenth of a start, and a catalogue is made once

    connection = open_database(path)
    db = Database(connection)
    for name, (columns, key) in _TABLES.items():
        db.table(name).create(columns, pk=key if len(key) > 1 else key[0], strict=True)
    db.table("files").create_index(["digest", "size"])
    db.table("versions").create_index(["entry"])
    db.table("readings").create_index(["copy", "time"])
    db.table("events").create_index(["type", "object"])
    db.table("files").create_index(["aip", "path"])
    db.table("happenings").create_index(["aip"])
    db.table("events").create_index(["object"])
    # by key: SQLite knows an expression again by its text (sqlite.org/expridx.html)
    db.execute(f"create index versions_by_key on versions ({RECORD_KEY})")
    db.execute(f"create index deleted_by_key on deleted ({TOMBSTONE_KEY})")
    db.table("aips").enable_fts(["title", "producer", "description", "accession"], create_triggers=True)
    connection.executemany("insert into state values (?, ?)", _BEGUN)
    connection.commit()
    return connection


def open_database(path: Path) -> sqlite3.Connection:
    """The database in WAL mode; another process's short writes are waited for (seconds)."""
    connection = sqlite3.connect(path, timeout=60.0)
    try:
        if connection.execute("pragma journal_mode").fetchone() != ("wal",):
            connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")  # it can be made again; it only has to be consistent
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def is_current(db: sqlite3.Connection) -> bool:
    """Whether the tables are there and of this version."""
    try:
        state = dict(db.execute("select key, value from state"))
        there = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
    except sqlite3.DatabaseError:
        return False
    return state.get("schema") == VERSION and "position" in state and there >= TABLES


def check(db: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError where the file is damaged, or a table is not there."""
    if (verdict := db.execute("pragma quick_check(1)").fetchone()) != ("ok",):
        raise sqlite3.DatabaseError(f"the catalogue is damaged: {verdict}")
    for name in _TABLES:
        db.execute(f"select 1 from {name} limit 1")
    db.execute("insert into aips_fts (aips_fts) values ('integrity-check')")  # FTS5 §6.5: writes nothing
    db.rollback()


def empty(db: sqlite3.Connection) -> None:
    """Take all rows out, in the caller's transaction."""
    for name in _TABLES:
        db.execute(f"delete from {name}")
    db.executemany("insert into state values (?, ?)", _BEGUN)
