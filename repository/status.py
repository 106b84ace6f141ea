"""What the history of audits comes to, as values: promises, and what was read, found and healed by day and month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fixity.outcome import DAMAGED
from fixity.schedule import Coverage
from repository import damage
from repository.catalogue import Catalogue
from storage.aip import stamp

WEEKS, MONTHS = 26, 12
"""How far back days and months are told."""

_DAYS = """
select substr(time, 1, 10) as day, sum(json_extract(detail, '$.checked')) as files,
       sum(json_extract(detail, '$.bytes')) as bytes
from events where type = 'audit' and object = ? and time >= ? and time <= ? group by day order by day
"""
_FOUND = """
select substr(time, 1, 7) as month, sum(coalesce(json_extract(detail, '$.altered'), 0)) as altered,
       sum(coalesce(json_extract(detail, '$.missing'), 0)) as missing,
       sum(coalesce(json_extract(detail, '$.unreadable'), 0)) as unreadable
from events where type = 'audit' and object = ? and time >= ? and time <= ? group by month
"""
_HEALED = """
select substr(time, 1, 7) as month, sum(coalesce(json_array_length(detail, '$.repaired'), 0)) as repaired
from events where type = 'repair' and object = ? and time >= ? and time <= ? group by month
"""


@dataclass(frozen=True, slots=True)
class Day:
    """What was read on one day (UTC)."""

    day: date
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Month:
    """What was found and healed in one month, like 2026-01. What stayed damaged was found by each reading."""

    month: str
    altered: int
    missing: int
    unreadable: int
    repaired: int

    @property
    def found(self) -> int:
        return self.altered + self.missing + self.unreadable


@dataclass(frozen=True, slots=True)
class CopyStatus:
    """One copy: its promises (those of collections after its own), every day of the last half year, every month of the
    last year, and how many keys are known to be damaged now; `speed` is in bytes a second, None where not known."""

    copy: str
    promises: Sequence[Coverage]
    days: Sequence[Day]
    months: Sequence[Month]
    damaged: int
    speed: float | None


def status(
    catalogue: Catalogue, promises: Sequence[Coverage], speeds: dict[str, float | None], now: datetime
) -> list[CopyStatus]:
    """Every copy, in the order of the promises."""
    return [
        CopyStatus(
            copy,
            [one for one in promises if one.copy == copy],
            _days(catalogue, copy, now),
            _months(catalogue, copy, now),
            damage.count(catalogue, copy),
            speed,
        )
        for copy, speed in speeds.items()
    ]


def _days(catalogue: Catalogue, copy: str, now: datetime) -> list[Day]:
    """From a Monday on, so that weeks are whole but for the last."""
    today = now.date()
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    found = {row["day"]: row for row in catalogue.rows(_DAYS, copy, first.isoformat(), stamp(now))}
    days = (first + timedelta(days=n) for n in range((today - first).days + 1))
    return [_day(day, found.get(day.isoformat(), {})) for day in days]


def _day(day: date, row: dict[str, Any]) -> Day:
    return Day(day, row.get("files") or 0, row.get("bytes") or 0)


def _months(catalogue: Catalogue, copy: str, now: datetime) -> list[Month]:
    months = [_earlier(now, n) for n in reversed(range(MONTHS))]
    found = {row["month"]: row for row in catalogue.rows(_FOUND, copy, months[0], stamp(now))}
    healed = {row["month"]: row["repaired"] for row in catalogue.rows(_HEALED, copy, months[0], stamp(now))}
    return [Month(m, repaired=healed.get(m, 0), **_counts(found.get(m, {}))) for m in months]


def _counts(row: dict[str, Any]) -> dict[str, int]:
    return {word: row.get(word, 0) for word in DAMAGED}


def _earlier(now: datetime, months: int) -> str:
    number = now.year * 12 + now.month - 1 - months
    return f"{number // 12:04}-{number % 12 + 1:02}"
