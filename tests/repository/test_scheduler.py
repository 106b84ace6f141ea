"""The scheduler: jobs by policy, one at a time, each run in the ledger; and what `tianyi jobs` says of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest
from PIL import Image

from fixity.audit import is_damaged
from policies.document import load
from policies.jobs import Job as Rule
from repository import Repository, config, job_process, scheduler
from repository.job import carry_out
from repository.job_process import JobProcesses
from repository.jobs import Job, Run, lock_of
from repository.timer import firing
from repository.words import span
from storage.lock import is_held, locked

TIANYI = Path(sys.executable).with_name("tianyi")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVERY_SECOND = "every: 1 second\njobs: {audit: {every: 1 second}, migrate: {every: 1 second}}\n"
SHIPPED = sorted(load(None).audit.jobs)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A repository with one copy and one AIP, a bitmap that the policy wants migrated."""
    (tmp_path / "delivery").mkdir()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "delivery" / "picture.bmp")
    with Repository.init(tmp_path / "archive") as made:
        made.ingest(tmp_path / "delivery")
    return tmp_path / "archive"


def say(archive: Path, policy: str) -> None:
    (archive / "policies" / "audit.yaml").write_text(policy)


def ran(archive: Path) -> list[tuple[str, str, str]]:
    """The ledger's entries of jobs: agent, name and outcome."""
    with Repository.open(archive) as opened:
        return [(event.agent, event.object, event.outcome) for event in opened.events() if event.type == "job"]


def note(archive: Path, name: str, at: datetime, seconds: int = 0) -> None:
    with Repository.open(archive, agent="scheduler", now=lambda: at) as opened:
        opened.note_job(name, "success", {"seconds": seconds})


