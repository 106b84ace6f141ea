"""The ledger: every event of the repository, appended durably under `log/` and never changed.

One writer, under the commit lock, in the first copy; the other copies follow. It lies there as C2SP tlog-tiles wants
it: entries in bundles, the tiles of the Merkle tree over them, and a checkpoint, which `storage.scribe` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from storage import bundle, layout, merkle, tiles, tree
from storage.checkpoint import Checkpoint, parse_checkpoint
from storage.durable import told
from storage.errors import (
    Damaged,
    Diverged,
    HistoryChanged,
    LagsBehind,
    NotFound,
    StorageError,
    Unreachable,
    Unsigned,
)
from storage.event import Event, parse_event
from storage.store import Store
from storage.tiles import Edge
from storage.tree import Tree

_ROT = 4  # bytes


class Grown(NamedTuple):
    """What came of adding entries: the number of the first, how many there are now, and the root over all."""

    first: int
    size: int
    root: bytes


Vouched = Callable[[Store, int], int]
"""How many of the entries that a copy has are to be believed."""
Signed = Callable[[Store], int | None]
"""How many entries a copy's own checkpoint covers; None where it has none that counts."""


def _all(store: Store, count: int) -> int:
    return count


def _nobody_knows(store: Store) -> int | None:
    return None


def _unannounced(first: int, leaves: Sequence[bytes]) -> None: ...


