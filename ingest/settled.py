"""What an ingest has settled, kept beside it: after a kill the next one goes on from there, and reads none of it again.

A file is written down here when its bytes are durable under their name in every copy that took them (storage.staging,
`settle`), never before; and it is taken from here only if its listing has not changed, and every copy still has the
blob. The commit asks once more for every blob.

Lines of JSON are appended, and not synced, which would hold up the reading of files: a kill takes none of them; a power
cut may take the last, whose files are then read again. What is no line of ours is passed over, and what is of another
setting is begun anew.

Of files that were fetched it is written down from where: one that was settled too is not fetched again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from ingest.worklist import Known, Worklist
from storage import layout
from storage.digest import Digest
from storage.durable import told
from storage.errors import StorageError
from storage.portions import portions
from storage.store import Opens

MANY = 1_000  # files of a line
_SCHEMA = """
create table files (
    name blob primary key, size integer, mtime text, digest text, digests text, formats text, mime text, basis text,
    opinion text, new integer, scan text, scan_told text) without rowid;
create table captured (name blob primary key, url text, given text, time text, size integer) without rowid;
"""
_INTO = {
    "files": "insert or replace into files values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "captured": "insert or replace into captured values (?, ?, ?, ?, ?)",
}


class Captured(NamedTuple):
    """A file that was fetched: its URL, the one that gave it (without a query) where it was redirected, when, bytes."""

    name: bytes
    url: str
    given: str
    time: str
    size: int


class Settled:
    """The files of one accession, in a file that the first of them makes. `setting` says with what they were examined.
    What is asked is what earlier runs wrote down. Not for several threads."""

    def __init__(self, path: Path, setting: str) -> None:
        self._path, self._setting = path, setting
        self._db = _of_setting(path, setting) if path.exists() else None
        self._file: IO[bytes] | None = None

    def close(self) -> None:
        if self._db:
            self._db.close()
        if self._file:
            with suppress(OSError):  # what a full disk did not take was told, and is tried once more
                self._file.close()

    def keep(self, files: Iterable[Known]) -> None:
        """Write down what was settled; no kill takes it away on return. Raises NoRoom or Unreachable."""
        self._append("files", files)

    def note(self, captured: Iterable[Captured]) -> None:
        """Write down what was fetched, as `keep`; it counts once its file is settled."""
        self._append("captured", captured)

    def _append(self, table: str, rows: Iterable[Known | Captured]) -> None:
        with told(str(self._path)):
            self._file = self._file or (self._path.open("ab") if self._db else _anew(self._path, self._setting))
            for some in portions(rows, MANY):
                self._file.write(_line([table, [(row.name.decode("latin-1"), *row[1:]) for row in some]]))
            self._file.flush()

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
    with suppress(StorageError, ValueError):
        return copy.size(layout.blob_key(Digest.parse(known.digest))) == known.size
    return False


def _of_setting(path: Path, setting: str) -> sqlite3.Connection | None:
    """What is there, if it is of this setting, in a temporary database."""
    with path.open("rb") as file:
        if not _is_told(file.readline(), setting):
            return None
        db = sqlite3.connect("", isolation_level=None)
        db.executescript(_SCHEMA)
        db.execute("begin")
        for line in file:
            with suppress(ValueError, TypeError, LookupError, AttributeError, sqlite3.Error):  # no line of ours
                table, rows = json.loads(line)
                db.executemany(_INTO[table], ((name.encode("latin-1"), *rest) for name, *rest in rows))
        return db


def _is_told(line: bytes, setting: str) -> bool:
    """Whether a line says that; one that is torn says nothing."""
    with suppress(ValueError):
        return bool(json.loads(line) == setting)
    return False


def _line(told: object) -> bytes:
    """One that follows on another that may be torn, and so begins where a new line does."""
    return b"\n" + json.dumps(told).encode()


def _anew(path: Path, setting: str) -> IO[bytes]:
    path.parent.mkdir(exist_ok=True)
    file = path.open("wb")
    file.write(json.dumps(setting).encode())
    return file


def remove(path: Path) -> None:
    """Remove what was settled of an accession, where something was."""
    path.unlink(missing_ok=True)


def place(work: Path, accession: str) -> Path:
    """Where it lies."""
    return work / "resume" / f"{accession}.jsonl"
