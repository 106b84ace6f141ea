"""When jobs run next: times of day, days, hours, zones, retries; the clock is moved by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.audit import AuditPolicy
from policies.document import defaults, parse
from policies.errors import PolicyFileError
from policies.jobs import DAYS, Job
from policies.timetable import Past, closing, is_failing, next_run
from policies.window import parsed

DAY = timedelta(days=1)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(text: str) -> datetime:
    """A day of that week and a time: like "wed 02:00"."""
    day, _, clock = text.partition(" ")
    hour, minute = clock.split(":")
    return MONDAY + timedelta(days=DAYS.index(day), hours=int(hour), minutes=int(minute))  # type: ignore[arg-type]


def ran(text: str, failures: int = 0) -> Past:
    return Past(at(text), at(text), failures)


@pytest.mark.parametrize(
    ("rule", "past", "now", "expected"),
    [
        ({"every": DAY}, None, "mon 12:00", "mon 12:00"),
        ({"every": DAY}, "mon 12:00", "mon 13:00", "tue 12:00"),
        ({"every": DAY}, "mon 12:00", "fri 13:00", "tue 12:00"),  # overdue: it runs now, once
        ({"every": DAY}, "fri 12:00", "mon 12:00", "mon 12:00"),  # a clock that was wrong
        ({"every": DAY, "at": "02:00"}, "mon 02:00", "mon 13:00", "tue 02:00"),
        ({"every": DAY, "at": "02:00"}, "mon 15:30", "mon 16:00", "tue 02:00"),  # by hand: the next night all the same
        ({"every": DAY, "at": "02:00"}, "mon 01:59", "mon 01:59", "mon 02:00"),
        ({"every": 2 * DAY, "at": "02:00"}, "mon 02:07", "mon 13:00", "wed 02:00"),
        ({"every": 7 * DAY, "at": "02:00", "on": ["sat"]}, "mon 15:30", "mon 16:00", "sat 02:00"),
        ({"every": DAY, "at": "02:00", "on": ["sat", "sun"]}, "mon 02:00", "mon 16:00", "sat 02:00"),
        ({"every": DAY, "on": ["wed"]}, "mon 12:00", "mon 13:00", "wed 00:00"),
        ({"every": DAY, "hours": "22:00-06:00"}, "mon 12:00", "tue 12:00", "tue 22:00"),
        ({"every": DAY, "hours": "22:00-06:00"}, "mon 03:00", "tue 04:00", "tue 03:00"),
        (
            {"every": DAY, "hours": "22:00-06:00", "on": ["fri"]},
            "mon 12:00",
            "sat 05:00",
            "tue 12:00",
        ),
        ({"every": DAY, "hours": "22:00-06:00", "on": ["fri"]}, "mon 12:00", "thu 23:00", "fri 22:00"),
        ({"every": DAY, "hours": "09:00-17:00"}, None, "mon 18:00", "tue 09:00"),
    ],
)
def test_next(rule: dict[str, Any], past: str | None, now: str, expected: str) -> None:
    assert next_run(Job(**rule), ran(past) if past else None, "UTC", at(now)) == at(expected)


def test_what_failed_is_tried_again_after_longer_and_longer_and_then_at_its_time() -> None:
    job, noon = Job(every=DAY, retries=4), at("mon 12:00")
    waits = [next_run(job, ran("mon 12:00", failures), "UTC", noon) - noon for failures in range(1, 7)]
    assert waits == [*(timedelta(minutes=n) for n in (1, 2, 4, 8)), DAY, DAY]
    assert [is_failing(job, ran("mon 12:00", failures)) for failures in (0, 4, 5)] == [False, False, True]
    often = Job(every=timedelta(seconds=30))
    assert next_run(often, ran("mon 12:00", 3), "UTC", at("mon 12:00")) - at("mon 12:00") == timedelta(seconds=30)


def test_hours_close() -> None:
    night = Job(every=DAY, hours="22:00-06:00")
    assert closing(Job(every=DAY), "UTC", at("mon 12:00")) is None
    assert closing(night, "UTC", at("mon 23:00")) == at("tue 06:00")
    assert closing(night, "UTC", at("tue 05:59")) == at("tue 06:00")
    assert closing(night, "UTC", at("tue 06:00")) == at("tue 06:00")  # it is closed


def test_a_zone_has_its_own_nights_and_changes_its_clocks() -> None:
    job = Job(every=DAY, at="02:30")
    assert next_run(job, ran("mon 12:00"), "Asia/Shanghai", at("mon 12:00")) == at("mon 18:30")
    spring = datetime(2026, 3, 29, 12, tzinfo=UTC) - DAY  # in Berlin there is no half past two in this night
    due = next_run(job, Past(spring, spring), "Europe/Berlin", spring)
    assert due.date() == datetime(2026, 3, 29, tzinfo=UTC).date()
    autumn = datetime(2026, 10, 25, 12, tzinfo=UTC) - DAY  # in this one there are two of them
    first = next_run(job, Past(autumn, autumn), "Europe/Berlin", autumn)
    assert next_run(job, Past(first, first), "Europe/Berlin", first) - first > timedelta(hours=20)


CLOCKS = st.times().map(lambda time: f"{time:%H:%M}")
RULES = st.builds(
    lambda days, at, on, hours, retries: Job(
        every=timedelta(days=days), at=at, on=on, hours=hours if hours and hours[:5] != hours[6:] else None,
        retries=retries,
    ),
    st.integers(1, 400), st.none() | CLOCKS, st.sets(st.sampled_from(DAYS)).map(lambda days: tuple(sorted(days))),
    st.none() | st.tuples(CLOCKS, CLOCKS).map("-".join), st.integers(0, 5),
)  # fmt: skip
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(RULES, MOMENTS, MOMENTS, st.integers(0, 7), st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]))
def test_it_begins_in_its_hours_and_is_never_forgotten(
    rule: Job, began: datetime, now: datetime, failures: int, zone: str
) -> None:
    due = next_run(rule, Past(began, began, failures), zone, now)
    begins = max(due, now)
    end = closing(rule, zone, begins)
    assert end is None or end > begins
    assert begins <= max(began + rule.every, now) + timedelta(days=15)  # a week to its day, and one to the next
    again = next_run(rule, Past(begins, begins), zone, begins)
    assert again > begins  # it does not run twice


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("jobs: {audit: {every: 12 hours, at: '02:00'}}", "with `at`, `every` is a whole number of days"),
        ("jobs: {audit: {every: 1 day, at: 2}}", "jobs.audit.at"),
        ("jobs: {audit: {every: 1 day, at: '25:00'}}", "not a time of day"),
        ("jobs: {audit: {every: 1 day, hours: '22:00'}}", "not hours"),
        ("jobs: {audit: {every: 1 day, hours: '22:00-22:00'}}", "begin and end at the same time"),
        ("jobs: {audit: {every: 1 day, on: [monday]}}", "jobs.audit.on[0]"),
        ("jobs: {audit: {every: 1 day, on: [mon, mon]}}", "mon is given twice"),
        ("zone: Mars/Olympus", "not a time zone"),
        ("jobs: {audit: {every: 1 day, retries: -1}}", "jobs.audit.retries"),
    ],
)
def test_a_mistake_is_told(text: str, wrong: str) -> None:
    with pytest.raises(PolicyFileError) as caught:
        parse(text, "audit.yaml", AuditPolicy, defaults("audit"))
    assert wrong in str(caught.value)


@given(
    st.integers(0, 2 * 366 * 24 * 4).map(lambda quarters: MONDAY + quarters * timedelta(minutes=15)),
    st.sampled_from(["22:00-06:00", "01:30-03:30", "09:00-17:00"]),
    st.sets(st.sampled_from(DAYS)),
    st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin"]),
)
def test_the_hours_of_a_job_are_those_of_a_limit(now: datetime, hours: str, on: set[str], zone: str) -> None:
    end = closing(Job.model_validate({"every": "1 hour", "hours": hours, "on": sorted(on)}), zone, now)
    assert (end != now) == parsed([hours], sorted(on), zone).is_open(now)
