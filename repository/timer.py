"""APScheduler, which fires the jobs of a plan at their times, one after another.

Its job store at work/jobs.db outlives it and can be lost at no cost: who starts puts in what the ledger says. A job
fires once; when it falls due again is decided anew, by its outcome and the policy as it is then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import DatabaseError

from repository import catalogue
from repository.config import Config
from repository.jobs import PAUSED, Job, Run

_RUN_JOB = "repository.scheduler:run_job"  # kept in the store by this name


class Timer:
    """Holds the plan. Jobs that have fired and not ended are at work, and left alone by another plan."""

    def __init__(self, settings: Config, ended: Callable[[Run], None]) -> None:
        self._folder, self._ended = str(settings.folder), ended
        self._one = _OneAtATime()
        self._scheduler = BackgroundScheduler(
            timezone=UTC, jobstores={"default": _store(settings.work / "jobs.db")}, executors={"default": self._one}
        )
        self._scheduler.add_listener(self._hear, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)

    def start(self) -> None:
        self._scheduler.start(paused=True)
        self._scheduler.remove_all_jobs()

    def stop(self, stopping: Callable[[], AbstractContextManager[None]]) -> None:
        """None begins after this call has: APScheduler would fire what is due even while it shuts down."""
        self._scheduler.pause()
        soon = datetime.now(UTC) + timedelta(minutes=1)
        for job in self._scheduler.get_jobs():  # which waits until whatever fires at this moment has
            if job.next_run_time <= soon:
                self._scheduler.remove_job(job.id)
        with stopping():
            self._scheduler.shutdown()

    def at_work(self) -> frozenset[str]:
        """The jobs that have fired and not ended, those that wait for their turn among them."""
        return frozenset(self._one.fired)

    def plan(self, jobs: Sequence[Job], zone: str, except_for: Container[str] = ()) -> None:
        """Fire these jobs at their times, and no others; those at work, and those excepted, stay as they are."""
        wanted = {job.name: job for job in jobs if job.state != PAUSED}
        for stored in self._scheduler.get_jobs():
            if stored.id not in wanted:
                with suppress(JobLookupError):  # it fires at this moment
                    self._scheduler.remove_job(stored.id)
        for job in wanted.values():
            if job.name not in except_for and job.name not in self._one.fired:
                self._add(job, zone)
        self._scheduler.resume()

    def _add(self, job: Job, zone: str) -> None:
        """One that is missed while the machine sleeps fires when it wakes, however late.

        Of those that are due at once, copies are brought up to each other first: what one lacks is no damage.
        """
        when = job.next - timedelta(milliseconds=job.name == "replicate")
        self._scheduler.add_job(
            _RUN_JOB, args=[self._folder, job.name, job.rule.model_dump_json(), zone], id=job.name,
            coalesce=True, misfire_grace_time=None, max_instances=1, replace_existing=True,
            trigger="date", run_date=when,
        )  # fmt: skip

    def _hear(self, event: JobExecutionEvent) -> None:
        self._one.fired.discard(event.job_id)
        self._ended(_run(event))


class _OneAtATime(ThreadPoolExecutor):  # type: ignore[misc]  # APScheduler 3 has no types
    """One job at a time; another waits for its turn. Remembers which have fired."""

    def __init__(self) -> None:
        super().__init__(1)
        self.fired: set[str] = set()

    def _do_submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:
        self.fired.add(job.id)
        super()._do_submit_job(job, run_times)


@contextmanager
def firing(
    settings: Config, ended: Callable[[Run], None], stopping: Callable[[], AbstractContextManager[None]]
) -> Iterator[Timer]:
    """A timer that fires while the block lasts.

    `ended` hears of every run, in another thread. `stopping` ends the running job and lets none begin; on leaving,
    none is running any more.
    """
    logging.getLogger("apscheduler.scheduler").addFilter(_is_news)
    timer = Timer(settings, ended)
    timer.start()
    try:
        yield timer
    finally:
        timer.stop(stopping)


def _run(event: JobExecutionEvent) -> Run:
    if event.exception is None:
        assert isinstance(event.retval, Run)
        return event.retval
    message = f"{type(event.exception).__name__}: {event.exception}"
    return Run(event.job_id, "fail", {"code": "fault", "message": message})


def _store(path: Path) -> SQLAlchemyJobStore:
    """The job store, made anew where it cannot be read. No pool: SQLite's connections stay in their threads."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("pragma schema_version")
    except DatabaseError:
        catalogue.remove(path)
    return SQLAlchemyJobStore(engine=engine)


def _is_news(record: logging.LogRecord) -> bool:
    """A job that is due while it still runs waits for its next time; that is no news."""
    return "maximum number of running" not in str(record.msg)
