"""APScheduler, which fires the jobs of a plan at their times, one after another.

Its job store at work/jobs.db outlives it and can be lost at no cost: who starts puts in what the ledger says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import DatabaseError

from repository import catalogue
from repository.config import Config
from repository.jobs import Job, Run

_RUN_JOB = "repository.scheduler:run_job"  # kept in the store by this name


@contextmanager
def firing(
    settings: Config, plan: Sequence[Job], ended: Callable[[Run], None],
    stopping: Callable[[], AbstractContextManager[None]], *, once: bool,
) -> Iterator[None]:  # fmt: skip
    """Fire the jobs while the block lasts: each at its `next` and then `every` so often, or `once`.

    `ended` hears of every run, in another thread. `stopping` ends the running job and lets none begin; on leaving,
    none is running any more.
    """
    logging.getLogger("apscheduler.scheduler").addFilter(_is_news)
    scheduler = BackgroundScheduler(
        timezone=UTC,
        jobstores={"default": _store(settings.work / "jobs.db")},
        executors={"default": ThreadPoolExecutor(1)},  # one job at a time; another waits for its turn
    )
    scheduler.add_listener(lambda event: ended(_run(event)), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.start(paused=True)
    try:
        scheduler.remove_all_jobs()
        for job in plan:
            _add(scheduler, str(settings.folder), job, once)
        scheduler.resume()
        yield
    finally:
        scheduler.pause()
        with stopping():
            scheduler.shutdown()


def _add(scheduler: BackgroundScheduler, folder: str, job: Job, once: bool) -> None:
    """Runs that were missed while the machine slept fire as one, however late.

    Of those that are due at once, copies are brought up to each other first: what one lacks is no damage.
    """
    if job.name == "replicate":
        job = replace(job, next=job.next - timedelta(milliseconds=1))
    when = {"trigger": "date", "run_date": job.next} if once else {
        "trigger": "interval", "seconds": job.every.total_seconds(), "next_run_time": job.next,
    }  # fmt: skip
    scheduler.add_job(
        _RUN_JOB, args=[folder, job.name], id=job.name, coalesce=True, misfire_grace_time=None,
        max_instances=1, **when,
    )  # fmt: skip


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
