"""Hours of the day and days of the week in which something may be done, pure: moments are aware times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise, takewhile
from typing import NamedTuple

from policies.jobs import DAYS, window, zone_of

DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
_ALL_DAY = (time(), time())
Span = tuple[datetime, datetime]


class Window(NamedTuple):
    """Spans of hours, and the days (0 is Monday) on which they begin; none of either: all. A span that does not end
    after it begins goes over midnight, and belongs to the day that it begins on."""

    hours: tuple[tuple[time, time], ...] = ()
    days: tuple[int, ...] = ()
    zone: tzinfo = UTC

    def is_open(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        begun = takewhile(lambda span: span[0] <= moment, self.spans(moment))
        return any(moment < end for _, end in begun)

    def opens(self, moment: datetime) -> datetime:
        """When it opens next after a moment."""
        return next(opens for opens, _ in self.spans(moment) if opens > moment)

    def spans(self, moment: datetime) -> Iterator[Span]:
        """Yield begin and end of each span without end, from the day before a moment on, ascending by begin."""
        for day in self.each_day(moment.astimezone(self.zone).date() - DAY):
            for opens, closes in sorted(self.hours) or [_ALL_DAY]:
                until = day if closes > opens else day + DAY
                yield at_time(day, opens, self.zone), at_time(until, closes, self.zone)

    def each_day(self, first: date) -> Iterator[date]:
        """Yield its days without end, from the first on."""
        while True:
            if not self.days or first.weekday() in self.days:
                yield first
            first += DAY


class Windows(NamedTuple):
    """Windows all of which have to be open; none: always."""

    each: tuple[Window, ...] = ()

    def spans(self, begin: datetime, end: datetime) -> list[Span]:
        """When all are open between two moments: ascending, and none touches the next."""
        found = [(begin, end)] if begin < end else []
        for one in self.each:
            if one.hours or one.days:
                own = takewhile(lambda span: span[0] < end, one.spans(begin))
                found = list(_meeting(found, _joined(own)))
        return found

    def time_open(self, begin: datetime, end: datetime) -> timedelta:
        """For how long they are open between two moments."""
        return sum((closes - opens for opens, closes in self.spans(begin, end)), timedelta())

    @property
    def share(self) -> float:
        """The part of a week in which they are open: 1 where they always are, 0 where they never are together."""
        return self.time_open(_MONDAY, _MONDAY + _WEEK) / _WEEK

    @property
    def longest_closed(self) -> timedelta:
        """The longest time for which they are closed; a week where they never are open together."""
        opened = self.spans(_MONDAY, _MONDAY + 2 * _WEEK)
        gaps = (opens - closed for (_, closed), (opens, _) in pairwise(opened))
        return max(gaps, default=timedelta()) if opened else _WEEK


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans, ascending by begin, with those made one that overlap or touch."""
    found: list[Span] = []
    for begin, end in spans:
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _meeting(some: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    """What lies in spans of both, each of which ascend and do not overlap."""
    one = other = 0
    while one < len(some) and other < len(others):
        begin, end = max(some[one][0], others[other][0]), min(some[one][1], others[other][1])
        if begin < end:
            yield begin, end
        if some[one][1] < others[other][1]:
            one += 1
        else:
            other += 1


def parsed(hours: Sequence[str], days: Sequence[str], zone: str) -> Window:
    """The window that a policy says: like ["22:00-06:00"], ["sat", "sun"], "Asia/Shanghai"."""
    numbers = tuple(number for number, day in enumerate(DAYS) if day in days)
    return Window(tuple(map(window, hours)), numbers, zone_of(zone))


def at_time(day: date, at: time, zone: tzinfo) -> datetime:
    """The moment of a time of day."""
    return datetime.combine(day, at, zone).astimezone(UTC)
