"""When something is to be done again, pure: the clock is an argument. Times are aware (UTC)."""

from __future__ import annotations

from datetime import datetime, timedelta


def next_due(last: datetime | None, every: timedelta, now: datetime) -> datetime:
    """When it falls due, which may be past. What was never done is due now.

    So is what was last done in the future: a clock was wrong, and waiting for that day would leave it unread.
    """
    return now if last is None or last > now else last + every


def due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether it is to be done now."""
    return next_due(last, every, now) <= now
