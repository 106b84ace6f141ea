"""Which blobs a vault refers to, gathered from its records, manifests and ledger: in a file, and not in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from storage import layout
from storage.canonical import Json
from storage.digest import Digest
from storage.errors import StorageError
from storage.event import EVIDENCE, Event
from storage.vault import Vault


class References:
    """Keys of blobs, each once, in a new file, or in a temporary one without a name. Not for several threads."""

    def __init__(self, path: Path | None = None) -> None:
        self._db = sqlite3.connect(path or "", isolation_level=None)
        self._db.execute("pragma synchronous = off")  # it is made anew by the next run
        self._db.execute("create table blobs (key text primary key) without rowid")

    def close(self) -> None:
        self._db.close()

    def add(self, digests: Iterable[Digest]) -> None:
        """Remember blobs; nothing of it where the iterable fails midway."""
        self._db.execute("begin")
        try:
            self._db.executemany("insert or ignore into blobs values (?)", ((layout.blob_key(d),) for d in digests))
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def __contains__(self, key: str) -> bool:
        return self._db.execute("select 1 from blobs where key = ?", (key,)).fetchone() is not None

    def __iter__(self) -> Iterator[str]:
        """Every key, ascending."""
        for row in self._db.execute("select key from blobs order by key"):
            yield row[0]

    def __len__(self) -> int:
        return int(self._db.execute("select count(*) from blobs").fetchone()[0])


def gather(
    references: References, vault: Vault, buried: Container[UUID], unreadable: Callable[[StorageError], object]
) -> None:
    """Remember every blob of every version in any copy (but of AIPs that were deleted), and those that entries name.

    `unreadable` hears of each record, manifest or entry that no copy has whole; what it names is not known then.
    """
    for aip, version in vault.versions():
        if aip not in buried:
            try:
                references.add(line.digest for line in vault.bag(vault.record(aip, version)))
            except StorageError as error:
                unreadable(error)
    try:
        for _, _, event in vault.ledger.read():
            references.add(evidence(event))
    except StorageError as error:
        unreadable(error)


def evidence(event: Event) -> Iterator[Digest]:
    """The blobs that are kept with an entry."""
    for name in EVIDENCE:
        with suppress(ValueError):
            yield Digest.parse(str(event.detail.get(name)))


def named(event: Event) -> Iterator[Digest]:
    """Every SHA-256 in an entry's detail: some name blobs, which are kept with the entry; some name other things."""
    return _digests(event.detail)


def _digests(value: Json) -> Iterator[Digest]:
    if isinstance(value, str):
        if value.startswith("sha256:"):
            with suppress(ValueError):  # somebody's words, which begin so
                yield Digest.parse(value)
    elif isinstance(value, dict):
        for member in value.values():
            yield from _digests(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _digests(member)
