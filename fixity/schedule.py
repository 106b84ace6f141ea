"""When what is to be read again, pure: readings, a promise and the clock → what is due, and whether it will hold.

A hand goes round each copy, always over what was read longest ago, so that a copy is read evenly and no day is a
flood: at each slice it reads about as much as the time since the last one asks for. What is new is read apart from
that, by the ledger's entries that told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Literal, Protocol

from fixity.reading import END, Cell, Reading, cells, place
from policies.window import Windows

SPAN = 0.8
"""A round aims at being done in this part of the promised time: the rest is room for bad days."""
_QUANTUM = 1 << 30  # bytes: for less, a slice waits until a hundredth of the promised time is over
_WARNING = 0.1  # of the promised time: so long before a promise breaks it is told
_GRAIN = 0.01  # of the promised time: what was read so close together counts as read at once
_DAY = timedelta(days=1)
ALWAYS = Windows()
State = Literal["kept", "at risk", "broken", "attested"]


@dataclass(frozen=True, slots=True)
class Promise:
    """Every byte of a copy, or of a collection in it, is read again within `every`; None: somebody else attests it.

    `since` is when the copy became one: what it had then, before the ledger's entry `entry`, is due from that time on,
    and what came later from when it came. `new` is within how long that is read back.
    """

    copy: str
    every: timedelta | None
    since: datetime
    entry: int = 0
    collection: str = ""
    new: timedelta = _DAY
    attested: str = ""


class Holdings(Protocol):
    """What of the ledger's entries there is something to read."""

    @property
    def entries(self) -> int:
        """How many entries the ledger has."""

    @property
    def size(self) -> int:
        """Bytes that a copy has to have."""

    def first(self, begin: int, end: int) -> tuple[int, datetime] | None:
        """The first entry in [begin, end) with which a key came, and when; None where none did."""

    def came(self, begin: int, end: int) -> int:
        """Bytes of the keys that came with the entries in [begin, end)."""


@dataclass(frozen=True, slots=True)
class Means:
    """What reading can count on: bytes a second, and the seconds of a day that rounds may take for this copy. `limit`
    is the field of the policy that holds the speed down, "" where none does, and `unit` what one of it comes to in
    bytes a second; `gap` is the time from one slice to the next."""

    speed: float
    seconds: float
    limit: str = ""
    unit: float = 1e6
    gap: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a promise stands. Of what was read, `oldest` is when that was which was read longest ago, None where nothing
    was; `unread` are the bytes never read, of `size`, as those of what came last; `breaks` is when the promise breaks
    or broke; `advice` is what would make it hold, "" where it does. `every` is None where nothing is read and `advice`
    names who attests."""

    copy: str
    collection: str
    every: timedelta | None
    oldest: datetime | None
    unread: int
    size: int
    state: State
    breaks: datetime | None
    advice: str


@dataclass(frozen=True, slots=True)
class Due:
    """What to read next: keys above `after` up to `last` that came with the entries [begin, end), until it has come to
    so many bytes."""

    promise: Promise
    scope: Literal["due", "new"]
    after: str
    last: str
    begin: int
    end: int
    size: int
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """A cell in which there is something to read, and until when that has to be done."""

    cell: Cell
    deadline: datetime
    came: datetime
    size: float


def stretches(promise: Promise, readings: Iterable[Reading], holdings: Holdings, now: datetime) -> list[Stretch]:
    """Everything that a promise is about, by when it was last read; `readings` come newest first.

    Readings from the future were made by a clock that was wrong: they count as not made.
    """
    assert promise.every is not None
    past = (reading for reading in readings if reading.time <= now)
    found, sizes = [], _Sizes(holdings)
    for cell in _split(cells(past, holdings.entries, promise.every * _GRAIN), promise.entry):
        if (first := sizes.first(cell.begin, cell.end)) is None:
            continue
        came = promise.since if cell.end <= promise.entry else max(min(first[1], now), promise.since)
        deadline = (cell.time or came) + promise.every
        share = place(cell.last) - place(cell.after)
        found.append(Stretch(cell, deadline, came, share * sizes.came(cell.begin, cell.end)))
    return found


class _Sizes:
    """Answers of the holdings, each asked for once."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings
        self._first: dict[tuple[int, int], tuple[int, datetime] | None] = {}
        self._came: dict[tuple[int, int], int] = {}

    def first(self, begin: int, end: int) -> tuple[int, datetime] | None:
        if (begin, end) not in self._first:
            self._first[begin, end] = self._holdings.first(begin, end)
        return self._first[begin, end]

    def came(self, begin: int, end: int) -> int:
        if (begin, end) not in self._came:
            self._came[begin, end] = self._holdings.came(begin, end)
        return self._came[begin, end]


def _split(found: Iterable[Cell], entry: int) -> Iterable[Cell]:
    """What nobody has read is either from before the copy was one, or new."""
    for cell in found:
        if cell.time is None and cell.begin < entry < cell.end:
            yield Cell(cell.after, cell.last, cell.begin, entry, None)
            yield Cell(cell.after, cell.last, entry, cell.end, None)
        else:
            yield cell


def due(
    promise: Promise, found: Sequence[Stretch], read: datetime | None, now: datetime, gap: timedelta,
    hours: Windows = ALWAYS,
) -> Due | None:  # fmt: skip
    """What the hand reads next, and how much; None where it has done its share. `read` is when it last did some, `gap`
    the usual time between two slices; where it may read at some hours alone, they have to do for the whole week."""
    assert promise.every is not None
    old = [one for one in found if not _is_new(promise, one)]
    if not old:
        return None
    elapsed = promise.every if read is None or read > now else _elapsed(max(read, now - promise.every), now, hours)
    elapsed = min(elapsed, max(_DAY, 2 * gap, promise.every / 50))  # what was missed is made up for little by little
    size = pace(promise.every, old, now) * elapsed.total_seconds()
    if size < _QUANTUM and elapsed < promise.every / 100:
        return None
    first = min(old, key=lambda one: (one.deadline, one.cell.after))
    last = _end_of_run(old, first, promise.every / 2)
    end = max(one.cell.end for one in old)
    return Due(promise, "due", first.cell.after, last, 0, end, max(1, ceil(size)), first.deadline)


