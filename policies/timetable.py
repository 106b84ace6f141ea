"""When a job runs next, pure: what the policy says of it, what became of its last runs, and the clock as an argument.

Times are aware (UTC); days and times of day are those of the policy's zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from policies import cadence
from policies.jobs import DAYS, Job, clock, window, zone_of

_FIRST_RETRY, _LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a job: when its last run began and ended, and how many runs in a row have failed by then."""

    began: datetime
    ended: datetime
    failures: int = 0


def next_run(job: Job, past: Past | None, zone: str, now: datetime) -> datetime:
    """When it runs next. What is past is due now: however many runs were missed, it runs once.

    It is due `every` so long after it began; where `at` is given, so many days later at that time. What failed is
    tried again sooner, `retries` times. Outside its days and hours it waits for them.
    """
    due = _due(job, past, zone_of(zone), now)
    begin = _opening(job, zone_of(zone), max(due, now))
    return due if begin == max(due, now) else begin


def closing(job: Job, zone: str, now: datetime) -> datetime | None:
    """When the hours end that `now` is in; None where it has none, and `now` itself where it is in none."""
    if not job.hours:
        return None
    begin, end = next(span for span in _spans(job, zone_of(zone), now) if span[1] > now)
    return end if begin <= now else now


def is_failing(job: Job, past: Past | None) -> bool:
    """Whether it failed, and so did all that was tried again: somebody has to look."""
    return past is not None and past.failures > job.retries


def _due(job: Job, past: Past | None, zone: tzinfo, now: datetime) -> datetime:
    if past is None or past.began > now:
        return cadence.next_due(past.began if past else None, job.every, now)
    regular = _slot_after(job, past.began, zone) if job.at else past.began + job.every
    if 0 < past.failures <= job.retries:
        return min(regular, past.ended + _backoff(past.failures))
    return regular


def _backoff(failures: int) -> timedelta:
    """1 minute, 2, 4 …, at most an hour."""
    return min(_FIRST_RETRY * (1 << min(failures - 1, 10)), _LONGEST_RETRY)


def _slot_after(job: Job, began: datetime, zone: tzinfo) -> datetime:
    """The first day and time, `every` so many days after the one that the last run was for."""
    at = clock(job.at or "00:00")
    here = began.astimezone(zone)
    last = here.date() if here.time() >= at else here.date() - _DAY
    while job.on and DAYS[last.weekday()] not in job.on:
        last -= _DAY
    return _moment(next(_days(job, last + max(job.every, _DAY))), at, zone)


def _opening(job: Job, zone: tzinfo, moment: datetime) -> datetime:
    """The first moment, from this one on, that is in the job's days and hours."""
    begin = next(begin for begin, end in _spans(job, zone, moment) if end > moment)
    return max(begin, moment)


def _spans(job: Job, zone: tzinfo, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The hours in which it may run, from the day before on: those of a night belong to the day that they begin on."""
    opens, closes = window(job.hours) if job.hours else (time(), time())
    for day in _days(job, moment.astimezone(zone).date() - _DAY):
        until = day if closes > opens else day + _DAY
        yield _moment(day, opens, zone), _moment(until, closes, zone)


def _days(job: Job, first: date) -> Iterator[date]:
    while True:
        if not job.on or DAYS[first.weekday()] in job.on:
            yield first
        first += _DAY


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
