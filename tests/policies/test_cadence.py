"""When things fall due; the clock is moved by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.cadence import due, next_due

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
EVERY = timedelta(days=90)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SPANS = st.timedeltas(timedelta(seconds=1), timedelta(days=36_525))


@pytest.mark.parametrize(
    ("last", "expected"),
    [(None, True), (NOW - EVERY, True), (NOW - EVERY + timedelta(seconds=1), False), (NOW, False),
     (NOW + timedelta(days=1), True)],
)  # fmt: skip
def test_due(last: datetime | None, expected: bool) -> None:
    assert due(last, EVERY, NOW) is expected


def test_next_due() -> None:
    assert next_due(NOW, EVERY, NOW) == datetime(2026, 9, 29, 12, tzinfo=UTC)
    assert next_due(None, EVERY, NOW) == next_due(NOW + EVERY, EVERY, NOW) == NOW


@given(st.none() | TIMES, SPANS, TIMES)
def test_nothing_waits_longer_than_its_cadence(last: datetime | None, every: timedelta, now: datetime) -> None:
    assert next_due(last, every, now) <= now + every
    assert due(last, every, now) == (next_due(last, every, now) <= now)
