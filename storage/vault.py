"""The vault: copies that hold the same blobs, bags and records. Reading takes the first copy that is good."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from io import SEEK_END
from itertools import groupby, islice
from typing import BinaryIO
from uuid import UUID

from storage import bag, layout, manifest, tombstones
from storage.aip import Record, parse_record
from storage.digest import Digest, Hashing
from storage.errors import BrokenRecord, Damaged, NotFound, StorageError, Unreachable
from storage.ledger import Ledger
from storage.manifest import Line
from storage.receive import chunks, lines
from storage.store import CHUNK, Store
from storage.tombstone import Tombstone

Told = Callable[[str, str], None]
"""Hears of what was bad on the way: a copy's name and the key."""


Required = Callable[[], Container[str] | None]
"""Names the copies that a write waits for; None for all."""


def _silent(copy: str, key: str) -> None: ...


def _all() -> None: ...


class Vault:
    """Reads records, bags and blobs. The first of the copies decides what is committed; the others follow.

    `told` hears each time that a copy was passed over because what it had was missing or bad. `required` is
    asked when something is written, and not before.
    """

    def __init__(self, copies: Sequence[Store], told: Told = _silent, required: Required = _all) -> None:
        self.copies = tuple(copies)
        self.first = self.copies[0]
        self.ledger = Ledger(*self.copies)
        self.told = told
        self._required = required

    @cached_property
    def prompt(self) -> tuple[Store, ...]:
        """The copies that a write waits for; the others are brought up to them later."""
        required = self._required()
        return tuple(s for s in self.copies if s is self.first or required is None or s.name in required)

    def tombstone(self, aip: UUID) -> Tombstone | None:
        """What stays of a deleted AIP, None of any other; raise BrokenRecord where no copy has it whole."""
        if not tombstones.is_buried(self.copies, aip) or aip in self._standing(frozenset([aip])):
            return None
        return tombstones.find(self.copies, aip)

    def buried(self) -> frozenset[UUID]:
        """The AIPs that were deleted: by a tombstone in any copy that answers, which the ledger does not belie.

        A tombstone alone deletes nothing: anybody who can write to one copy could make one. Where the ledger tells of
        the AIP's commit it has to tell of its deletion, too.
        """
        listed = tombstones.buried(self.copies)
        return listed - self._standing(listed)

    def _standing(self, aips: frozenset[UUID]) -> frozenset[UUID]:
        """Those that the ledger tells of, and not of their deletion."""
        if not aips:
            return aips
        told: dict[str, set[str]] = {"commit": set(), "deletion": set()}
        for _, _, event in self.ledger.read():
            if event.type in told:
                told[event.type].add(event.object)
        standing = told["commit"] - told["deletion"]
        return frozenset(aip for aip in aips if f"urn:uuid:{aip}" in standing)

    def records(self, aip: UUID) -> list[Record]:
        """All versions of an AIP, ascending; raise NotFound or Deleted."""
        if tombstone := self.tombstone(aip):
            raise tombstone.as_error()
        found = list(self._records(layout.aip_prefix(aip)))
        if not found:
            raise NotFound(f"AIP urn:uuid:{aip}", next_step="`tianyi list` shows what is held.")
        return sorted(found, key=lambda record: record.version)

    def all_records(self) -> Iterator[Record]:
        """Every record of an AIP without a tombstone once, in the order of its key, from the first copy that has it
        whole; if none has, left out."""
        dead = self.buried()
        for key in self._record_keys(layout.AIPS):
            name = layout.record_name(key)
            with suppress(BrokenRecord, NotFound):
                if name and name[0] not in dead:
                    yield self._record(key)

    def versions(self) -> Iterator[tuple[UUID, int]]:
        """Yield AIP and version of every record in any copy once, whole or not, in the order of its key."""
        for key in self._record_keys(layout.AIPS):
            if name := layout.record_name(key):
                yield name

    def record(self, aip: UUID, version: int, digest: Digest | None = None) -> Record:
        """One version's record, the one with that digest where one is named, and whatever a tombstone says; raise
        NotFound or BrokenRecord."""
        return self._record(layout.record_key(aip, version), digest)

    def open(self, digest: Digest) -> BinaryIO:
        """A blob's stream at its start, its bytes just read and found right; raise NotFound, Damaged, Unreachable."""
        return self.first_good(layout.blob_key(digest), lambda stream: _check(stream, digest))

    def read(self, digest: Digest) -> bytes:
        """A small blob, whole."""
        with self.open(digest) as stream:
            return stream.read()

    def size(self, digest: Digest, key: str = "") -> int:
        """The bytes of a blob, or of what else lies under `key`: what the first two copies that have it agree on, else
        those of the one that reads right; raise NotFound, Damaged or Unreachable."""
        key = key or layout.blob_key(digest)
        found = set(islice(self._sizes(key), 2))
        if len(found) == 1:
            return found.pop()
        with self.first_good(key, lambda stream: _check(stream, digest)) as stream:
            return stream.seek(0, SEEK_END)

    def _sizes(self, key: str) -> Iterator[int]:
        for store in self.copies:
            with suppress(StorageError):
                yield store.size(key)

    def first_size(self, key: str) -> int:
        """The size of what lies under a key, in the first copy that has it."""
        first_error: StorageError | None = None
        for store in self.copies:
            try:
                return store.size(key)
            except StorageError as error:
                first_error = first_error or error
        assert first_error is not None
        raise first_error

    def tag_files(self, record: Record) -> list[Line]:
        """The bag's tag files with the tag manifest itself, sorted by path; raise Damaged."""
        lines = list(manifest.parse(self.read(record.tagmanifest).splitlines(keepends=True)))
        return sorted([*lines, Line(bag.TAGMANIFEST, record.tagmanifest)])

    def payload(self, record: Record) -> Iterator[Line]:
        """Yield the payload manifest's lines, sorted by path."""
        digest = dict(self.tag_files(record))[bag.MANIFEST]
        with self.open(digest) as stream:
            yield from manifest.parse(lines(stream))

    def bag(self, record: Record) -> Iterator[Line]:
        """Yield every file of a version's bag: tag files, then payload."""
        yield from self.tag_files(record)
        yield from self.payload(record)

    def copy_out(self, digest: Digest, write: Callable[[bytes], object], restart: Callable[[], object]) -> int:
        """Hand a blob's bytes to `write` as they are read; return how many, all of them checked.

        Where they turn out bad, `restart` is called and the next copy is read; raises the first copy's error when
        none is good.
        """
        first_error: StorageError | None = None
        for store in self.copies:
            try:
                return _copied(store, digest, write)
            except StorageError as error:
                first_error = first_error or error
                self.told(store.name, layout.blob_key(digest))
                restart()
        assert first_error is not None
        raise first_error

    def first_good(self, key: str, check: Callable[[BinaryIO], None]) -> BinaryIO:
        """The first copy's stream that passes the check, at its start; raise the first copy's error if none does."""
        first_error: StorageError | None = None
        for store in self.copies:
            try:
                return _opened(store, key, check)
            except StorageError as error:
                first_error = first_error or error
                self.told(store.name, key)
        assert first_error is not None
        raise first_error

    def _records(self, prefix: str) -> Iterator[Record]:
        yield from map(self._record, self._record_keys(prefix))

    def _record_keys(self, prefix: str) -> Iterator[str]:
        listings = [self._listing(store, prefix) for store in self.copies]
        for key, _ in groupby(heapq.merge(*listings)):
            if layout.record_name(key):
                yield key

    def _listing(self, store: Store, prefix: str) -> Iterator[str]:
        try:
            yield from store.listing(prefix)
        except Unreachable:
            if len(self.copies) == 1:
                raise
            self.told(store.name, prefix)

    def _record(self, key: str, digest: Digest | None = None) -> Record:
        with self.first_good(key, lambda stream: _check_record(stream, key, digest)) as stream:
            return parse_record(stream.read(), key)