@dataclass
class Hearing:
    """Who is told what a scheduler does."""

    plans: list[list[Job]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def planned(self, jobs: Sequence[Job]) -> None:
        self.plans.append(list(jobs))

    def finished(self, run: Run) -> None:
        self.runs.append(run)

    def wrong(self, why: str) -> None:
        self.mistakes.append(why)


def served(archive: Path, *, once: bool = False, seconds: float | None = 0) -> list[Job]:
    """The plan of a scheduler that is started."""
    hearing = Hearing()
    scheduler.serve(config.load(archive), hearing, once=once, seconds=seconds)
    [plan] = hearing.plans
    return plan


@pytest.fixture
def fake_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs do nothing but tell their names."""
    names: list[str] = []

    def run_job(folder: str, name: str, rule: str, zone: str) -> Run:
        names.append(name)
        note(Path(folder), name, datetime.now(UTC))
        return Run(name, "success", {})

    monkeypatch.setattr(scheduler, "run_job", run_job)
    return names


def wait_for(happened: Callable[[], bool]) -> None:
    """At most half a minute, however busy the machine."""
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def hold_a_while(lock: Path) -> None:
    with locked(lock, "the test"):
        time.sleep(2)


class TestTheProcess:
    @pytest.fixture
    def process(self, archive: Path) -> Iterator[subprocess.Popen[str]]:
        say(archive, EVERY_SECOND)
        with self.started(archive) as running:
            yield running
            running.kill()

    def until(self, process: subprocess.Popen[str], wanted: set[str]) -> dict[str, Any]:
        """The first report of each job wanted."""
        first: dict[str, Any] = {}
        assert process.stdout is not None
        while not wanted <= set(first):
            told = json.loads(process.stdout.readline())
            first.setdefault(told["name"], told)
        return first

    def test_it_audits_and_migrates_until_told_to_stop(self, archive: Path, process: subprocess.Popen[str]) -> None:
        first = self.until(process, {"audit", "migrate"})
        assert first["audit"]["outcome"] == "success"
        assert first["audit"]["copies"] == 1
        assert first["audit"]["intact"] > 10
        assert (first["migrate"]["outcome"], first["migrate"]["migrated"]) == ("success", 1)

        second = subprocess.run([TIANYI, "-C", archive, "scheduler", "--json"], capture_output=True, text=True)
        assert second.returncode == 11
        assert f"process {process.pid}" in json.loads(second.stdout)["message"]

        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert {("scheduler", "audit", "success"), ("scheduler", "migrate", "success")} <= set(ran(archive))
        with Repository.open(archive) as opened:
            assert [aip.versions for aip in opened.aips()] == [2]

    @pytest.mark.slow  # kills
    def test_killed_in_the_middle_of_a_job_another_goes_on(self, archive: Path) -> None:
        """The job dies with its scheduler, at once; what it had read is gone on with, and nothing is left of it."""
        slow = "every: 1 second\nlimits: {files_per_second: 3}\njobs: {audit: {every: 1 second}}\n"
        for kills in range(3):
            say(archive, slow)
            with self.started(archive) as process:
                wait_for(lambda: is_held(lock_of(archive / "work", "audit")))
                time.sleep(kills * 0.7)
                process.kill()
                wait_for(lambda: not is_held(lock_of(archive / "work", "audit")))
        say(archive, EVERY_SECOND)
        with self.started(archive) as process:
            first = self.until(process, {"audit", "migrate"})
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        assert (first["audit"]["outcome"], first["migrate"]["outcome"]) == ("success", "success")
        with Repository.open(archive) as opened:
            assert opened.verify_ledger().valid
            assert [(aip.versions, is_damaged(audit)) for aip in opened.aips() for audit in opened.audit()] == [
                (2, False)
            ]
        for space in ("intents", "runs", "scratch", "staging"):
            assert list((archive / "work" / space).iterdir()) == []

    def started(self, archive: Path) -> subprocess.Popen[str]:
        command = [TIANYI, "-C", archive, "scheduler", "--json"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def test_an_interrupt_stops_it_as_it_stops_any_command(self, process: subprocess.Popen[str]) -> None:
        self.until(process, {"audit"})
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


class TestWhatIsDue:
    def test_what_never_ran_is_due_at_once(self, archive: Path, fake_runs: list[str]) -> None:
        plan = served(archive, once=True, seconds=None)
        assert [job.name for job in plan] == SHIPPED
        assert sorted(fake_runs) == SHIPPED

    def test_what_is_not_due_waits(self, archive: Path, fake_runs: list[str]) -> None:
        for name in SHIPPED:
            note(archive, name, datetime.now(UTC))
        assert served(archive, once=True, seconds=None) == []
        assert fake_runs == []

    def test_a_hundred_missed_days_are_one_run(self, archive: Path, fake_runs: list[str]) -> None:
        note(archive, "audit", datetime.now(UTC) - timedelta(days=100))
        for name in set(SHIPPED) - {"audit"}:
            note(archive, name, datetime.now(UTC))
        served(archive, seconds=2)
        assert fake_runs == ["audit"]

    def test_so_are_those_that_a_sleeping_machine_missed(self, archive: Path, fake_runs: list[str]) -> None:
        now, told = datetime.now(UTC), SimpleQueue[Run]()
        late = Job("audit", Rule(every=timedelta(hours=1)), now - timedelta(days=3, minutes=30), None, "")
        with firing(config.load(archive), told.put, nullcontext) as timer:
            timer.plan([late], "UTC")
            assert told.get(timeout=5).name == "audit"
            time.sleep(0.1)  # for a second one, which must not come
        assert told.empty()

    def test_the_next_start_goes_by_the_policy_as_it_is_then(self, archive: Path, fake_runs: list[str]) -> None:
        began = datetime.now(UTC).replace(microsecond=0)
        for name in SHIPPED:
            note(archive, name, began)
        note(archive, "audit", began + timedelta(seconds=7), seconds=7)
        assert {job.name: job.next for job in served(archive)}["audit"] == began + load(None).audit.jobs["audit"].every
        say(archive, "jobs: {audit: {every: 6 hours}}\n")
        assert {job.name: job.next for job in served(archive)}["audit"] == began + timedelta(hours=6)
        with closing(sqlite3.connect(archive / "work" / "jobs.db")) as store:
            stored = dict(store.execute("select id, next_run_time from apscheduler_jobs"))
        assert stored["audit"] == (began + timedelta(hours=6)).timestamp()

    def test_a_job_store_that_cannot_be_read_is_made_anew(self, archive: Path, fake_runs: list[str]) -> None:
        (archive / "work" / "jobs.db").write_bytes(b"no database" * 100)
        served(archive, once=True, seconds=None)
        assert sorted(fake_runs) == SHIPPED


class TestALivePolicy:
    """A scheduler follows what people edit while it runs."""

    def heard(
        self, archive: Path, act: Sequence[Callable[[Hearing], None]], until: Callable[[Hearing], bool]
    ) -> Hearing:
        """What a scheduler tells while somebody acts, from its start until a moment that has to come."""
        hearing, end = Hearing(), time.monotonic() + 30

        def live() -> None:
            for one in act:
                one(hearing)
            while not until(hearing) and time.monotonic() < end:
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGTERM)

        Thread(target=live).start()
        assert scheduler.serve(config.load(archive), hearing) == signal.SIGTERM
        return hearing

    @pytest.fixture(autouse=True)
    def often(self, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scheduler, "_LOOK", 0.05)
        for name in SHIPPED:
            note(archive, name, datetime.now(UTC))

    def test_a_file_that_is_edited_changes_the_schedule(self, archive: Path, fake_runs: list[str]) -> None:
        edit = [lambda _: entered(archive), lambda _: say(archive, "jobs: {drill: {every: 1 second}}\n")]
        hearing = self.heard(archive, edit, lambda heard: bool(heard.runs))
        assert {run.name for run in hearing.runs} == {"drill"}
        assert entries(archive).count("policy") == 2  # as it was found, and as it was edited

    def test_a_mistake_is_told_and_the_old_schedule_goes_on(self, archive: Path, fake_runs: list[str]) -> None:
        say(archive, "jobs: {drill: {every: 1 second}}\n")
        edit = [lambda _: entered(archive), lambda _: say(archive, "jobs: {drill: {evry: 1 second}}\n")]
        told = self.heard(archive, edit, lambda heard: bool(heard.mistakes) and len(heard.runs) > 2)
        assert "audit.yaml:1: jobs.drill.evry: unknown field" in told.mistakes[0]

    def test_one_that_is_mended_is_told_too(self, archive: Path, fake_runs: list[str]) -> None:
        edit = [lambda _: entered(archive), lambda _: say(archive, "every: never\n"), mistaken,
                lambda _: say(archive, "every: 80 days\n")]  # fmt: skip
        told = self.heard(archive, edit, lambda heard: len(heard.mistakes) > 1)
        assert told.mistakes[1] == ""

    def test_a_job_that_is_paused_meanwhile_does_not_begin(self, archive: Path, fake_runs: list[str]) -> None:
        say(archive, "jobs: {drill: {every: 3 seconds}}\n")
        note(archive, "drill", datetime.now(UTC))
        pause = [lambda _: paused(archive, "drill")]
        end = time.monotonic() + 4
        assert self.heard(archive, pause, lambda heard: time.monotonic() > end).runs == []


def entered(archive: Path) -> None:
    """Wait until the policy as it was found is in the ledger."""
    waited(lambda: "policy" in entries(archive))


def mistaken(hearing: Hearing) -> None:
    waited(lambda: bool(hearing.mistakes))


def waited(come: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not come() and time.monotonic() < end:
        time.sleep(0.05)


def entries(archive: Path) -> list[str]:
    with Repository.open(archive) as opened:
        return [event.type for event in opened.events()]


def paused(archive: Path, name: str) -> None:
    with Repository.open(archive) as opened:
        opened.pause_job(name, "")


class TestARun:
    def test_it_reads_only_the_copies_that_the_policy_says_are_due(self, archive: Path) -> None:
        assert carry_out(archive, "audit").detail["copies"] == 1
        again = carry_out(archive, "audit")
        assert (again.outcome, again.detail["copies"]) == ("success", 0)

    def test_damage_is_its_outcome(self, archive: Path) -> None:
        (archive / "vault" / "README.txt").unlink()
        run = carry_out(archive, "audit")
        assert (run.outcome, run.detail["missing"]) == ("damage", 1)
        assert ran(archive) == [("scheduler", "audit", "damage")]

    def test_a_failure_is_written_down_with_its_code(self, archive: Path) -> None:
        (archive / "policies" / "migration.yaml").write_text("rulez: []\n")
        run = carry_out(archive, "migrate")
        assert (run.outcome, run.detail["code"]) == ("fail", "policy-invalid")
        assert "rulez" in str(run.detail["message"])
        assert ran(archive) == [("scheduler", "migrate", "fail")]

    def test_a_repository_that_cannot_be_opened_is_an_answer_too(self, archive: Path) -> None:
        (archive / "vault").rename(archive / "away")
        run = carry_out(archive, "audit")
        assert (run.outcome, run.detail["code"]) == ("fail", "unreachable")

    def test_a_process_that_dies_is_written_down(self, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", shutil.which("false"))
        run = JobProcesses().run(str(archive), "audit")
        assert (run.outcome, run.detail["code"]) == ("fail", "job-lost")
        assert ran(archive) == [("scheduler", "audit", "fail")]

    def test_one_that_hangs_is_stopped_at_its_limit(self, archive: Path) -> None:
        held = Thread(target=hold_a_while, args=[archive / "work" / "commit.lock"])  # the job waits for a minute
        held.start()
        run = JobProcesses().run(str(archive), "migrate", limit=0.5)
        held.join()
        assert (run.outcome, run.detail["code"]) == ("stopped", "job-limit")
        assert ran(archive) == [("scheduler", "migrate", "stopped")]

    def test_one_that_does_not_listen_is_killed(
        self, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deaf = tmp_path / "deaf"
        deaf.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do :; done\n")
        deaf.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(deaf))
        monkeypatch.setattr(job_process, "_PATIENCE", 0.3)
        run = JobProcesses().run(str(archive), "audit", limit=0.3)
        assert (run.outcome, run.detail["code"]) == ("stopped", "job-limit")

    def test_one_whose_hours_are_over_goes_on_in_the_next(self, archive: Path) -> None:
        with locked(archive / "work" / "commit.lock", "the test"):
            run = JobProcesses().run(str(archive), "migrate", limit=60, hours=0.5)
        assert (run.outcome, run.detail["code"]) == ("interrupted", "hours-over")
        assert ran(archive) == []

    def test_where_a_policy_has_a_mistake_it_goes_by_the_one_on_record(self, archive: Path) -> None:
        assert carry_out(archive, "audit").outcome == "success"
        with Repository.open(archive) as opened:
            opened.note_changes(first=True)
        (archive / "policies" / "migration.yaml").write_text("rulez: []\n")
        assert carry_out(archive, "migrate").detail["migrated"] == 1

    def test_one_that_is_abandoned_leaves_no_entry(self, archive: Path) -> None:
        processes, runs = JobProcesses(), list[Run]()
        worker = Thread(target=lambda: runs.append(processes.run(str(archive), "migrate")))
        with locked(archive / "work" / "commit.lock", "the test"):  # it cannot finish
            worker.start()
            while processes._running is None:
                time.sleep(0.01)
            with processes.stopping():
                worker.join(10)
                assert processes.run(str(archive), "audit").outcome == "interrupted"
        assert [run.outcome for run in runs] == ["interrupted"]
        assert ran(archive) == []


class TestJobs:
    def test_before_any_ran(self, archive: Path, tianyi: Any) -> None:
        before = set(os.listdir(archive / "work"))
        rows = {row["name"]: row for row in tianyi("jobs", at=archive).rows}
        assert list(rows) == SHIPPED
        assert {(row["state"], row["last"], row["result"], row["seconds"]) for row in rows.values()} == {
            ("due", None, None, None)
        }
        assert rows["migrate"]["every"] == 7 * 86_400
        assert all(row["next"].endswith("Z") for row in rows.values())
        assert set(os.listdir(archive / "work")) == before

    def test_after_one_ran(self, archive: Path, tianyi: Any) -> None:
        note(archive, "migrate", NOON, seconds=60)
        [row] = [row for row in tianyi("jobs", at=archive).rows if row["name"] == "migrate"]
        assert row == {
            "name": "migrate", "every": 604_800, "state": "due", "next": "2026-01-08T11:59:00Z",
            "last": "2026-01-01T11:59:00Z", "result": "success", "seconds": 60, "failures": 0, "why": None,
        }  # fmt: skip

    def test_one_is_run_by_hand_and_on_record_as_the_schedulers_are(self, archive: Path, tianyi: Any) -> None:
        ran = tianyi("jobs", "run", "audit", at=archive)
        assert (ran.code, ran.said["outcome"], ran.said["copies"]) == (0, "success", 1)
        [before] = tianyi("jobs", "history", at=archive).rows
        assert (before["name"], before["outcome"], before["intact"]) == ("audit", "success", ran.said["intact"])
        assert tianyi("jobs", "run", "audits", at=archive).code == 4
        with locked(archive / "work" / "job-audit.lock", "the test"):
            assert tianyi("jobs", "run", "audit", at=archive).said["code"] == "job-running"
            assert tianyi("jobs", at=archive).rows[0]["state"] == "running"

    def test_one_is_paused_until_it_is_resumed_whatever_is_lost(self, archive: Path, tianyi: Any) -> None:
        assert tianyi("jobs", "pause", "audit", "--reason", "the disk moves", at=archive).code == 0
        assert tianyi("jobs", "pause", "audit", at=archive).code == 2
        assert tianyi("rebuild", at=archive).code == 0
        row = tianyi("jobs", at=archive).rows[0]
        assert (row["name"], row["state"], row["next"], row["why"]) == ("audit", "paused", None, "the disk moves")
        assert "audit" not in {job.name for job in served(archive)}
        assert tianyi("jobs", "resume", "audit", at=archive).code == 0
        assert tianyi("jobs", at=archive).rows[0]["state"] == "due"

    @pytest.mark.parametrize(
        ("every", "words"),
        [
            (timedelta(days=7), "7 days"),
            (timedelta(hours=1), "1 hour"),
            (timedelta(seconds=90), "90 seconds"),
            (timedelta(seconds=1.5), "1 second"),
        ],
    )
    def test_people_read_spans_in_words(self, every: timedelta, words: str) -> None:
        assert span(every) == words
