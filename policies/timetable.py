"""When a job runs next, pure: what the policy says of it, what became of its last runs, and the clock as an argument.

Times are aware (UTC); days and times of day are those of the policy's zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from policies import cadence
from policies.jobs import Job, clock
from policies.window import DAY, Window, at_time, parsed

_FIRST_RETRY, _LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=1)


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
    window = hours(job, zone)
    due = _due(job, past, window, now)
    begin = _opening(window, max(due, now))
    return due if begin == max(due, now) else begin


def closing(job: Job, zone: str, now: datetime) -> datetime | None:
    """When the hours end that `now` is in; None where it has none, and `now` itself where it is in none."""
    if not job.hours:
        return None
    begin, end = next(span for span in hours(job, zone).spans(now) if span[1] > now)
    return end if begin <= now else now


def is_failing(job: Job, past: Past | None) -> bool:
    """Whether it failed, and so did all that was tried again: somebody has to look."""
    return past is not None and past.failures > job.retries


def _due(job: Job, past: Past | None, window: Window, now: datetime) -> datetime:
    if past is None or past.began > now:
        return cadence.next_due(past.began if past else None, job.every, now)
    regular = _slot_after(job, past.began, window) if job.at else past.began + job.every
    if 0 < past.failures <= job.retries:
        return min(regular, past.ended + _backoff(past.failures))
    return regular


def _backoff(failures: int) -> timedelta:
    """1 minute, 2, 4 …, at most an hour."""
    return min(_FIRST_RETRY * (1 << min(failures - 1, 10)), _LONGEST_RETRY)


def _slot_after(job: Job, began: datetime, window: Window) -> datetime:
    """The first day and time, `every` so many days after the one that the last run was for."""
    at = clock(job.at or "00:00")
    here = began.astimezone(window.zone)
    last = here.date() if here.time() >= at else here.date() - DAY
    while window.days and last.weekday() not in window.days:
        last -= DAY
    return at_time(next(window.each_day(last + max(job.every, DAY))), at, window.zone)


def _opening(window: Window, moment: datetime) -> datetime:
    """The first moment, from this one on, that is in the job's days and hours."""
    return max(moment, next(begin for begin, end in window.spans(moment) if end > moment))


def hours(job: Job, zone: str) -> Window:
    """The hours and days in which it begins."""
    return parsed([job.hours] if job.hours else [], job.on, zone)
