"""Five years of a repository, by a clock that is moved: no job is forgotten, none runs twice, the promise is kept."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from policies.document import load
from policies.jobs import Job
from policies.timetable import Past, next_run
from repository import Repository
from repository.job import perform
from repository.jobs import DUE, PAUSED

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY, WEEK, LOOK = timedelta(days=1), timedelta(days=7), timedelta(days=60)
POLICY = "every: 365 days\njobs: {audit: {every: 60 days}}\n"
YEARS = 5 * 365 * DAY
DOWN = [(80 * DAY, 121 * DAY), (500 * DAY, 570 * DAY), (1_205 * DAY, 1_207 * DAY)]
"""When nothing runs: a summer, a move of the machine room, a weekend; from the beginning."""


def runs_at(moment: datetime) -> bool:
    return not any(begin <= moment - BEGIN < end for begin, end in DOWN)


class TestTheTimes:
    """The decisions alone, to the second, with a run that takes its time, and some that fail."""

    @dataclass
    class Life:
        began: dict[str, list[datetime]] = field(default_factory=dict)
        past: dict[str, Past] = field(default_factory=dict)

        def run(self, name: str, now: datetime) -> None:
            times = self.began.setdefault(name, [])
            times.append(now)
            failures = (self.past[name].failures if name in self.past else 0) + 1 if len(times) % 97 == 0 else 0
            self.past[name] = Past(now, now + timedelta(minutes=7), failures)

    def lived(self, rules: dict[str, Job]) -> dict[str, list[datetime]]:
        life, now = self.Life(), BEGIN
        due = dict.fromkeys(rules, BEGIN)
        while now < BEGIN + YEARS:
            for name in [name for name, moment in due.items() if moment <= now]:
                due[name] = next_run(rules[name], life.past.get(name), "UTC", now)
            name, moment = min(due.items(), key=lambda item: item[1])
            now = max(now, moment)
            if runs_at(now):
                life.run(name, now)
                now += timedelta(minutes=7)  # one at a time: the others wait
            else:
                now = next(BEGIN + end for begin, end in DOWN if BEGIN + begin <= now < BEGIN + end)
        return life.began

    def test_no_job_is_forgotten_and_none_made_up_for_twice(self) -> None:
        rules = {
            **load(None).audit.jobs,
            "nightly": Job(every=DAY, at="02:00"),
            "weekend": Job(every=WEEK, at="03:00", on=("sat", "sun")),
            "windowed": Job(every=timedelta(hours=6), hours="22:00-06:00"),
        }
        began = self.lived(dict(rules))
        for name, rule in rules.items():
            gaps = [after - before for before, after in pairwise(began[name])]
            longest = max(end - begin for begin, end in DOWN) + rule.every + 2 * DAY
            assert max(gaps) <= longest + WEEK * bool(rule.on), name
            assert len(began[name]) >= (YEARS - 150 * DAY) / max(rule.every, DAY) * 0.98, name
            for _, end in DOWN:
                after = [moment for moment in began[name] if BEGIN + end <= moment < BEGIN + end + rule.every / 2]
                assert len(after) <= 1 + len(gaps) // 97, f"{name} is made up for more than once"


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def room() -> Iterator[Path]:
    """In memory where the system can: syncs are made, and cost nothing."""
    memory = "/dev/shm"
    with TemporaryDirectory(prefix="tianyi-years-", dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


class Years:
    """A repository that grows, and whose jobs are carried out when they are due, a look each two months."""

    def __init__(self, room: Path) -> None:
        self.room, self.clock = room, Clock(BEGIN)
        Repository.init(room / "archive", [str(room / "second")]).close()
        (room / "archive" / "policies" / "audit.yaml").write_text(POLICY)
        self.repository = Repository.open(room / "archive", agent="scheduler", now=self.clock)
        self.runs: Counter[str] = Counter()
        self.began: dict[str, list[datetime]] = {}
        self.outcomes: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.aips = self.looks = 0

    def live(self) -> None:
        while self.clock.now < BEGIN + YEARS:
            if runs_at(self.clock.now):
                self.once()
            self.clock.now += LOOK

    def once(self) -> None:
        if self.looks % 2 == 0:
            self.take_in()
        self.looks += 1
        due = [job.name for job in self.repository.jobs() if job.state == DUE]
        for name in sorted(due, key=lambda name: name != "replicate"):
            self.clock.now += timedelta(minutes=1)
            self.outcomes[perform(self.repository, name).outcome] += 1
            self.runs[name] += 1
            self.began.setdefault(name, []).append(self.clock.now)
        assert not [job.name for job in self.repository.jobs() if job.state not in (PAUSED, "waiting")]
        self.states.update(one.state for one in self.repository.coverage())

    def take_in(self) -> None:
        delivery = self.room / "delivery"
        delivery.mkdir(exist_ok=True)
        (delivery / "letter.txt").write_text(f"Letter {self.aips}")
        self.repository.ingest(delivery)
        self.aips += 1


@pytest.mark.slow  # twenty seconds
def test_five_years(room: Path) -> None:
    years = Years(room)
    years.live()
    rules = years.repository.policies().audit.jobs
    assert set(years.runs) == set(rules)
    longest = max(end - begin for begin, end in DOWN)
    for name, rule in rules.items():
        assert years.runs[name] <= min(years.looks, YEARS / rule.every + 1), f"{name} ran too often"
        times = [BEGIN, *years.began[name], BEGIN + YEARS]
        gaps = [after - before for before, after in pairwise(times)]
        assert max(gaps) <= rule.every + 2 * LOOK + longest, f"{name} was forgotten"
    assert set(years.outcomes) == {"success"}
    assert "broken" not in years.states
    history = Counter(run.name for run in years.repository.job_history(most=10_000))
    assert history == years.runs
    assert len(list(years.repository.aips())) == years.aips > 12
    years.repository.close()
