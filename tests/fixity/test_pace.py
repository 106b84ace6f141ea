"""Limits keep their word, by a simulated clock."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from fixity.pace import UNHURRIED, Pace
from policies.window import Windows, parsed


@dataclass
class Clock:
    """Time passes by sleeping, and by work."""

    now: float = 0.0
    worked: float = 0.0
    read: list[tuple[float, int]] = field(default_factory=list)

    def pace(self, **limits: float) -> Pace:
        named = {"bytes_per_second": None, "files_per_second": None, "cpu": None, **limits}
        return Pace(**named, clock=lambda: self.now, sleep=self.sleep, worked=lambda: self.worked)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def parts(self, sizes: Sequence[int], seconds: float, cpu: float = 0.0) -> Sequence[bytes]:
        def work(size: int) -> bytes:
            self.now += seconds
            self.worked += cpu
            self.read.append((self.now, size))
            return bytes(size)

        return map(work, sizes)  # type: ignore[return-value]  # it is read once

    def in_a_minute(self, start: float) -> int:
        return sum(size for at, size in self.read if start < at <= start + 60)


@pytest.mark.parametrize("seed", range(5))
def test_between_nine_tenths_and_all_of_the_bytes_that_are_allowed(seed: int) -> None:
    """Whichever minute one looks at, with a disk that is sometimes slower than the limit for a while."""
    clock, allowed, rng = Clock(), 20_000_000, random.Random(seed)
    pace = clock.pace(bytes_per_second=allowed)
    while clock.now < 100:
        pace.begin()
        size = rng.randrange(1, 1 << 20)
        list(pace.through(clock.parts([size], size / allowed * rng.choice([0.1, 0.5, 0.9, 1.2]))))
    for start in range(30):
        assert 0.9 * 60 * allowed < clock.in_a_minute(start) <= 60 * allowed + (1 << 20)


def test_files_a_second() -> None:
    clock = Clock()
    pace, files = clock.pace(files_per_second=50), 0
    while clock.now < 60:
        pace.begin()
        clock.now += 0.001
        files += 1
    assert 2_700 <= files <= 3_000


def test_a_share_of_a_core() -> None:
    clock = Clock()
    pace = clock.pace(cpu=0.25)
    while clock.now < 60:
        list(pace.through(clock.parts([1], 0.01, cpu=0.01)))
    assert 0.2 <= clock.worked / clock.now <= 0.25


def test_no_limit_never_waits() -> None:
    assert list(UNHURRIED.through([b"a", b"b"])) == [b"a", b"b"]
    assert not UNHURRIED.is_bounded


@pytest.mark.parametrize(
    ("hours", "days", "moment", "is_open"),
    [
        ([], [], "2026-03-02T12:00", True),
        (["22:00-06:00"], [], "2026-03-02T23:00", True),
        (["22:00-06:00"], [], "2026-03-02T05:59", True),
        (["22:00-06:00"], [], "2026-03-02T06:00", False),
        (["22:00-06:00"], ["sun"], "2026-03-02T05:00", True),  # a Monday: the night began on Sunday
        (["22:00-06:00"], ["mon"], "2026-03-02T05:00", False),
        ([], ["sat", "sun"], "2026-03-02T05:00", False),
        (["12:00-13:00", "20:00-21:00"], [], "2026-03-02T20:30", True),
    ],
)
def test_hours_and_days(hours: list[str], days: list[str], moment: str, is_open: bool) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert parsed(hours, days, "UTC").is_open(at) is is_open
    east = parsed(hours, days, "Asia/Shanghai")
    assert east.is_open(at - timedelta(hours=8)) is is_open


def test_the_share_of_a_week() -> None:
    nights, weekends = parsed(["22:00-06:00"], [], "UTC"), parsed([], ["sat", "sun"], "UTC")
    days = parsed(["08:00-12:00", "11:00-18:00"], [], "UTC")
    for windows, share, closed in (
        ([], 1, 0), ([parsed([], [], "UTC")], 1, 0), ([nights], 1 / 3, 16), ([weekends], 2 / 7, 120),
        ([parsed(["22:00-06:00"], ["sat", "sun"], "Asia/Shanghai")], 2 / 21, 136), ([days], 10 / 24, 14),
        ([nights, weekends], 16 / 168, 120), ([nights, days], 0, 168),
    ):  # fmt: skip
        together = Windows(tuple(windows))
        assert together.share == pytest.approx(share), windows
        assert together.longest_closed == timedelta(hours=closed), windows
