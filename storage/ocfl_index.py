"""Which file of an OCFL storage root has which content: an SQLite file that is made again where it is lost or stale.

It is a hint and never the truth: whoever opens a file by it compares the bytes with their digest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from storage import ocfl
from storage.digest import Digest
from storage.errors import StorageError
from storage.ocfl_root import read_object

_SCHEMA = """
create table if not exists objects (place text primary key, sidecar blob) without rowid;
create table if not exists files (digest text, place text, path text, primary key (digest, place, path)) without rowid;
create index if not exists files_of on files (place);
"""


class Index:
    """Opened at its first use, and for each use anew, so that it can be handed to workers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.fresh = False  # whether it was held against the root since it was opened

    def paths(self, digest: Digest) -> list[str]:
        """The paths below the root that should have this content."""
        query = "select place || '/' || path from files where digest = ? order by place, path"
        with self._opened() as db:
            return [path for (path,) in db.execute(query, (str(digest),))]

    def learn(self, root: Path, place: Path) -> None:
        """Take in an object that was written."""
        with self._opened() as db, db:
            _learn(db, root, place)

    def forget(self, place: str) -> None:
        with self._opened() as db, db:
            _forget(db, place)

    def refresh(self, root: Path, objects: Iterable[Path]) -> None:
        """Take in every object whose inventory is another than the one known, and forget those that are gone."""
        with self._opened() as db, db:
            gone = {place for (place,) in db.execute("select place from objects")}
            for folder in objects:
                place = folder.relative_to(root).as_posix()
                gone.discard(place)
                known = db.execute("select sidecar from objects where place = ?", (place,)).fetchone()
                if known != (_sidecar(folder),):
                    _learn(db, root, folder)
            for place in gone:
                _forget(db, place)
        self.fresh = True

    def _opened(self) -> closing[sqlite3.Connection]:
        db = sqlite3.connect(self._path, timeout=60)
        db.executescript(_SCHEMA)
        return closing(db)


def _learn(db: sqlite3.Connection, root: Path, folder: Path) -> None:
    """An object whose inventory cannot be used has nothing to offer: an audit tells of it."""
    place = folder.relative_to(root).as_posix()
    _forget(db, place)
    with suppress(StorageError):
        db.executemany("insert into files values (?, ?, ?)", _rows(folder, place))
    db.execute("insert into objects values (?, ?)", (place, _sidecar(folder)))


def _rows(folder: Path, place: str) -> Iterator[tuple[str, str, str]]:
    for path, digest in ocfl.content(read_object(folder)):
        yield str(digest), place, path


def _forget(db: sqlite3.Connection, place: str) -> None:
    db.execute("delete from files where place = ?", (place,))
    db.execute("delete from objects where place = ?", (place,))


def _sidecar(folder: Path) -> bytes:
    with suppress(OSError):
        return (folder / ocfl.SIDECAR).read_bytes()
    return b""