class Ledger:
    """The entries, numbered from 0: written to the first of the copies, read from the first that has them whole."""

    def __init__(self, store: Store, *others: Store) -> None:
        self.store = store
        self._stores = (store, *others)
        self.vouched: Vouched = _all  # others are not believed: anybody who can write to a copy can put some there
        self.signed: Signed = _nobody_knows  # what a checkpoint covers is a history, whoever else lacks it

    def size(self) -> int:
        """How many entries there are in the copy that has most; raise Unreachable where the first does not answer."""
        number, width = self._last()
        return number * bundle.WIDTH + width

    def size_of_bundles(self) -> int:
        """How many entries there are in this copy, believed or not; what is no bundle has none."""
        number, width = _last_in(self.store)
        return number * bundle.WIDTH + width if width and _is_bundle(self.store, number, width) else 0

    def alone(self, store: Store, *others: Store) -> Ledger:
        """That of one copy, or some, of which the same is believed."""
        found = Ledger(store, *others)
        found.vouched, found.signed = self.vouched, self.signed
        return found

    def last_key(self) -> str:
        """The key of the right-most bundle, "" where it is empty."""
        number, width = self._last()
        return bundle.bundle_key(number, width) if width else ""

    def append(self, events: Sequence[Event]) -> int:
        """Add events in their order, durable on return; return the number of the first. Call under the lock."""
        return self.add(events).first

    def add(
        self,
        events: Sequence[Event],
        trusted: Checkpoint | None = None,
        announce: Callable[[int, Sequence[bytes]], object] = _unannounced,
    ) -> Grown:
        """Add events in their order: bundles, then tiles, durable on return. Call under the lock.

        The tree goes on from what `trusted` says, raising HistoryChanged where nothing in any copy agrees with it;
        without it, from the tiles that are there. Before anything is written `announce` is given the number of the
        first and their hashes. An append whose bundle overflows may be cut by a crash between two bundles: the earlier
        ones then stand and the later do not, as if it had been called twice.
        """
        number, width = self._last()
        first = number * bundle.WIDTH + width
        edge, before = self._edge(first, trusted)
        since, row = edge.size, [merkle.leaf(entry) for entry in before]
        entries = [event.to_bytes() for event in events]
        leaves = [merkle.leaf(entry) for entry in entries]
        if row and not width:
            self.renew()  # it is full, and whoever wrote it may have been killed before it was durable
        if entries:
            announce(first, leaves)
            last = self._right(number, [*edge.last_row(), *row][-width:]) if width else []
            self._bundles(number, width, [*last, *entries])
        tree.write(self.store, tiles.grown(edge, [*row, *leaves]), since, first)
        return Grown(first, edge.size, edge.root())

    def _bundles(self, number: int, width: int, entries: Sequence[bytes]) -> None:
        for key, data in bundle.bundles(number, entries):
            self.store.create(key, data)
        if width:
            with suppress(StorageError):  # the narrower one does no harm
                self.store.drop(bundle.bundle_key(number, width))

    def _edge(self, size: int, trusted: Checkpoint | None) -> tuple[Edge, list[bytes]]:
        """The tree's right edge where it is known to be right, and the entries from there on."""
        if trusted is None:
            edge = self._edge_at(size)
            return edge, [raw for _, raw, _ in self.read(edge.size, size)]
        edge = self.prove(trusted)
        return edge, [raw for _, raw, _ in self.read(trusted.size, size)]

    def prove(self, trusted: Checkpoint) -> Edge:
        """The tree's right edge at a checkpoint: by tiles or else by entries; raise HistoryChanged where neither has
        its root, and StorageError where the entries cannot be read."""
        with suppress(StorageError):
            if (edge := self._tree().edge(trusted.size)).root() == trusted.root:
                return edge
        if (edge := Tree([], self._entries).edge(trusted.size)).root() == trusted.root:
            return edge
        raise HistoryChanged(f"its first {trusted.size} entries are not those of its newest checkpoint")

    def _plausible(self, size: int) -> Edge:
        """By tiles that nothing vouches for, but the entries below the last of them; raise StorageError."""
        tiled = [row for tile in tiles.partial(size) for row in tree.read_tile(self.store, tile)]
        number, width = divmod(size, bundle.WIDTH)
        entries = self._entries(number, width) if width else []
        if [merkle.leaf(entry) for entry in entries] != tiled[:width]:
            raise Damaged(f"The ledger's tiles in {self.store.name}")
        return Tree([self.store], self._entries).edge(size)

    def _right(self, number: int, leaves: Sequence[bytes]) -> list[bytes]:
        """The entries of a bundle that have these hashes, from the first copy where they do."""
        for store in self._stores:
            with suppress(StorageError):
                entries = _read(store, number, len(leaves))
                if all(merkle.leaf(entry) == leaf for entry, leaf in zip(entries, leaves, strict=True)):
                    return entries
        raise Damaged(f"The ledger's bundle {number} in every copy")

    def nodes(self) -> merkle.Nodes:
        """The hashes of the tree, from tiles; what is read may be damaged: a proof that is made of it has to be
        checked."""
        return Tree(self._stores, self._entries).nodes

    def checkpoint(self) -> bytes | None:
        """The newest signed one, as it lies in the first copy that has one; no signature is checked."""
        for store in self._stores:
            with suppress(StorageError):
                return _checkpoint(store)[0]
        return None

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes, Event]]:
        """Yield number, bytes and event of the entries from `start`, in order; raise Damaged."""
        stop = self.size() if stop is None else stop
        for number in range(start // bundle.WIDTH, -(-stop // bundle.WIDTH)):
            first = number * bundle.WIDTH
            for offset, data in enumerate(self._entries(number, min(bundle.WIDTH, stop - first))):
                if start <= first + offset < stop:
                    yield first + offset, data, _parsed(first + offset, data)

    def follow(self, leader: Ledger, most: int = 2**53) -> None:
        """Take over what the leader has after our last entry, durable on return. Call under the lock.

        Raises Diverged where our last entries are not the leader's, and LagsBehind where more than `most` are missing:
        then nothing is written.
        """
        number, width = self._last()
        last, last_width = leader._last()
        if (last - number) * bundle.WIDTH + last_width - width > most:
            raise LagsBehind(self.store.name)
        self.check_same(leader)
        if (number, width) < (last, last_width):
            self._take_over(leader, (number, width), (last, last_width))
        self._seal(leader, number * bundle.WIDTH + width)

    def _take_over(self, leader: Ledger, here: tuple[int, int], there: tuple[int, int]) -> None:
        (number, width), (last, last_width) = here, there
        for missing in range(number, last + 1):
            wanted = last_width if missing == last else bundle.WIDTH
            if wanted and (missing, wanted) != (number, width):
                entries = leader._entries(missing, wanted)
                self.store.replace(bundle.bundle_key(missing, wanted), bundle.encode(entries))
        if width:
            with suppress(StorageError):
                self.store.drop(bundle.bundle_key(number, width))

    def _seal(self, leader: Ledger, before: int) -> None:
        """Tiles, then the leader's checkpoint, where it is of what we have; raise Damaged where it is not."""
        size, sealed, newest = self.size(), *_checkpoint_if_any(leader.store)
        mine, covered = _checkpoint_if_any(self.store)
        if (same := mine == sealed) and size == before and self._edge_at(before).size == size:
            return
        if newest and covered and newest.size < covered.size <= size:
            return  # the leader is the one that is behind
        sure = before
        if newest and not same and (not covered or covered.size < before):  # the rest may never have become durable
            self.renew()
            sure = covered.size if covered else 0
        edge = self._edge_at(sure)
        root = self._grow(edge, size, before)
        if newest is None or same or newest.size > size:
            return
        if newest.size == size and root != newest.root:  # by a tile that was damaged, or else by an entry
            root = self._grow(Edge(), size, before)
        if newest.root != (root if newest.size == size else self._tree().root(newest.size)):
            raise Damaged(f"The ledger in {self.store.name}")
        self.store.replace(layout.CHECKPOINT, sealed)

    def _edge_at(self, size: int) -> Edge:
        """The right edge by our tiles, where they can be right; else that of nothing at all."""
        with suppress(StorageError):
            return self._plausible(size)
        return Edge()

    def _grow(self, edge: Edge, size: int, before: int) -> bytes:
        """Write the tiles that entries beyond the edge make, in place of those of `before`; return the root."""
        since, row = edge.size, [merkle.leaf(raw) for _, raw, _ in self.read(edge.size, size)]
        tree.write(self.store, tiles.grown(edge, row), since, before)
        return edge.root()

    def complete(self) -> int:
        """Make the tiles that this copy lacks, from its entries; return how many. Call under the lock."""
        return tree.complete(self.store, self._tree(), self.size())

    def _tree(self) -> Tree:
        return Tree([self.store], self._entries)

    def fill(self, leader: Ledger, number: int) -> None:
        """Take over one full bundle."""
        self.store.replace(bundle.bundle_key(number), bundle.encode(leader._entries(number, bundle.WIDTH)))

    def check_same(self, leader: Ledger) -> None:
        """Raise Diverged unless one ledger goes on where the other ends: two histories are for a person. Entries that
        no checkpoint of their copy covers are no history: raise Unsigned where they are others than the leader's."""
        if common := min(self.size(), leader.size()):
            number, width = divmod(common - 1, bundle.WIDTH)
            ours = self._if_readable(number, width + 1)
            if _are_forked(ours, leader._if_readable(number, width + 1)):
                signed = leader.signed(self.store)
                if signed is None or self._is_forked_within(leader, min(common, signed)):
                    raise Diverged(self.store.name)
                raise Unsigned(self.store.name)

    def _is_forked_within(self, leader: Ledger, common: int) -> bool:
        number, width = divmod(common - 1, bundle.WIDTH)
        return bool(common) and _are_forked(
            self._if_readable(number, width + 1), leader._if_readable(number, width + 1)
        )

    def is_forked_from(self, leader: Ledger) -> bool:
        """Whether `check_same` says so; a ledger that cannot be asked says nothing."""
        try:
            self.check_same(leader)
        except Diverged:
            return True
        except StorageError:
            return False
        return False

    def _if_readable(self, number: int, width: int) -> list[bytes]:
        try:
            return self._entries(number, width)
        except StorageError:
            return []  # what is damaged is no other history

    def renew(self) -> None:
        """Write the right-most bundle of this copy again: its writer may have been killed before it was durable."""
        number, width = _last_in(self.store)
        if width:
            entries = _read(self.store, number, width)
            self.store.replace(bundle.bundle_key(number, width), bundle.encode(entries))

    def _last(self) -> tuple[int, int]:
        """The right-most bundle's number and width; a full one counts as the next, empty one.

        A first copy that lost its log is told by the others; a copy that is away, or has another history, has no say.
        """
        number, width = mine = self._believed(self.store, (0, 0))
        for store in self._stores[1:]:
            with suppress(Unreachable):
                theirs = self._believed(store, (number, width))
                if theirs > (number, width) and self._is_continued_by(store, mine):
                    number, width = theirs
        return (number + 1, 0) if width == bundle.WIDTH else (number, width)

    def _believed(self, store: Store, least: tuple[int, int]) -> tuple[int, int]:
        """A copy's right-most bundle, so far as somebody vouches for it."""
        number, width = last = _last_in(store)
        if last <= least:
            return last
        count = self.vouched(store, number * bundle.WIDTH + width)
        return ((count - 1) // bundle.WIDTH, (count - 1) % bundle.WIDTH + 1) if count else (0, 0)

    def _is_continued_by(self, store: Store, mine: tuple[int, int]) -> bool:
        """Whether a copy that has more has what we have, too. If not, it was written to without us, and has no say."""
        if not mine[1]:
            return True
        return not _are_forked(Ledger(store)._if_readable(*mine), Ledger(self.store)._if_readable(*mine))

    def _entries(self, number: int, width: int) -> list[bytes]:
        """The first `width` entries of a bundle, from the first copy that has them whole."""
        errors: list[StorageError] = []
        for store in self._stores:
            try:
                return _read(store, number, width)
            except StorageError as error:
                errors.append(error)
        raise errors[0]


def _are_forked(ours: Sequence[bytes], theirs: Sequence[bytes]) -> bool:
    """Whether two bundles tell of different histories: all their entries differ from some point on. Where that is the
    last one alone, it may be damaged: but rot that leaves an entry an entry changes a few bytes, and not its length."""
    differ = [mine != other for mine, other in zip(ours, theirs, strict=False)]
    if True not in differ or not all(differ[differ.index(True) :]):
        return False
    return sum(differ) > 1 or not _may_be_rot(ours[len(differ) - 1], theirs[len(differ) - 1])


def _may_be_rot(entry: bytes, other: bytes) -> bool:
    return len(entry) == len(other) and sum(a != b for a, b in zip(entry, other, strict=True)) <= _ROT


def _last_in(store: Store) -> tuple[int, int]:
    """Number and width of a copy's right-most bundle.

    A file that is no bundle, and stands where none can be (after a gap, or beside one that is), is somebody's stray;
    one that stands in its place is damage, and is told when it is read.
    """
    places = {place for key in store.listing(bundle.PREFIX) if (place := bundle.parse_key(key))}
    for number, width in sorted(places, reverse=True):
        follows = not number or (number - 1, bundle.WIDTH) in places
        beside = any(other == number and narrower < width for other, narrower in places)
        if (follows and not beside) or _is_bundle(store, number, width):
            return number, width
    return 0, 0


def _is_bundle(store: Store, number: int, width: int) -> bool:
    try:
        with told(store.name), store.open(bundle.bundle_key(number, width)) as stream:
            return len(bundle.decode(stream.read())) == width
    except (StorageError, ValueError):
        return False


def _read(store: Store, number: int, width: int) -> list[bytes]:
    """The first `width` entries of a bundle in one copy, from the narrowest file that has them."""
    for candidate in range(width, bundle.WIDTH + 1):
        with suppress(NotFound), told(store.name), store.open(bundle.bundle_key(number, candidate)) as stream:
            return _decoded(store.name, number, stream.read(), width)
    raise NotFound(bundle.bundle_key(number, width), store.name)


def _decoded(copy: str, number: int, data: bytes, width: int) -> list[bytes]:
    """A bundle's entries; raise Damaged where it is cut, or where one is not an entry."""
    try:
        entries = bundle.decode(data)
        for entry in entries:
            parse_event(entry)
    except ValueError as error:
        raise Damaged(f"The ledger's bundle {number} in {copy}") from error
    if len(entries) < width:
        raise Damaged(f"The ledger's bundle {number} in {copy}")
    return entries[:width]


def _parsed(number: int, data: bytes) -> Event:
    try:
        return parse_event(data)
    except ValueError as error:
        raise Damaged(f"Entry {number} of the ledger") from error


def _checkpoint_if_any(store: Store) -> tuple[bytes, Checkpoint | None]:
    try:
        return _checkpoint(store)
    except StorageError:
        return b"", None


def _checkpoint(store: Store) -> tuple[bytes, Checkpoint]:
    """A copy's checkpoint, as it is and read; raise NotFound, Unreachable or Damaged."""
    data = read_checkpoint(store)
    try:
        return data, parse_checkpoint(data)[0]
    except ValueError as error:
        raise Damaged(f"{layout.CHECKPOINT} in {store.name}") from error


def read_checkpoint(store: Store) -> bytes:
    """A copy's checkpoint as it is; raise NotFound or Unreachable."""
    with told(store.name), store.open(layout.CHECKPOINT) as stream:
        return stream.read()
