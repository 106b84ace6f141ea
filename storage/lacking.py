"""What one copy lacks of what others have, by their listings: both sides ascend, so that neither is held in memory."""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from storage import bundle, layout
from storage.errors import Unreachable
from storage.store import Lists

K = TypeVar("K", str, tuple[str, str])


def lacking(target: Lists, others: Sequence[Lists], prefix: str) -> Iterator[str]:
    """Yield the keys under a prefix that some other copy has and the target has not, ascending.

    Copies that do not answer have no say, the target must; raise Unreachable for it.
    """
    there = (key for key, _ in groupby(heapq.merge(*(_answered(store, prefix) for store in others))))
    return missing(target.listing(prefix), there)


def missing(has: Iterable[K], wanted: Iterable[K]) -> Iterator[K]:
    """Yield what is wanted and not had; both ascend."""
    had = iter(has)
    upcoming = next(had, None)
    for key in wanted:
        while upcoming is not None and upcoming < key:
            upcoming = next(had, None)
        if key != upcoming:
            yield key


def records(target: Lists, others: Sequence[Lists], buried: Container[UUID]) -> Iterator[tuple[UUID, int]]:
    """Yield AIP and version of the records that the target lacks, of AIPs that were not deleted."""
    for key in lacking(target, others, layout.AIPS):
        if (name := layout.record_name(key)) and name[0] not in buried:
            yield name


def bundles(target: Lists, others: Sequence[Lists]) -> Iterator[int]:
    """Yield the numbers of the ledger's full bundles that the target lacks."""
    for key in lacking(target, others, bundle.PREFIX):
        if (place := bundle.parse_key(key)) and place[1] == bundle.WIDTH:
            yield place[0]


def _answered(store: Lists, prefix: str) -> Iterator[str]:
    try:
        yield from store.listing(prefix)
    except Unreachable:
        return
