"""What is due, by simulated time: a promise is kept through years of growth and absence, and no day is a flood."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixity.reading import END, START, Reading, cells, place
from fixity.schedule import ALWAYS, Coverage, Means, Promise, coverage, due, due_new, stretches
from policies.window import Window, Windows, parsed

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
GIB = 1 << 30
KEYS = [f"blobs/sha256/{n:02x}0/{n:02x}00{'0' * 60}" for n in range(256)]


@dataclass
class World:
    """A copy in which every entry brings a file under every key; who read what is remembered key by key as well."""

    size_of_entry: int = 256 * GIB // 10
    times: list[datetime] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    read_at: dict[tuple[int, int], datetime] = field(default_factory=dict)
    by_day: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    """What the hand read; what is new is read when it comes."""
    hand: datetime = T0
    gap: timedelta = 6 * HOUR
    hours: Windows = ALWAYS

    @property
    def entries(self) -> int:
        return len(self.times)

    @property
    def size(self) -> int:
        return self.entries * self.size_of_entry

    def first(self, begin: int, end: int) -> tuple[int, datetime] | None:
        return (begin, self.times[begin]) if begin < min(end, self.entries) else None

    def came(self, begin: int, end: int) -> int:
        return (end - begin) * self.size_of_entry

    def slice(self, promise: Promise, now: datetime) -> None:
        """What the job does each time."""
        found = stretches(promise, reversed(self.readings), self, now)
        if hand := due(promise, found, self.hand, now, self.gap, self.hours):
            self.hand = now
            self.read(hand.after, hand.last, 0, self.entries, hand.size, now)
        while new := due_new(promise, stretches(promise, reversed(self.readings), self, now)):
            self.read(new.after, new.last, new.begin, new.end, None, now)

    def read(self, after: str, last: str, begin: int, end: int, most: int | None, now: datetime) -> None:
        size, reached = 0, after
        for number in range(bisect_left(KEYS, after + "\0" if after else ""), len(KEYS)):
            if KEYS[number] > last or (most is not None and size >= most):
                break
            size += (end - begin) * self.size_of_entry // 256
            self.read_at.update({(number, entry): now for entry in range(begin, end)})
            reached = KEYS[number]
        else:
            reached = last
        if most is not None:
            self.by_day[now.date()] += size
        self.readings.append(Reading(after, reached, begin, end, now))

    def oldest(self) -> datetime:
        return min(
            self.read_at.get((key, entry), self.times[entry]) for key in range(256) for entry in range(self.entries)
        )


PROMISE = Promise("first", 90 * DAY, T0)


WEEKENDS = parsed([], ["sat", "sun"], "UTC")
SATURDAYS = parsed([], ["sat"], "UTC")
NIGHTS = parsed(["22:00-06:00"], [], "Asia/Shanghai")


@pytest.mark.parametrize(
    ("hours", "days"),
    [((WEEKENDS,), 90), ((WEEKENDS,), 30), ((NIGHTS,), 14), ((WEEKENDS, NIGHTS), 60), ((SATURDAYS,), 30)],
)
def test_a_promise_is_kept_in_the_hours_that_there_are(hours: tuple[Window, ...], days: int) -> None:
    """What a week asks for is read in them, evenly, and not left until it is late."""
    world, promise = World(times=[T0], hours=Windows(hours), gap=HOUR), Promise("first", days * DAY, T0)
    for hour in range(3 * days * 24):
        now = T0 + hour * HOUR
        if all(one.is_open(now) for one in hours):
            world.slice(promise, now)
        if hour % (7 * 24) == 0 and now > T0 + days * DAY:
            assert now - world.oldest() <= days * DAY
    usual = world.size / (0.8 * days) / (len(world.by_day) / (3 * days))
    assert sorted(world.by_day.values())[-3] < 2.5 * usual  # no day is a flood


def told(world: World, now: datetime, means: Means | None = None) -> Coverage:
    return coverage(PROMISE, stretches(PROMISE, reversed(world.readings), world, now), world, means, now)


def test_five_years_of_growth_and_absence() -> None:
    """A slice a day while somebody is there, a delivery a quarter, some weeks of downtime each year."""
    world, now = World(gap=DAY), T0
    while now < T0 + 5 * 365 * DAY:
        if (now - T0).days // 91 >= world.entries:
            world.times.append(now)
        away = (now - T0).days % 365 in range(200, 214)
        if not away:
            world.slice(PROMISE, now)
        if (now - T0).days % 30 == 29:
            real = now - world.oldest()
            claimed = told(world, now)
            assert real <= 90 * DAY
            assert claimed.state == "kept" or away
            assert claimed.oldest is None or now - claimed.oldest >= real - DAY  # it never claims too much
        now += DAY
    usual = world.size / 72
    assert max(size for day, size in world.by_day.items()) < 3 * usual  # no day is a flood
    assert len(cells(reversed(world.readings), world.entries, 90 * DAY * 0.01)) < 2_000


@pytest.mark.parametrize("weeks", [1, 2, 8, 60])
def test_after_downtime_it_catches_up_little_by_little(weeks: int) -> None:
    world, now = World(times=[T0, T0]), T0
    for hour in range(0, 100 * 24, 6):
        now = T0 + hour * HOUR
        world.slice(PROMISE, now)
    back = now = now + timedelta(weeks=weeks)
    broken = told(world, now).state == "broken"
    assert broken == (weeks > 2)
    while now < back + 60 * DAY:
        world.slice(PROMISE, now)
        now += 6 * HOUR
    assert told(world, now).state == "kept"
    assert max(size for day, size in world.by_day.items() if day >= back.date()) < world.size / 4


def test_what_just_came_does_not_hide_when_the_rest_was_read() -> None:
    world = World(times=[T0, T0])
    for hour in range(0, 100 * 24, 6):
        world.slice(PROMISE, T0 + hour * HOUR)
    now = T0 + 100 * DAY
    before = told(world, now)
    assert (before.unread, before.oldest is None) == (0, False)
    world.times.append(now)
    after = told(world, now)
    assert after.unread > 0
    assert after.oldest == before.oldest


def test_a_clock_set_back_a_year_reads_again_and_floods_nothing() -> None:
    world = World(times=[T0, T0])
    for hour in range(0, 100 * 24, 6):
        world.slice(PROMISE, T0 + hour * HOUR)
    now = T0 + 100 * DAY - 365 * DAY
    claimed = told(world, now)
    assert (claimed.oldest, claimed.unread) == (None, world.size)
    world.hand = T0  # which is in the future now
    found = stretches(PROMISE, reversed(world.readings), world, now)
    hand = due(PROMISE, found, world.hand, now, HOUR)
    assert hand is None  # all of it is new, for the clock
    assert due_new(PROMISE, found) is not None


def test_what_is_new_is_read_by_the_entries_that_told_of_it() -> None:
    world = World(times=[T0, T0, T0])
    world.read(START, END, 0, 2, None, T0)
    new = due_new(PROMISE, stretches(PROMISE, world.readings, world, T0 + HOUR))
    assert new
    assert (new.after, new.last, new.begin, new.end) == (START, END, 2, 3)
    world.readings.append(Reading(START, KEYS[100], 2, 3, T0 + HOUR))
    rest = due_new(PROMISE, stretches(PROMISE, reversed(world.readings), world, T0 + HOUR))
    assert rest
    assert (rest.after, rest.last, rest.begin, rest.end) == (KEYS[100], END, 2, 3)
    late = told(world, T0 + 3 * DAY)
    assert (late.state, late.unread > 0) == ("at risk", True)
    assert "2026-01-01" in late.advice


def test_a_copy_that_was_added_is_read_in_its_time_and_not_at_once() -> None:
    world = World(times=[T0] * 10)
    promise = Promise("new-disk", 90 * DAY, T0 + 20 * DAY, 10)
    found = stretches(promise, [], world, T0 + 21 * DAY)
    assert due_new(promise, found) is None
    hand = due(promise, found, promise.since, T0 + 21 * DAY, HOUR)
    assert hand
    assert 0 < hand.size < world.size / 60


def test_the_forecast_says_what_would_make_the_promise_hold() -> None:
    world = World(times=[T0], size_of_entry=100_000 * GIB)
    world.read(START, END, 0, 1, None, T0)
    slow = told(world, T0 + DAY, Means(5e6, 86_400, "mb_per_second"))
    assert slow.state == "at risk"
    assert slow.advice == "Raise `mb_per_second` to 18, or `every` to 311 days."
    assert told(world, T0 + DAY, Means(50e6, 86_400, "mb_per_second")).state == "kept"
    files = told(world, T0 + DAY, Means(5e6, 86_400, "files_per_second", 1e5))
    assert files.advice == "Raise `files_per_second` to 175, or `every` to 311 days."
    assert "more hours" in told(world, T0 + DAY, Means(20e6, 20_000)).advice
    assert "faster disk" in told(world, T0 + DAY, Means(1e6, 86_400)).advice


def test_what_others_attest_is_shown_as_such() -> None:
    cold = coverage(Promise("cold", None, T0, attested="the provider, by contract"), [], World(times=[T0]), None, T0)
    assert (cold.state, cold.every, cold.breaks, cold.advice) == ("attested", None, None, "the provider, by contract")


entries = st.integers(0, 12)
keys = st.sampled_from([START, *KEYS[::37], END])


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    """Newest first."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        (after, last), (begin, end) = (sorted(draw(st.tuples(one, one))) for one in (keys, entries))
        found.append(Reading(after, last, begin, end, T0 + number * draw(st.sampled_from([HOUR, DAY]))))
    return sorted(found, key=lambda one: one.time, reverse=True)


@given(readings(), entries)
def test_nothing_is_called_read_that_was_not_and_nothing_later_than_it_was(
    given: Sequence[Reading], entries: int
) -> None:
    found = cells(given, entries, DAY)
    for key in (*KEYS[::29], "README.txt", "tombstones/x"):
        for entry in range(entries):
            [cell] = [c for c in found if c.after < key <= c.last and c.begin <= entry < c.end]
            times = [r.time for r in given if r.after < key <= r.last and r.begin <= entry < r.end]
            assert cell.time is None or (times and max(times) - DAY < cell.time <= max(times))


def test_a_place_among_the_keys() -> None:
    rng = random.Random(1)
    drawn = sorted(f"{rng.getrandbits(256):064x}" for _ in range(50))
    places = [place(f"blobs/sha256/{name[:3]}/{name}") for name in drawn]
    assert places == sorted(places)
    assert (place(START), place(END), place("aips/x"), place(KEYS[128])) == (0.0, 1.0, 0.0, 0.5)
