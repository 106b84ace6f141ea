"""Scheduled jobs as values: what policy and ledger say of them. Nothing is run from here.

The ledger knows when a job last ran and whether it is paused, so that the answer is the same without a scheduler, and
after a rebuild.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from policies import jobs, timetable
from policies.audit import AuditPolicy
from policies.timetable import Past
from repository.catalogue import Catalogue

FAILED, INTERRUPTED = ("fail", "stopped"), "interrupted"
"""Outcomes after which a job is tried again; all others are answers, but for the last, which is on no record."""
WAITING, DUE, PAUSED, RETRYING, FAILING, RUNNING = "waiting", "due", "paused", "retrying", "failing", "running"


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the policy. `last` is when its last run began, `next` when it falls due, which may be past; both to
    the second. `result` is the last run's outcome, "" where it never ran, `seconds` how long that took; `failures`
    counts the runs in a row that failed by now; `state` is waiting, due, retrying, failing, paused or running; `why`
    it is paused; `rule` is what the policy says of it; `message` is why the last run failed, "" where it did not."""

    name: str
    rule: jobs.Job
    next: datetime
    last: datetime | None
    result: str
    seconds: int = 0
    failures: int = 0
    state: str = WAITING
    why: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one run. `outcome` is success, damage, limit, infected, incomplete, fail, stopped (it took too
    long), or interrupted, which is not in the ledger; `detail` has counts, `seconds` (whole), and `code` and `message`
    where it failed; `ended` is UTC with a Z, "" where it is not on record."""

    name: str
    outcome: str
    detail: Mapping[str, str | int]
    ended: str = ""
    agent: str = ""


RESUMABLE = frozenset({"audit"})
"""Jobs that lose little when they are asked to stop: where their hours end, they are."""


def lock_of(work: Path, name: str) -> Path:
    """The lock that a job's run holds."""
    return work / f"job-{name}.lock"


def agenda(
    catalogue: Catalogue, policy: AuditPolicy, now: datetime, unnoted: Mapping[str, Past] | None = None
) -> list[Job]:
    """Every job of the policy by name, with its last run and when it falls due.

    `unnoted` has runs, by name, of which no entry tells, since they were abandoned or nothing could be written.
    """
    seen = unnoted or {}
    return [_job(catalogue, policy, name, now, seen.get(name)) for name in sorted(policy.jobs)]


def is_paused(catalogue: Catalogue, name: str) -> bool:
    return _paused(catalogue, name) is not None


def history(catalogue: Catalogue, name: str = "", most: int = 50) -> Iterator[Run]:
    """Yield the last runs, of every job or of one, the newest first."""
    query = (
        "select object, outcome, detail, time, agent from events where type = 'job' and (object = ?1 or ?1 = '')"
        " order by entry desc limit ?2"
    )
    for row in catalogue.rows(query, name, most):
        yield Run(row["object"], row["outcome"], json.loads(row["detail"]), row["time"], row["agent"])


def _job(catalogue: Catalogue, policy: AuditPolicy, name: Any, now: datetime, unnoted: Past | None) -> Job:
    rule, row = policy.jobs[name], _last(catalogue, name)
    detail = json.loads(row["detail"]) if row else {}
    past = _past(catalogue, name, row) if row else None
    last = past.began if past else None
    reckoned = _with_unnoted(past, unnoted)
    why = _paused(catalogue, name)
    state = PAUSED if why is not None else _state(rule, past, policy.zone, now)
    return Job(
        name, rule, timetable.next_run(rule, reckoned, policy.zone, now), last, row["outcome"] if row else "",
        detail.get("seconds", 0), past.failures if past else 0, state, why or "", str(detail.get("message", "")),
    )  # fmt: skip


def _state(rule: jobs.Job, past: Past | None, zone: str, now: datetime) -> str:
    if timetable.is_failing(rule, past):
        return FAILING
    if past and past.failures:
        return RETRYING
    return DUE if timetable.next_run(rule, past, zone, now) <= now else WAITING


def _last(catalogue: Catalogue, name: str) -> Mapping[str, Any] | None:
    return catalogue.one(
        "select entry, time, outcome, detail from events where type = 'job' and object = ? order by entry desc limit 1",
        name,
    )


def _past(catalogue: Catalogue, name: str, row: Mapping[str, Any]) -> Past:
    """An entry is written when its run ends; the time from one run to the next counts from beginnings."""
    ended = datetime.fromisoformat(row["time"])
    began = ended - timedelta(seconds=json.loads(row["detail"]).get("seconds", 0))
    return Past(began, ended, _failures(catalogue, name) if row["outcome"] in FAILED else 0)


def _failures(catalogue: Catalogue, name: str) -> int:
    row = catalogue.one(
        "select count(*) as failures from events where type = 'job' and object = ?1 and entry > coalesce("
        "(select max(entry) from events where type = 'job' and object = ?1 and outcome not in (?2, ?3)), -1)",
        name, *FAILED,
    )  # fmt: skip
    return int(row["failures"]) if row else 0


def _with_unnoted(past: Past | None, unnoted: Past | None) -> Past | None:
    return past if unnoted is None or (past and past.ended >= unnoted.ended) else unnoted


def _paused(catalogue: Catalogue, name: str) -> str | None:
    """Why a job is paused, None where it is not."""
    row = catalogue.one(
        "select type, detail from events where type in ('pause', 'resumption') and object = ? order by entry desc"
        " limit 1",
        name,
    )
    return str(json.loads(row["detail"]).get("why", "")) if row and row["type"] == "pause" else None
