"""What an ingest has settled, kept beside it: after a kill the next one goes on from there, and reads none of it again.

A file is written down here when its bytes are durable under their name in every copy that took them (storage.staging,
`settle`), never before; and it is taken from here only if its listing has not changed, and every copy still has the
blob. The commit asks once more for every blob. What is no database of ours, or of another setting, is begun anew.

Of files that were fetched it is written down from where: one that was settled too is not fetched again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ingest.worklist import Known, Worklist
from storage import layout
from storage.digest import Digest
from storage.errors import StorageError
from storage.store import Opens

_SCHEMA = """
create table setting (told text not null);
create table files (
    name blob primary key, size integer, mtime text, digest text, digests text, formats text, mime text, basis text,
    opinion text, new integer, scan text, scan_told text) without rowid;
create table captured (name blob primary key, url text, given text, time text, size integer) without rowid;
"""


class Captured(NamedTuple):
    """A file that was fetched: its URL, the one that gave it (without a query) where it was redirected, when, bytes."""

    name: bytes
    url: str
    given: str
    time: str
    size: int


class Settled:
    """The files of one accession, in a file that the first of them makes. `setting` says with what they were examined.
    Not for several threads."""

    def __init__(self, path: Path, setting: str) -> None:
        self._path, self._setting = path, setting
        self._db = _of_setting(path, setting) if path.exists() else None

    def close(self) -> None:
        if self._db:
            self._db.close()

    def keep(self, files: Iterable[Known]) -> None:
        """Write down what was settled, durable on return."""
        self._db = self._db or _anew(self._path, self._setting)
        with self._db:
            self._db.executemany("insert or replace into files values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", files)

    def note(self, captured: Iterable[Captured]) -> None:
        """Write down what was fetched, durable on return; it counts once its file is settled."""
        self._db = self._db or _anew(self._path, self._setting)
        with self._db:
            self._db.executemany("insert or replace into captured values (?, ?, ?, ?, ?)", captured)

    def captured(self, name: bytes, copies: Sequence[Opens]) -> tuple[Captured, Known] | None:
        """What is known of a file that was fetched and settled, and whose blob every copy has."""
        known = ", ".join(f"f.{one}" for one in Known._fields)
        query = f"select c.*, {known} from captured c join files f using (name) where name = ?"
        row = self._db.execute(query, (name,)).fetchone() if self._db else None
        if row is None:
            return None
        facts = Known(*row[len(Captured._fields) :])
        return (Captured(*row[: len(Captured._fields)]), facts) if all(_has(copy, facts) for copy in copies) else None

    def recall(self, worklist: Worklist, copies: Sequence[Opens], advance: Callable[[int, int], None]) -> None:
        """Put on the worklist what is known of files that are as they were, and whose blobs every copy has."""
        query = f"select {', '.join(Known._fields)} from files order by name"
        for row in self._db.execute(query) if self._db else ():
            known = Known(*row)
            if all(_has(copy, known) for copy in copies) and worklist.recall(known):
                advance(1, known.size)


def _has(copy: Opens, known: Known) -> bool:
    with suppress(StorageError):
        return copy.size(layout.blob_key(Digest.parse(known.digest))) == known.size
    return False


def _of_setting(path: Path, setting: str) -> sqlite3.Connection | None:
    """What is there, if it is of this setting."""
    db = sqlite3.connect(path)
    with suppress(sqlite3.DatabaseError):
        if db.execute("select told from setting").fetchone() == (setting,):
            return db
    db.close()
    return None


def _anew(path: Path, setting: str) -> sqlite3.Connection:
    path.parent.mkdir(exist_ok=True)
    remove(path)
    db = sqlite3.connect(path)
    db.executescript(_SCHEMA)
    with db:
        db.execute("insert into setting values (?)", (setting,))
    return db


def remove(path: Path) -> None:
    """Remove what was settled of an accession, where something was."""
    for name in (path.name, f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def place(work: Path, accession: str) -> Path:
    """Where it lies."""
    return work / "resume" / f"{accession}.db"
