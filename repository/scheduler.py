"""The scheduler: runs the policy's jobs, one at a time; exactly one scheduler a repository.

What is due when it starts comes from policy and ledger (repository.jobs), never from what the last one planned.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from queue import Empty, SimpleQueue
from types import FrameType

from repository.config import Config
from repository.facade import utc_now
from repository.job_process import JobProcesses
from repository.jobs import AGENT, Job, Run
from repository.repository import Repository
from repository.timer import firing
from storage.lock import locked

Inbox = SimpleQueue[Run | int]  # runs that ended, and signals; `put` is safe in a signal's handler, unlike an Event
_processes = JobProcesses()


def run_job(folder: str, name: str) -> Run:
    """Run one job of the repository at `folder` now, as agent "scheduler", and write the run into the ledger."""
    return _processes.run(folder, name)


def serve(
    settings: Config, planned: Callable[[Sequence[Job]], None], finished: Callable[[Run], None], *,
    seconds: float | None = None, once: bool = False, now: Callable[[], datetime] = utc_now,
) -> int:  # fmt: skip
    """Run jobs by policy until SIGTERM, SIGINT, or `seconds` later; return the signal, 0 where there was none.

    `once` runs what is due now and then stops. A run under way is abandoned at the end: nothing is half-kept, and it
    is due again. `planned` hears what is going to run, `finished` of every run, in this thread. Raises Locked where
    another scheduler is at work, PolicyError, and whatever `Repository.open` raises.
    """
    inbox = Inbox()
    with locked(settings.work / "scheduler.lock", "the scheduler", patience=0), _signals(inbox):
        plan = _plan(settings, now(), due_only=once)
        planned(plan)
        with firing(settings, plan, inbox.put, _processes.stopping, once=once):
            stopped_by = _listen(inbox, finished, seconds, {job.name for job in plan} if once else None)
        while not inbox.empty():
            if isinstance(message := inbox.get(), Run):
                finished(message)
    return stopped_by


def _plan(settings: Config, now: datetime, *, due_only: bool) -> list[Job]:
    """What to run, and when at the earliest: what is overdue by however many runs is due now, once."""
    with Repository.open(settings.folder, agent=AGENT, now=lambda: now) as repository:
        jobs = [replace(job, next=max(job.next, now)) for job in repository.jobs()]
    return [job for job in jobs if not due_only or job.next == now]


def _listen(inbox: Inbox, finished: Callable[[Run], None], seconds: float | None, awaited: set[str] | None) -> int:
    """Tell of runs until a signal comes (returned), time is over, or everything `awaited` has run."""
    end = time.monotonic() + (seconds or 0)
    while awaited is None or awaited:
        try:
            message = inbox.get(timeout=None if seconds is None else max(0, end - time.monotonic()))
        except Empty:
            break
        if isinstance(message, int):
            return message
        finished(message)
        if awaited:
            awaited.discard(message.name)
    return 0


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
