"""Rounds: reading a copy, or a part of it, piece by piece, so that what is cut short goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Literal

from fixity.audit import (
    AS_ALWAYS,
    CHUNK_BYTES,
    CHUNK_KEYS,
    Audit,
    Expected,
    How,
    Piece,
    check,
    check_all,
    piece,
)
from fixity.outcome import Missing, Unreadable
from fixity.pace import UNHURRIED, Pace
from fixity.reading import END, START
from storage.away import why_away
from storage.parallel import AHEAD, in_order
from storage.portions import cut
from storage.progress import SILENT, Progress
from storage.store import Opens, Store

Scope = Literal["full", "due", "new", "collection", "sample", "restored"]
Keys = Callable[[str], Iterator[Expected]]
"""What is to be read above a key, ascending."""
_PAGE = 2_000  # keys fetched at a time: no question to the catalogue stays open while we read
_PACED_KEYS, _PACED_BYTES = 50, 16 << 20  # a piece where reading is slow, so that little is lost


@dataclass(frozen=True, slots=True)
class Plan:
    """What a round is to read in a copy: keys above `after` up to `last` that came with the entries [begin, end).

    `started` is UTC with a Z; `collection` names by digest whose AIPs alone are read, "" where all are.
    """

    copy: str
    scope: Scope
    started: str
    end: int
    begin: int = 0
    after: str = START
    last: str = END
    collection: str = ""


@dataclass(slots=True)
class Bounds:
    """When a round has read enough: so many bytes, or when `over` says so. `stopped` tells that it was."""

    size: int | None = None
    over: Callable[[], bool] = lambda: False
    stopped: bool = field(default=False, init=False)

    def cut(self, keys: Iterable[Expected]) -> Iterator[Expected]:
        """The keys until it is enough: at least one."""
        read = 0
        for one in keys:
            if self.stopped:
                return
            yield one
            read += one.size
            self.stopped = (self.size is not None and read >= self.size) or self.over()


@dataclass(frozen=True, slots=True)
class Reader:
    """What a round reads with."""

    store: Store
    executor: Executor
    how: How = AS_ALWAYS
    pace: Pace = UNHURRIED
    progress: Progress = SILENT

    def read(self, keys: Keys, after: str, bounds: Bounds, note: Callable[[Piece], None]) -> str:
        """Read what lies above a key, and hand on what was found, piece by piece and in order.

        Returns why it could not go on, "" where it could: a copy that goes away in the middle is no damage, and the
        piece that it went away in was not read.
        """
        most, most_bytes = (_PACED_KEYS, _PACED_BYTES) if self.pace.is_bounded else (CHUNK_KEYS, CHUNK_BYTES)
        pieces = cut(bounds.cut(paged(keys, after)), attrgetter("size"), most, most_bytes)
        work = partial(check_all, self.store, how=self.how, pace=self.pace)
        ahead = 1 if self.pace.is_bounded else AHEAD
        for done in in_order(self.executor, work, pieces, ahead):
            is_lacking = done.counts[Missing.word] or done.counts[Unreadable.word]
            if is_lacking and (why := why_away(self.store)):
                return why
            note(done)
            self.progress.advance(done.keys, done.expected)
        return ""


def paged(keys: Keys, after: str) -> Iterator[Expected]:
    """The keys above one, some fetched at a time."""
    while True:
        page = list(islice(keys(after), _PAGE))
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].key


def again(store: Opens, found: Audit, known: Callable[[str], bool]) -> Audit:
    """A result with what was missing or unreadable tried once more: a disk may have hiccuped, a repair have come before
    us, or a deletion, after which nobody wants it (`known` says of a key whether somebody does)."""
    result = Audit(found.copy, found.counts.copy(), found.size, cached=found.cached)
    for one in found.findings:
        if one.outcome not in (Missing.word, Unreadable.word) or one.expected is None:
            result.findings.append(one)
            continue
        result.counts[one.outcome] -= 1
        if known(one.key):
            wanted = Expected(one.key, one.expected, 0)
            result.add(piece(found.copy, [(wanted, check(store, wanted))]))
    result.counts = +result.counts
    return result
