"""What was read and when, pure: a reading is a rectangle of keys and ledger entries, and together they cover a copy.

A key belongs to the ledger entry that first told of it. So "all keys up to here, of what came before entry 500" and
"everything that came with entries 500 to 510" are both a few words, however many files that is, and the time of the
last reading of any key is that of the newest rectangle that holds it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

START, END = "", "\U0010ffff"
"""Before every key, and after."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Every key above `after`, up to and with `last`, whose first entry lies in [begin, end), was read at `time` or
    later. What was altered, missing or unreadable then was read too: it is known damage."""

    after: str
    last: str
    begin: int
    end: int
    time: datetime

    @property
    def is_of_all_keys(self) -> bool:
        return (self.after, self.last) == (START, END)


@dataclass(frozen=True, slots=True)
class Cell:
    """Keys and entries, as of a reading, that were last read at `time`; None where no reading holds them."""

    after: str
    last: str
    begin: int
    end: int
    time: datetime | None


def cells(readings: Iterable[Reading], entries: int, grain: timedelta) -> list[Cell]:
    """Cut all keys × [0, entries) by who read what last; `readings` come newest first. Ascending by key, then entry.

    Neighbours that were read within the same `grain` of time count as read when the first of them was. It stops at the
    reading that leaves nothing uncovered: older ones are not asked for.
    """
    canvas = _Canvas(entries)
    for _, some in groupby(readings, key=lambda one: one.time.timestamp() // grain.total_seconds()):
        for reading in sorted(joined(some), key=lambda one: one.time, reverse=True):
            if not canvas.paint(reading):
                return canvas.cells()
    return canvas.cells()


def joined(readings: Iterable[Reading]) -> list[Reading]:
    """Readings with those that continue each other made one, which claims no more than they do."""
    ordered = sorted(readings, key=lambda one: (one.begin > 0 or one.is_of_all_keys, one.begin, one.after))
    found: list[Reading] = []
    for reading in ordered:
        if found and (both := _both(found[-1], reading)):
            found[-1] = both
        else:
            found.append(reading)
    return found


def _both(one: Reading, other: Reading) -> Reading | None:
    """Two readings as one: of the same keys, with entries that follow; or of the same entries, with keys that do."""
    time = min(one.time, other.time)
    if (one.after, one.last) == (other.after, other.last) and one.begin <= other.begin <= one.end:
        return replace(one, end=max(one.end, other.end), time=time)
    if one.begin == other.begin and one.last == other.after:
        return replace(one, last=other.last, end=min(one.end, other.end), time=time)
    return None


class _Canvas:
    """Columns of keys, each with the entries that are not covered yet and the cells that are."""

    def __init__(self, entries: int) -> None:
        self._starts = [START]  # each column ends where the next one starts, the last one at END
        self._bare: list[list[tuple[int, int]]] = [[(0, entries)] if entries else []]
        self._painted: list[list[tuple[int, int, datetime]]] = [[]]
        self._open = 1 if entries else 0

    def paint(self, reading: Reading) -> bool:
        """Cover what is still bare of a reading; return whether anything is left bare anywhere."""
        if not self._open or reading.after >= reading.last:
            return bool(self._open)
        first = self._cut(reading.after)
        last = self._cut(reading.last) if reading.last < END else len(self._starts)
        for column in range(first, last):
            self._cover(column, reading)
        return self._open > 0

    def _cut(self, key: str) -> int:
        """The column that starts at a key, made where there is none."""
        at = bisect_left(self._starts, key)
        if at == len(self._starts) or self._starts[at] != key:
            self._starts.insert(at, key)
            self._bare.insert(at, list(self._bare[at - 1]))
            self._painted.insert(at, list(self._painted[at - 1]))
            self._open += bool(self._bare[at])
        return at

    def _cover(self, column: int, reading: Reading) -> None:
        left: list[tuple[int, int]] = []
        for begin, end in self._bare[column]:
            low, high = max(begin, reading.begin), min(end, reading.end)
            if low >= high:
                left.append((begin, end))
                continue
            self._painted[column].append((low, high, reading.time))
            left.extend(piece for piece in ((begin, low), (high, end)) if piece[0] < piece[1])
        self._open -= bool(self._bare[column]) and not left
        self._bare[column] = left

    def cells(self) -> list[Cell]:
        found = []
        for column, after in enumerate(self._starts):
            last = self._starts[column + 1] if column + 1 < len(self._starts) else END
            pieces: list[tuple[int, int, datetime | None]] = [*self._painted[column]]
            pieces += [(begin, end, None) for begin, end in self._bare[column]]
            found += [Cell(after, last, *piece) for piece in sorted(pieces, key=lambda piece: piece[0])]
        return found


def place(key: str) -> float:
    """Where a key lies among the bytes of a copy, from 0 to 1: names of blobs are digests, which spread evenly."""
    if key <= _BLOBS:
        return 0.0
    if not key.startswith(_BLOBS):
        return 1.0
    name = key[len(_BLOBS) :].replace("/", "")[3:19] or key[len(_BLOBS) :].replace("/", "")
    try:
        return int(name.ljust(16, "0"), 16) / (1 << 64)
    except ValueError:  # not the name of a blob
        return 1.0


_BLOBS = "blobs/sha256/"
