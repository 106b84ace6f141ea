"""The sweep: removes the blobs that nothing needs any more, once they are old enough for nobody to be about to.

Safe beside an ingest: what a live run has written is younger than the run; while a run lives that began before the
newest deletion, nothing goes, since it may rely on what that deletion freed; each group is removed under the commit
lock, what was committed meanwhile marked first, and under the lock of the copies' batches, so that a blob that is
written anew is not taken for the old one. A commit looks for all its blobs once more under the same lock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from storage import layout, tombstones
from storage.commit import Committer
from storage.errors import NotFound, StorageError
from storage.marks import Marks, marking
from storage.staging import oldest_run, settling
from storage.store import Store

GROUP = 200  # blobs removed before the locks are given back
_SKEW = timedelta(hours=1)  # between our clock and that of an object store
_NEVER = datetime.min.replace(tzinfo=UTC)
_UNNEEDED = "create table unneeded (copy text, key text, size integer, state text, primary key (copy, key))"


class Unneeded(NamedTuple):
    """A blob in one copy that nothing refers to; `size` is in bytes."""

    copy: str
    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removes, in all copies together, or would: blobs and bytes; and how many that nothing needs stay.

    `copies` says of each copy that keeps everything why; `waits` says why nothing goes yet, "" where it may.
    """

    removed: int
    size: int
    kept: int
    copies: Mapping[str, str]
    waits: str


class Sweep:
    """One sweep: looked at first, then carried out."""

    def __init__(self, committer: Committer, marks: Marks, db: sqlite3.Connection, now: datetime, grace: timedelta):
        self._committer, self._vault, self._marks, self._db = committer, committer.vault, marks, db
        self._stores = {store.name: store for store in self._vault.copies}
        self._keep_all: dict[str, str] = {}
        self._waits = ""
        self._db.execute(_UNNEEDED)
        self._limit = self._old_enough(now - grace)

    def plan(self) -> Swept:
        """Read the vault; return what would go now. Raises SweepStopped where it cannot be told what is needed."""
        before = self._vault.ledger.size()
        self._marks.read_all()
        if any(event.type == "deletion" for _, _, event in self._vault.ledger.read(before)):
            self._wait("an AIP was deleted at this moment; sweep again")
        for store in self._vault.copies:
            try:
                self._look(store)
            except StorageError as error:
                self._leave(store.name, store.keeps_all or str(error))
        return self._told("")

    def carry_out(self) -> Swept:
        """Remove what was planned; return what is gone. Raises SweepStopped or Locked: what went before is gone."""
        for store in self._vault.copies:
            self._bury(store)
        while group := self._next_group():
            with self._committer.lock(), settling(self._committer.work):
                self._limit = self._old_enough(self._limit)
                self._marks.catch_up()
                for one in group:
                    self._settle(one, "removed" if self._drop(one) else "kept")
        return self.done()

    def done(self) -> Swept:
        """What is gone so far."""
        return self._told("removed")

    def removed(self) -> Iterator[Unneeded]:
        """Yield what is gone so far, by copy and key."""
        rows = self._db.execute("select copy, key, size from unneeded where state = 'removed' order by copy, key")
        yield from map(Unneeded._make, rows)

    def _old_enough(self, limit: datetime) -> datetime:
        """Until when a blob must have been written to go."""
        oldest = oldest_run(self._committer.work)
        if oldest is None:
            return limit
        if (deleted := _newest_tombstone(self._vault.first)) and oldest - _SKEW <= deleted:
            self._waits = "a run that began before the last deletion is still at work"
            return _NEVER
        return min(limit, oldest - _SKEW)

    def _wait(self, why: str) -> None:
        self._waits, self._limit = why, _NEVER

    def _look(self, store: Store) -> None:
        """Find what nothing needs in one copy."""
        if why := store.keeps_all:
            self._leave(store.name, why)
        for key in store.listing(layout.BLOBS):
            if layout.blob_digest(key) and key not in self._marks:
                goes = not why and store.written(key) <= self._limit
                row = (store.name, key, store.size(key), "" if goes else "kept")
                self._db.execute("insert into unneeded values (?, ?, ?, ?)", row)

    def _bury(self, store: Store) -> None:
        """Nothing that a deletion freed goes from a copy that does not know of the deletion."""
        try:
            if store.name not in self._keep_all:
                with self._committer.lock():
                    tombstones.catch_up(store, self._vault.copies, self._vault.buried())
        except StorageError as error:
            self._leave(store.name, str(error))

    def _leave(self, copy: str, why: str) -> None:
        self._keep_all[copy] = why
        self._db.execute("update unneeded set state = 'kept' where copy = ? and state = ''", (copy,))

    def _next_group(self) -> list[Unneeded]:
        query = "select copy, key, size from unneeded where state = '' order by copy, key limit ?"
        return [Unneeded(*row) for row in self._db.execute(query, (GROUP,))]

    def _drop(self, one: Unneeded) -> bool:
        """Remove a blob that is still neither needed nor young."""
        store = self._stores[one.copy]
        if one.copy in self._keep_all or one.key in self._marks:
            return False
        try:
            if store.written(one.key) > self._limit:
                return False
            store.drop(one.key)
        except NotFound:
            return False
        except StorageError as error:
            self._leave(one.copy, str(error))
            return False
        return True

    def _settle(self, one: Unneeded, state: str) -> None:
        self._db.execute("update unneeded set state = ? where copy = ? and key = ?", (state, one.copy, one.key))

    def _told(self, state: str) -> Swept:
        query = "select count(*), coalesce(sum(size), 0) from unneeded where state = ?"
        removed, size = self._db.execute(query, (state,)).fetchone()
        kept, _ = self._db.execute(query, ("kept",)).fetchone()
        return Swept(removed, size, kept, dict(self._keep_all), self._waits)


@contextmanager
def sweeping(committer: Committer, now: datetime, grace: timedelta) -> Iterator[Sweep]:
    """A sweep at a moment (UTC): what was written less than `grace` before it stays. Its notes are on disk, and gone
    in the end."""
    with marking(committer.vault) as (marks, db):
        yield Sweep(committer, marks, db, now, grace)


def _newest_tombstone(store: Store) -> datetime | None:
    """When the last deletion was carried out, by the copy's own clock."""
    return max((store.written(layout.tombstone_key(aip)) for aip in tombstones.buried([store])), default=None)
