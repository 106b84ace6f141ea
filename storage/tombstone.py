"""Tombstones: what was deleted, why and by whom, for ever in every copy."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from storage import layout
from storage.errors import StorageError
from storage.store import Opens, Store


def buried(copies: Sequence[Store]) -> frozenset[UUID]:
    """The AIPs with a tombstone in any copy that answers."""
    found: set[UUID] = set()
    for store in copies:
        with suppress(StorageError):
            found.update(aip for key in store.listing(layout.TOMBSTONES) if (aip := layout.tombstone_name(key)))
    return frozenset(found)


def is_buried(copies: Sequence[Opens], aip: UUID) -> bool:
    """Whether any copy that answers has a tombstone of an AIP."""
    return any(_has(store, layout.tombstone_key(aip)) for store in copies)


def _has(store: Opens, key: str) -> bool:
    try:
        return store.size(key) > 0
    except StorageError:
        return False
