"""Whether a delivery can fit into the first copy at all: asked before a byte of it is copied.

Files of different lengths are different blobs, and a file whose length no file in the copy has is not held there. So
what is to be read needs at least its lengths, each counted once and without those that lie there. Nothing is asked for
another copy: one that is full is behind, and the delivery is accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from ingest.worklist import Worklist
from storage import layout
from storage.capacity import WHOLE, lengths, most_free
from storage.errors import WillNotFit
from storage.local import Local
from storage.store import Store

MANY = 100_000  # lengths that are remembered, the largest: fewer are a bound too, and memory has one


def check_fits(first: Store, worklist: Worklist, heed: Callable[[], None]) -> None:
    """Raise WillNotFit where the files that are to be read yet cannot all be kept in this copy, whatever is in them.

    Does nothing where its disk cannot say what is free. `heed` is called for each folder that is looked into.
    """
    if not isinstance(first, Local):
        return
    try:
        free = most_free(first.root)
        if free is None or worklist.totals()[1] <= free:
            return
        needed = _needed(first, set(worklist.lengths(WHOLE, MANY)), free, heed)
    except OSError:  # what cannot be looked at may be what is to come
        return
    if needed > free:
        raise WillNotFit(str(first.root), needed, free)


def _needed(first: Local, missing: set[int], free: int, heed: Callable[[], None]) -> int:
    """The bytes that are needed at the least, or some number that fits. Runs at work are asked first: what has got its
    name meanwhile is found among the blobs."""
    needed = sum(missing)
    for there in chain(lengths(first.scratch), lengths(first.root / layout.BLOBS)):
        if needed <= free:
            break
        heed()
        needed -= sum(missing & there)
        missing -= there
    return needed
