"""Scheduled jobs as values: what policy and ledger say of them. Nothing is run from here.

The ledger knows when a job last ran, so that the answer is the same without a scheduler, and after a rebuild.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.happenings import SCHEDULER
from policies import cadence
from policies.audit import AuditPolicy
from repository.catalogue import Catalogue
from storage.aip import stamp

AGENT = SCHEDULER


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the policy. `last` is when its last run began, `next` when it falls due, which may be past; both to
    the second. `result` is the last run's outcome, "" where it never ran."""

    name: str
    every: timedelta
    next: datetime
    last: datetime | None
    result: str


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one run. `outcome` is success, damage, limit, infected, incomplete, fail, or interrupted, which is
    not in the ledger; `detail` has counts, `seconds` (whole), and `code` and `message` where it failed."""

    name: str
    outcome: str
    detail: Mapping[str, str | int]


def agenda(catalogue: Catalogue, policy: AuditPolicy, now: datetime) -> list[Job]:
    """Every job of the policy by name, with its last run and when it falls due."""
    return [_job(catalogue, name, policy.jobs[name].every, now) for name in sorted(policy.jobs)]


def due_copies(catalogue: Catalogue, names: list[str], every: timedelta, now: datetime) -> list[str]:
    """The copies of which the last reading is older than `every`, or could not be finished; in the order given."""
    return [name for name in names if cadence.due(last_reading(catalogue, name), every, now)]


def wire(job: Job) -> dict[str, Any]:
    """A job as JSON tells it."""
    return {
        "name": job.name, "every": job.every // timedelta(seconds=1), "next": stamp(job.next),
        "last": stamp(job.last) if job.last else None, "result": job.result or None,
    }  # fmt: skip


def wire_run(run: Run) -> dict[str, Any]:
    return {"name": run.name, "outcome": run.outcome, **run.detail}


def _job(catalogue: Catalogue, name: str, every: timedelta, now: datetime) -> Job:
    row = catalogue.one(
        "select time, outcome, detail from events where type = 'job' and object = ? order by entry desc limit 1", name
    )
    last = _began(row) if row else None
    return Job(name, every, cadence.next_due(last, every, now), last, row["outcome"] if row else "")


def _began(row: Mapping[str, Any]) -> datetime:
    """An entry is written when its run ends; the time from one run to the next counts from beginnings."""
    return datetime.fromisoformat(row["time"]) - timedelta(seconds=json.loads(row["detail"]).get("seconds", 0))


def last_reading(catalogue: Catalogue, copy: str) -> datetime | None:
    """When a copy was last read as a whole, since it was declared; an audit that met an absent copy has not read it."""
    row = catalogue.one(
        "select time from events where type = 'audit' and object = ?1 and outcome != 'not checked' and entry >"
        " coalesce((select max(entry) from events where type = 'configuration' and object = ?1"
        " and outcome = 'added'), 0)"
        " order by entry desc limit 1",
        copy,
    )
    return datetime.fromisoformat(row["time"]) if row else None
