"""The catalogue: an SQLite projection of vault and ledger. Delete it and `rebuild` makes it again.

Its `position` is the number of ledger entries that it has taken in; whoever opens it takes in the rest.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain, count, groupby
from pathlib import Path
from typing import Any
from uuid import UUID

from repository import schema
from storage.errors import StorageError
from storage.event import Event
from storage.lock import locked
from storage.vault import Vault

Row = dict[str, Any]
_NOT_ITS_FAULT = tuple(f"SQLITE_{one}" for one in ("BUSY", "LOCKED", "IOERR", "FULL", "READONLY", "CANTOPEN"))
"""What says nothing of the database itself (sqlite.org/rescode.html)."""


class Catalogue:
    """Reads and follows the ledger. Not for several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.aside: Path | None = None
        self._checked = False
        self.db = _current(path) or _made(path)

    def close(self) -> None:
        self.db.close()

    @property
    def position(self) -> int:
        return int(self.db.execute("select value from state where key = 'position'").fetchone()[0])

    def follow(self, vault: Vault) -> None:
        """Take in what the ledger has beyond our position.

        Where the ledger is shorter than what we know, or another, an older copy was put first, entries are lost, or the
        catalogue is another vault's: it is set aside under the name in `aside`, for a person to compare, and made anew.
        Safe in several processes: each entry is taken in by one transaction that checks the position.
        """
        known = self.position  # before the ledger's size: the ledger leads, also where others append meanwhile
        size = vault.ledger.size()
        strange = size < known or not self._is_of(vault, known)
        if strange:
            self._set_aside(known)
        while (position := self.position) < size:
            for entry, raw, event in vault.ledger.read(position, size):
                if not self._take(vault, entry, raw, event):
                    break
        if strange:
            self.complete(vault)

    def _is_of(self, vault: Vault, known: int) -> bool:
        """Whether the last entry that we know is the ledger's: asked once, when the catalogue was opened."""
        if self._checked or not known:
            return True
        self._checked = True
        row = self.one("select raw from events where entry = ?", known - 1)
        with suppress(StorageError):  # an audit tells what is wrong with it
            return row is not None and [row["raw"]] == [raw for _, raw, _ in vault.ledger.read(known - 1, known)]
        return True

    def _take(self, vault: Vault, entry: int, raw: bytes, event: Event) -> bool:
        """Take in one entry; False where another process has done so already."""
        from repository import projection

        with self._transaction():
            if self.position != entry:
                return False
            projection.project(self.db, vault, entry, raw, event)
            self.db.execute("update state set value = ? where key = 'position'", (entry + 1,))
            return True

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One writer at a time, from its first reading on. One within another is a part of that."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.db.rollback()
            raise
        self.db.commit()

    def complete(self, vault: Vault) -> None:
        """Take in the records and tombstones that no entry of the ledger tells of: a copy may have lost its ledger."""
        from repository import projection
        from repository.project_version import project_version

        for _, versions in groupby(vault.all_records(), key=lambda record: record.aip):
            for record in sorted(versions, key=lambda record: record.version):
                if not self.one("select 1 from versions where aip = ? and version = ?", record.aip, record.version):
                    with self._transaction():
                        project_version(self.db, vault, record, self.position)
                        projection.put_accession(self.db, record, self.position)
        for aip in vault.buried():
            self._complete_deletion(vault, aip)

    def _complete_deletion(self, vault: Vault, aip: UUID) -> None:
        from repository.project_deletion import put_tombstone

        if not self.one("select 1 from deleted where aip = ?", f"urn:uuid:{aip}"):
            with suppress(StorageError):  # one that no copy has whole is left for a person
                if tombstone := vault.tombstone(aip):
                    with self._transaction():
                        put_tombstone(self.db, tombstone, self.position)

    def _set_aside(self, known: int) -> None:
        """Keep what was known beside the catalogue, under a name that nothing has yet; then begin anew."""
        names = (f"{self.path.stem}-of-{known}-entries{end}.db" for end in chain([""], (f"-{n}" for n in count(2))))
        self.aside = next(path for name in names if not (path := self.path.with_name(name)).exists())
        with closing(sqlite3.connect(self.aside)) as kept:
            self.db.backup(kept)
        with self._transaction():
            schema.empty(self.db)

    def renew(self, vault: Vault) -> None:
        """Make it again from the vault alone. Who reads meanwhile sees what was before: an audit by half a catalogue
        would find damage that is none."""
        self._become_sound()
        with self._transaction():
            schema.empty(self.db)
            self.follow(vault)
            self.complete(vault)

    def _become_sound(self) -> None:
        """Make way for a new database where this one is damaged; the others stay in the same file, which other
        processes may have open."""
        try:
            schema.check(self.db)
        except sqlite3.DatabaseError as error:
            if str(getattr(error, "sqlite_errorname", "")).startswith(_NOT_ITS_FAULT):
                raise
            self.close()
            with _making(self.path):
                self.db = _anew(self.path)

    def rows(self, query: str, *arguments: object) -> Iterator[Row]:
        """Rows of a question as dictionaries."""
        found = self.db.execute(query, arguments)
        names = [column[0] for column in found.description]
        yield from (dict(zip(names, row, strict=True)) for row in found)

    def values(self, query: str, *arguments: object) -> Iterator[tuple[Any, ...]]:
        """Rows of a question as tuples: where there are many."""
        yield from self.db.execute(query, arguments)

    def one(self, query: str, *arguments: object) -> Row | None:
        return next(self.rows(query, *arguments), None)


def _current(path: Path) -> sqlite3.Connection | None:
    """The catalogue that is there; None where there is none, one of another version, or one that cannot be read."""
    if not path.exists():
        return None
    try:
        db = schema.open_database(path)
    except sqlite3.OperationalError:  # the disk's fault, or another process's
        raise
    except sqlite3.DatabaseError:
        return None
    if schema.is_current(db):
        return db
    db.close()
    return None


def _made(path: Path) -> sqlite3.Connection:
    """A new catalogue, or the one that another process has made in the meantime."""
    with _making(path):
        return _current(path) or _anew(path)


@contextmanager
def _making(path: Path) -> Iterator[None]:
    """One process at a time makes it: others would find half of it."""
    work = path.parent / "work"
    work.mkdir(exist_ok=True)
    with locked(work / "catalogue.lock", "the making of the catalogue"):
        yield


def _anew(path: Path) -> sqlite3.Connection:
    remove(path)
    return schema.create(path)


def remove(path: Path) -> None:
    """Delete a catalogue's files."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")


def counts(catalogue: Catalogue) -> dict[str, int]:
    """AIPs, versions and content files that a catalogue knows."""
    count = """
    select (select count(*) from aips) as aips, (select count(*) from versions) as versions,
    (select count(*) from files where content and until is null) as files
    """
    found = catalogue.one(count)
    assert found is not None  # counts are always there
    return found
