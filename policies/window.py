"""Hours of the day and days of the week in which something may be done, pure: moments are aware times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from policies.jobs import DAYS, window, zone_of

_STEP = timedelta(minutes=5)
_WEEK = timedelta(days=7)
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
_ALL_DAY = (time(), time())


class Window(NamedTuple):
    """Spans of hours, and the days (0 is Monday) on which they begin; none of either: all. A span that ends before it
    begins goes over midnight."""

    hours: tuple[tuple[time, time], ...] = ()
    days: tuple[int, ...] = ()
    zone: tzinfo = UTC

    def is_open(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        here = moment.astimezone(self.zone)
        return any(self._holds(here, begin, end) for begin, end in self.hours or (_ALL_DAY,))

    def _holds(self, here: datetime, begin: time, end: time) -> bool:
        at = here.time()
        if begin < end:
            return begin <= at < end and self._begins_on(here)
        return (at >= begin and self._begins_on(here)) or (at < end and self._begins_on(here - timedelta(days=1)))

    def _begins_on(self, day: datetime) -> bool:
        return not self.days or day.weekday() in self.days

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
