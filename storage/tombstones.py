"""Tombstones in the copies: which AIPs have one, what it says, and bringing a copy to where the others are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from uuid import UUID

from storage import layout
from storage.away import has
from storage.durable import told
from storage.errors import BrokenRecord, NotFound, StorageError, Unreachable
from storage.store import Lists, Opens, Store
from storage.tombstone import Tombstone, parse_tombstone


def buried(copies: Iterable[Lists]) -> frozenset[UUID]:
    """The AIPs with a tombstone, whole or not, in any copy that answers."""
    found: set[UUID] = set()
    for store in copies:
        with suppress(StorageError):
            found.update(_listed(store))
    return frozenset(found)


def is_buried(copies: Iterable[Opens], aip: UUID) -> bool:
    """Whether any copy that answers has a tombstone of an AIP, whole or not."""
    return any(has(store, layout.tombstone_key(aip)) for store in copies)


def find(copies: Iterable[Opens], aip: UUID) -> Tombstone | None:
    """An AIP's tombstone, from the first copy that has it whole; None where no copy that answers has one.

    Raises BrokenRecord where there is one, and no copy has it whole.
    """
    broken: BrokenRecord | None = None
    for store in copies:
        try:
            return read(store, aip)
        except (NotFound, Unreachable):
            continue
        except BrokenRecord as error:
            broken = broken or error
    if broken:
        raise broken
    return None


def read(store: Opens, aip: UUID) -> Tombstone:
    """An AIP's tombstone in one copy; raise NotFound, Unreachable or BrokenRecord."""
    key = layout.tombstone_key(aip)
    with told(store.name), store.open(key) as stream:
        return parse_tombstone(stream.read(), key)


def lay(store: Store, tombstone: Tombstone) -> None:
    """Put a tombstone into a copy, durable on return, whatever was there."""
    store.replace(layout.tombstone_key(tombstone.uuid), tombstone.to_bytes())


def clear(store: Store, aip: UUID) -> None:
    """Remove a deleted AIP's records from a copy, the newest first. Its tombstone is there."""
    for key in sorted(store.listing(layout.aip_prefix(aip)), key=lambda key: (len(key), key), reverse=True):
        if layout.record_name(key):
            with suppress(NotFound):  # another process has done so
                store.drop(key)


def catch_up(store: Store, copies: Sequence[Store], dead: Set[UUID]) -> list[Tombstone]:
    """Bring to a copy the tombstones of deleted AIPs (`dead`) that it lacks, then remove from it their records.

    Return those that it lacked. What no copy has whole is left for a repair. Call under the commit lock. Raises
    StorageError where the copy does not take part.
    """
    here = frozenset(_listed(store))
    brought = []
    for aip in sorted(dead - here):
        with suppress(BrokenRecord):
            if tombstone := find(copies, aip):
                lay(store, tombstone)
                brought.append(tombstone)
    for aip in () if store.keeps_all else _half_buried(store, dead):
        read(store, aip)  # its records go only where its tombstone is whole
        clear(store, aip)
    return brought


def _listed(store: Lists) -> Iterator[UUID]:
    return (aip for key in store.listing(layout.TOMBSTONES) if (aip := layout.tombstone_name(key)))


def _half_buried(store: Lists, dead: Set[UUID]) -> Iterator[UUID]:
    """Yield the deleted AIPs of which a copy has both a tombstone and a record."""
    dead = frozenset(_listed(store)) & dead
    under = (name[0] for key in store.listing(layout.AIPS) if (name := layout.record_name(key)))
    yield from dict.fromkeys(aip for aip in under if aip in dead)