def _opened(store: Store, key: str, check: Callable[[BinaryIO], None]) -> BinaryIO:
    stream = store.open(key)
    try:
        check(stream)
        stream.seek(0)
        return stream
    except OSError as error:
        stream.close()
        raise Unreachable(f"{key} in {store.name}", error.strerror or str(error)) from error
    except BaseException:
        stream.close()
        raise


def _copied(store: Store, digest: Digest, write: Callable[[bytes], object]) -> int:
    key = layout.blob_key(digest)
    hashing = Hashing((digest.algorithm,))
    with store.open(key) as stream:
        for data in _reading(stream, f"{key} in {store.name}"):
            hashing.feed(data)
            write(data)
    if hashing.digest() != digest:
        raise Damaged(key, digest, hashing.digest())
    return hashing.size


def _reading(stream: BinaryIO, what: str) -> Iterator[bytes]:
    """The stream's bytes; errors of reading are the copy's, told apart from errors of whoever writes."""
    while True:
        try:
            data = stream.read(CHUNK)
        except OSError as error:
            raise Unreachable(what, error.strerror or str(error)) from error
        if not data:
            return
        yield data


def _check(stream: BinaryIO, digest: Digest) -> None:
    found = Hashing((digest.algorithm,)).feed_all(chunks(stream)).digest()
    if found != digest:
        raise Damaged(layout.blob_key(digest), digest, found)


def _check_record(stream: BinaryIO, key: str, digest: Digest | None) -> None:
    record = parse_record(stream.read(), key)
    if digest not in (None, record.digest):
        raise BrokenRecord(key, "it is another than the ledger tells of")
    if layout.record_name(key) != (record.uuid, record.version):
        raise BrokenRecord(key, f"it is about version {record.version} of {record.aip}")
