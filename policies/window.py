"""Hours of the day and days of the week in which something may be done, pure: moments are aware times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import takewhile
from typing import NamedTuple

from policies.jobs import DAYS, window, zone_of

DAY = timedelta(days=1)
_STEP = timedelta(minutes=5)
_WEEK = timedelta(days=7)
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
_ALL_DAY = (time(), time())


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

    def spans(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
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

    @property
    def share(self) -> float:
        """The part of a week in which it is open: above 0, and 1 where it always is. To five minutes."""
        if not self.hours and not self.days:
            return 1.0
        here = self._replace(zone=UTC)
        steps = _WEEK // _STEP
        return max(1, sum(here.is_open(_MONDAY + n * _STEP) for n in range(steps))) / steps


def parsed(hours: Sequence[str], days: Sequence[str], zone: str) -> Window:
    """The window that a policy says: like ["22:00-06:00"], ["sat", "sun"], "Asia/Shanghai"."""
    numbers = tuple(number for number, day in enumerate(DAYS) if day in days)
    return Window(tuple(map(window, hours)), numbers, zone_of(zone))


def at_time(day: date, at: time, zone: tzinfo) -> datetime:
    """The moment of a time of day."""
    return datetime.combine(day, at, zone).astimezone(UTC)