def _elapsed(read: datetime, now: datetime, hours: Windows) -> timedelta:
    """The time for which the hand has to read: of a week in which it may read for a day, that day stands for seven."""
    return hours.time_open(read, now) / (hours.share or 1.0)


def due_new(promise: Promise, found: Sequence[Stretch]) -> Due | None:
    """What came and was not read back yet, the oldest first; None where there is nothing."""
    new = [one for one in found if _is_new(promise, one)]
    if not new:
        return None
    first = min(new, key=lambda one: (one.cell.begin, one.cell.after))
    last = END
    for one in new:  # ascending by key: up to where these entries were read
        if one.cell.after >= first.cell.after and one.cell.begin == first.cell.begin:
            last = one.cell.last
        elif one.cell.after > first.cell.after:
            break
    end = min(one.cell.end for one in new if one.cell.begin == first.cell.begin)
    size = ceil(sum(one.size for one in new))
    return Due(promise, "new", first.cell.after, last, first.cell.begin, end, max(1, size), first.came + promise.new)


def _is_new(promise: Promise, one: Stretch) -> bool:
    return one.cell.time is None and one.cell.begin >= promise.entry


def _end_of_run(found: Sequence[Stretch], first: Stretch, spread: timedelta) -> str:
    """The last key of the stretches that follow each other and are due about as early."""
    last = first.cell.last
    for after, column in groupby(found, key=lambda one: one.cell.after):
        together = list(column)
        if after < last:
            continue
        if after > last or min(one.deadline for one in together) > first.deadline + spread:
            break
        last = together[0].cell.last
    return last


def pace(every: timedelta, found: Sequence[Stretch], now: datetime) -> float:
    """Bytes a second that the hand has to read: evenly, or faster where much falls due soon. What is overdue is spread
    over a tenth of the promised time, or the first day after a year's silence would be a flood."""
    size = sum(one.size for one in found)
    overdue = sum(one.size for one in found if one.deadline <= now)
    ahead = sorted((one for one in found if one.deadline > now), key=lambda one: one.deadline)
    needed = sofar = 0.0
    for one in ahead:
        sofar += one.size
        needed = max(needed, sofar / max(3_600.0, (one.deadline - now).total_seconds()))
    return max(size / (SPAN * every.total_seconds()), needed + overdue / (every.total_seconds() / 10))


def coverage(
    promise: Promise, found: Sequence[Stretch], holdings: Holdings, means: Means | None, now: datetime, rare: str = "",
) -> Coverage:  # fmt: skip
    """How a promise stands, and whether it will hold with those means; None where the speed is not known yet. `rare`
    says what would make rounds come often enough, "" where they do."""
    if promise.every is None:
        told = (promise.copy, promise.collection, None, None, 0, holdings.size)
        return Coverage(*told, "attested", None, promise.attested)
    times = [one.cell.time for one in found]
    oldest = min((time for time in times if time), default=None)
    unread = min(holdings.size, ceil(sum(one.size for one in found if one.cell.time is None)))
    breaks = min((one.deadline for one in found), default=None)
    slow = _advice(promise.every, found, holdings.size, means, now) if means else ""
    state, advice = _judged(promise, promise.every, found, " ".join(filter(None, (rare, slow))), now)
    return Coverage(
        promise.copy, promise.collection, promise.every, oldest, unread, holdings.size, state, breaks, advice
    )


def _judged(
    promise: Promise, every: timedelta, found: Sequence[Stretch], unfit: str, now: datetime
) -> tuple[State, str]:
    breaks = min((one.deadline for one in found), default=now + every)
    if breaks <= now:
        return "broken", unfit or "Run `tianyi audit`, and see that the scheduler runs and the copy is there."
    if unfit:
        return "at risk", unfit
    if breaks - now < every * _WARNING:
        return "at risk", "See that the scheduler runs and the copy is there (`tianyi jobs`, `tianyi copies`)."
    late = [one for one in found if _is_new(promise, one) and one.came + promise.new < now]
    if late:
        return "at risk", f"New content since {late[0].came:%Y-%m-%d} was not read back: see that the scheduler runs."
    return "kept", ""


def _advice(every: timedelta, found: Sequence[Stretch], size: int, means: Means, now: datetime) -> str:
    """What would make a promise hold that the means do not suffice for, "" where they do."""
    ability = means.speed * means.seconds / 86_400  # bytes a second, nights and pauses included
    needed = _needed(found, now)
    if needed <= ability or not size:
        return ""
    days = ceil(size / (SPAN * ability) / 86_400) if ability else 36_525
    longer = f"`every` to {days} days"
    if means.limit and means.seconds:
        faster = ceil(needed * 86_400 / means.seconds / means.unit / SPAN)
        return f"Raise `{means.limit}` to {faster}, or {longer}."
    if means.seconds < 86_400 / 2:
        return f"Give rounds more hours, or raise {longer}."
    return f"Raise {longer}, or read from a faster disk."


def _needed(found: Sequence[Stretch], now: datetime) -> float:
    """Bytes a second below which some deadline to come would be missed."""
    sofar, needed = 0.0, 0.0
    for one in sorted(found, key=lambda one: one.deadline):
        sofar += one.size
        needed = max(needed, sofar / max(86_400.0, (one.deadline - now).total_seconds()))
    return needed
