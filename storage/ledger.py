"""The ledger: every event of the repository, appended durably under `log/` and never changed.

One writer, under the commit lock, in the first copy; the other copies follow. Entries lie where C2SP tlog-tiles wants
them, so that tiles and checkpoints can come behind these same verbs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from storage import bundle
from storage.durable import told
from storage.errors import Damaged, Diverged, LagsBehind, NotFound, StorageError, Unreachable
from storage.event import Event, parse_event
from storage.store import Store

_ROT = 4  # bytes


class Ledger:
    """The entries, numbered from 0: written to the first of the copies, read from the first that has them whole."""

    def __init__(self, store: Store, *others: Store) -> None:
        self.store = store
        self._stores = (store, *others)

    def size(self) -> int:
        """How many entries there are in the copy that has most; raise Unreachable where the first does not answer."""
        number, width = self._last()
        return number * bundle.WIDTH + width

    def last_key(self) -> str:
        """The key of the right-most bundle, "" where it is empty."""
        number, width = self._last()
        return bundle.bundle_key(number, width) if width else ""

    def append(self, events: Sequence[Event]) -> int:
        """Add events in their order, durable on return; return the number of the first. Call under the lock.

        An append of several events whose bundle overflows may be cut by a crash between two bundles: the earlier
        ones then stand and the later do not, as if it had been called twice.
        """
        number, width = self._last()
        before = self._entries(number, width) if width else []
        for key, data in bundle.bundles(number, [*before, *(event.to_bytes() for event in events)]):
            self.store.create(key, data)
        if width:
            with suppress(StorageError):  # the narrower one does no harm
                self.store.drop(bundle.bundle_key(number, width))
        return number * bundle.WIDTH + width

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
        if (number, width) >= (last, last_width):
            return
        for missing in range(number, last + 1):
            wanted = last_width if missing == last else bundle.WIDTH
            if wanted and (missing, wanted) != (number, width):
                entries = leader._entries(missing, wanted)
                self.store.replace(bundle.bundle_key(missing, wanted), bundle.encode(entries))
        if width and (number, width) != (last, last_width):
            with suppress(StorageError):
                self.store.drop(bundle.bundle_key(number, width))

    def fill(self, leader: Ledger, number: int) -> None:
        """Take over one full bundle."""
        self.store.replace(bundle.bundle_key(number), bundle.encode(leader._entries(number, bundle.WIDTH)))

    def check_same(self, leader: Ledger) -> None:
        """Raise Diverged unless one ledger goes on where the other ends: two histories are for a person."""
        if common := min(self.size(), leader.size()):
            number, width = divmod(common - 1, bundle.WIDTH)
            if _are_forked(self._if_readable(number, width + 1), leader._if_readable(number, width + 1)):
                raise Diverged(self.store.name)

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
        number, width = mine = _last_in(self.store)
        for store in self._stores[1:]:
            with suppress(Unreachable):
                if (theirs := _last_in(store)) > (number, width) and self._is_continued_by(store, mine):
                    number, width = theirs
        return (number + 1, 0) if width == bundle.WIDTH else (number, width)

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
