"""The ledger: every event of the repository, appended durably under `log/` and never changed.

One writer, under the commit lock, in the first copy; the other copies follow. The fixity issue adds the Merkle tiles
and checkpoints behind these same verbs: the entries already lie where C2SP tlog-tiles wants them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from storage import bundle
from storage.errors import Damaged, NotFound
from storage.event import Event, parse_event
from storage.store import Store


class Ledger:
    """The entries in one copy, numbered from 0."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def size(self) -> int:
        """How many entries there are; raise Unreachable."""
        number, width = self._last()
        return number * bundle.WIDTH + width

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
            with suppress(NotFound):
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

    def follow(self, leader: Ledger) -> None:
        """Take over what the leader has and this copy lacks, durable on return. Call under the lock."""
        number, width = self._last()
        last, last_width = leader._last()
        for missing in range(number, last + 1):
            wanted = last_width if missing == last else bundle.WIDTH
            if wanted and (missing, wanted) != (number, width):
                entries = leader._entries(missing, wanted)
                self.store.replace(bundle.bundle_key(missing, wanted), bundle.encode(entries))
        if width and (number, width) != (last, last_width):
            self.store.drop(bundle.bundle_key(number, width))

    def _last(self) -> tuple[int, int]:
        """The right-most bundle's number and width; a full one counts as the next, empty one."""
        found = [place for key in self.store.listing(bundle.PREFIX) if (place := bundle.parse_key(key))]
        number, width = max(found, default=(0, 0))
        return (number + 1, 0) if width == bundle.WIDTH else (number, width)

    def _entries(self, number: int, width: int) -> list[bytes]:
        """The first `width` entries of a bundle, from the narrowest file that has them."""
        for candidate in range(width, bundle.WIDTH + 1):
            with suppress(NotFound), self.store.open(bundle.bundle_key(number, candidate)) as stream:
                return self._decoded(number, stream.read(), width)
        raise NotFound(bundle.bundle_key(number, width), self.store.name)

    def _decoded(self, number: int, data: bytes, width: int) -> list[bytes]:
        try:
            entries = bundle.decode(data)
        except ValueError as error:
            raise Damaged(f"The ledger's bundle {number} in {self.store.name}") from error
        if len(entries) < width:
            raise Damaged(f"The ledger's bundle {number} in {self.store.name}")
        return entries[:width]


def _parsed(number: int, data: bytes) -> Event:
    try:
        return parse_event(data)
    except ValueError as error:
        raise Damaged(f"Entry {number} of the ledger") from error
