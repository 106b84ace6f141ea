"""The scheduler: runs the policy's jobs, one at a time; exactly one scheduler a repository.

What is due comes from policy and ledger (repository.planner), never from what it planned before: it plans anew when a
run ends, when a policy file changes, and when somebody pauses a job or runs one by hand.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Protocol

from policies import jobs as rules
from policies.timetable import closing
from repository.config import Config
from repository.facade import utc_now
from repository.job_process import HOURS_OVER, JobProcesses
from repository.jobs import PAUSED, RESUMABLE, Job, Run
from repository.planner import Planner
from repository.timer import Timer, firing
from storage.aip import stamp
from storage.lock import locked

Inbox = SimpleQueue[Run | int]  # runs that ended, and signals; `put` is safe in a signal's handler, unlike an Event
_processes = JobProcesses()
_LOOK = 2.0  # seconds between two looks at what people may have edited


class Hears(Protocol):
    """Who is told what the scheduler does, in its thread."""

    def planned(self, jobs: Sequence[Job]) -> None: ...
    def finished(self, run: Run) -> None: ...
    def wrong(self, why: str) -> None:
        """A policy cannot be used, and the plan goes on as it was; "" once it can."""


class Wakes(Protocol):
    """What looks after the repository beside the jobs, and may do so now."""

    def wake(self) -> None: ...


def run_job(folder: str, name: str, rule: str, zone: str) -> Run:
    """Run one job of the repository at `folder` now, as agent "scheduler", and write the run into the ledger.

    `rule` is its policy as JSON. One whose turn comes when its hours are over waits for the next ones.
    """
    job, now = rules.Job.model_validate_json(rule), utc_now()
    end = closing(job, zone, now)
    if end is not None and end <= now:
        return Run(name, "interrupted", HOURS_OVER)
    left = (end - now).total_seconds() if end is not None and name in RESUMABLE else None
    return _processes.run(folder, name, job.limit.total_seconds(), left)


def serve(
    settings: Config, hears: Hears, *, seconds: float | None = None, once: bool = False,
    now: Callable[[], datetime] = utc_now, monitor: Wakes | None = None,
) -> int:  # fmt: skip
    """Run jobs by policy until SIGTERM, SIGINT, or `seconds` later; return the signal, 0 where there was none.

    `once` runs what is due now and then stops. A run under way is abandoned at the end: nothing is half-kept, and it
    is due again. `hears` is told of plans and runs, in this thread. Raises Locked where another scheduler is at work,
    PolicyError, and whatever `Repository.open` raises.
    """
    inbox, about = Inbox(), f"on {socket.gethostname()} since {stamp(now())}"
    with locked(settings.work / "scheduler.lock", "the scheduler", patience=0, about=about), _signals(inbox):
        planner = Planner(settings, now)
        planner.begin()
        due = [job for job in planner.jobs if job.state != PAUSED and (not once or job.next <= now())]
        hears.planned(due)
        with firing(settings, inbox.put, _processes.stopping) as timer:
            timer.plan(due, planner.zone)
            served = _Served(planner, timer, hears, monitor, {job.name for job in due} if once else None)
            stopped_by = served.listen(inbox, seconds)
        while not inbox.empty():
            if isinstance(message := inbox.get(), Run):
                hears.finished(message)
    return stopped_by


class _Served:
    """What a scheduler does between its start and its end; `awaited` are the jobs that it ends after."""

    def __init__(
        self, planner: Planner, timer: Timer, hears: Hears, monitor: Wakes | None, awaited: set[str] | None
    ) -> None:
        self.planner, self.timer, self.hears, self.monitor, self.awaited = planner, timer, hears, monitor, awaited
        self._wrong = ""

    def listen(self, inbox: Inbox, seconds: float | None) -> int:
        """Tell of runs and plan anew until a signal comes (returned), time is over, or everything awaited has run."""
        end = None if seconds is None else time.monotonic() + seconds
        while self.awaited is None or self.awaited:
            left = _LOOK if end is None else min(_LOOK, end - time.monotonic())
            try:
                message = inbox.get(timeout=max(0, left))
            except Empty:
                if end is not None and time.monotonic() >= end:
                    break
                self._look()
                continue
            if isinstance(message, int):
                return message
            self._finished(message)
        return 0

    def _finished(self, run: Run) -> None:
        self.hears.finished(run)
        self.planner.ended(run)
        if self.awaited is not None:
            self.awaited.discard(run.name)
        else:
            self._plan()
        if self.monitor:
            self.monitor.wake()

    def _look(self) -> None:
        if self.awaited is None and (self.planner.has_changed() or self._wrong):
            self._plan()

    def _plan(self) -> None:
        """Those at work as the plan is made are left out: they may end, and be written down, meanwhile."""
        at_work = self.timer.at_work()
        self.planner.again()
        self.timer.plan(self.planner.jobs, self.planner.zone, except_for=at_work)
        if self.planner.wrong != self._wrong:
            self._wrong = self.planner.wrong
            self.hears.wrong(self._wrong)


@contextmanager
def _signals(inbox: Inbox) -> Iterator[None]:
    """SIGTERM and SIGINT become messages while the block lasts."""

    def hear(number: int, frame: FrameType | None) -> None:
        inbox.put(number)

    before = {number: signal.signal(number, hear) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
