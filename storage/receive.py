"""The one verified door: every blob comes in here, hashed as it is written, into every copy at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO, NamedTuple, Protocol

from storage.digest import Digest, Hashing
from storage.errors import Damaged, NotFound, StorageError, Unreachable
from storage.layout import blob_key
from storage.store import CHUNK, Incoming, Opens, Pending, Store


class Holds(Protocol):
    """Which blobs count as held; anything else under a blob's name is written again."""

    def holds(self, copy: Opens, digest: Digest) -> bool:
        """Whether a committed record that this copy has refers to the blob, and its last reading there was not bad."""


class HoldsNothing:
    """Every blob is written, whatever lies under its name."""

    def holds(self, copy: Opens, digest: Digest) -> bool:
        return False


class Waiting(NamedTuple):
    """What of a blob waits to be made durable: `pending` is (copy, what is to be placed there) for each copy that did
    not hold it yet; `behind` names the copies that could not take it."""

    size: int
    pending: tuple[tuple[str, Pending], ...]
    behind: tuple[str, ...]


class Received(NamedTuple):
    """A blob that came in. `digests` begins with its SHA-256, its name; `pending` and `behind` as in `Waiting`."""

    size: int
    digests: tuple[Digest, ...]
    pending: tuple[tuple[str, Pending], ...] = ()
    behind: tuple[str, ...] = ()

    @property
    def digest(self) -> Digest:
        return self.digests[0]

    @property
    def waiting(self) -> Waiting:
        return Waiting(self.size, self.pending, self.behind)

    def new_in(self, copy: str) -> bool:
        return any(name == copy for name, _ in self.pending)


def joined(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Many small pieces, none of them empty, as few larger ones."""
    remaining = iter(parts)
    while some := b"".join(islice(remaining, 1_024)):
        yield some


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's bytes, CHUNK at a time."""
    while data := stream.read(CHUNK):
        yield data


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of a raw stream, which has no buffer of its own."""
    rest = b""
    for data in chunks(stream):
        *whole, rest = (rest + data).split(b"\n")
        yield from whole
    if rest:
        yield rest


def receive(
    stores: Sequence[Store],
    run: str,
    parts: Iterable[bytes],
    *,
    holds: Holds,
    algorithms: tuple[str, ...] = ("sha256",),
    claimed: Digest | None = None,
) -> Received:
    """Take in one blob: hash it and write it to the scratch space of every copy that does not hold it.

    The first store must take it; another that cannot is told in `behind`. What a copy holds is read and compared
    before it is relied on. Raises Damaged and keeps nothing when the bytes are not the claimed ones.
    """
    iterator = iter(parts)
    first, second = next(iterator, b""), next(iterator, None)
    if second is None:
        return receive_whole(stores, run, first, holds=holds, algorithms=algorithms, claimed=claimed)
    hashing = Hashing(algorithms)
    door = _Door(stores, run)
    try:
        for part in chain((first, second), iterator):
            hashing.feed(part)
            door.write(part)
        digests = hashing.digests()
        _check(digests[0], claimed)
        door.leave_out(store for store in stores if _held(store, digests[0], holds))
        return Received(hashing.size, digests, door.finish(blob_key(digests[0])), tuple(door.behind))
    except BaseException:
        door.abandon()
        raise


def receive_whole(
    stores: Sequence[Store],
    run: str,
    data: bytes,
    *,
    holds: Holds,
    algorithms: tuple[str, ...] = ("sha256",),
    claimed: Digest | None = None,
) -> Received:
    """`receive` of a blob that is in hand: its name is known before a byte is written."""
    digests = Hashing(algorithms).feed_all((data,)).digests()
    _check(digests[0], claimed)
    key, pending, behind = blob_key(digests[0]), [], []
    for store in stores:
        try:
            if not _held(store, digests[0], holds):
                pending.append((store.name, _written(store, run, key, data)))
        except StorageError:
            if store is stores[0]:
                raise
            behind.append(store.name)
    return Received(len(data), digests, tuple(pending), tuple(behind))


def _written(store: Store, run: str, key: str, data: bytes) -> Pending:
    incoming = store.incoming(run)
    try:
        incoming.write(data)
        return incoming.finish(key)
    except BaseException:  # an interrupt, too, leaves nothing
        incoming.abandon()
        raise


def _check(digest: Digest, claimed: Digest | None) -> None:
    if claimed not in (None, digest):
        raise Damaged("What arrived", claimed, digest)


def _held(store: Store, digest: Digest, holds: Holds) -> bool:
    """Whether the copy holds the blob and its bytes, read at this moment, are the right ones."""
    return holds.holds(store, digest) and reads_as(store, digest)


def reads_as(store: Opens, digest: Digest) -> bool:
    """Whether what lies under a blob's key has its digest; False where it is missing or cannot be read."""
    try:
        with store.open(blob_key(digest)) as stream:
            return Hashing((digest.algorithm,)).feed_all(chunks(stream)).digest() == digest
    except (NotFound, Unreachable, OSError):
        return False


class _Door:
    """The copies that one blob is being written to, opened at its first byte."""

    def __init__(self, stores: Sequence[Store], run: str) -> None:
        self._waiting = {store.name: store for store in stores}
        self._required = stores[0].name if stores else ""
        self._run = run
        self._open: dict[str, Incoming] = {}
        self.behind: list[str] = []

    def leave_out(self, stores: Iterable[Store]) -> None:
        for store in stores:
            self._waiting.pop(store.name, None)
            if incoming := self._open.pop(store.name, None):
                incoming.abandon()

    def write(self, data: bytes) -> None:
        for name in [*self._open, *self._waiting]:
            try:
                if name not in self._open:
                    self._open[name] = self._waiting[name].incoming(self._run)
                    del self._waiting[name]
                self._open[name].write(data)
            except StorageError:
                if name == self._required:
                    raise
                self._give_up(name)

    def finish(self, key: str) -> tuple[tuple[str, Pending], ...]:
        pending = []
        for name, incoming in list(self._open.items()):
            try:
                pending.append((name, incoming.finish(key)))
            except StorageError:
                if name == self._required:
                    raise
                self._give_up(name)
        return tuple(pending)

    def abandon(self) -> None:
        for incoming in self._open.values():
            incoming.abandon()

    def _give_up(self, name: str) -> None:
        self._waiting.pop(name, None)
        if incoming := self._open.pop(name, None):
            incoming.abandon()
        self.behind.append(name)
