"""Health → text for Prometheus (its text format 0.0.4), pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from fixity.schedule import Coverage
from repository.alerts import Told
from repository.health import CopyHealth, Disk, Health
from repository.jobs import PAUSED, Job

Labels = Mapping[str, str]
T = TypeVar("T")
_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Metric(NamedTuple):
    """A name, what it means, and its values by labels; None where there is none. All are gauges: what is counted anew
    from the catalogue may fall."""

    name: str
    help: str
    values: Sequence[tuple[Labels, int | None]]


def render(health: Health | None, alerts: Sequence[Told], now: datetime) -> str:
    """All metrics as text; where the repository cannot be opened, that alone, and the alerts."""
    return "".join(text(metric) for metric in metrics(health, alerts, now))


def metrics(health: Health | None, alerts: Sequence[Told], now: datetime) -> Iterator[Metric]:
    """Yield every metric; times are in seconds, since 1970 where they are moments."""
    yield Metric("tianyi_up", "Whether the repository could be opened.", [({}, int(health is not None))])
    yield Metric("tianyi_written_timestamp_seconds", "When this was written.", [({}, int(now.timestamp()))])
    kinds = Counter(one.fault.kind for one in alerts)
    yield Metric("tianyi_alerts_open", "Faults that are open.", [({}, len(alerts))])
    yield Metric(
        "tianyi_alerts", "Faults that are open, by kind.", [({"kind": k}, n) for k, n in sorted(kinds.items())]
    )
    if health:
        yield from (Metric(name, told, [({}, value(health))]) for name, told, value in _HELD)
        yield from _each(_COPIES, health.copies, lambda copy: {"copy": copy.name}, now)
        promised = [one for one in health.coverage if one.state != "attested"]
        yield from _each(_COVERAGE, promised, lambda one: {"copy": one.copy, "collection": one.collection}, now)
        yield from _each(_JOBS, health.jobs, lambda job: {"job": job.name}, now)
        outcomes = [({"job": job.name, "outcome": job.result}, 1) for job in health.jobs if job.result]
        yield Metric("tianyi_job_last_run_outcome", "1 for the outcome that a job's last run had.", outcomes)
        yield from _each(_DISKS, health.disks, lambda disk: {"holds": ", ".join(disk.holds)}, now)


def text(metric: Metric) -> str:
    """One metric; "" where it has no value."""
    lines = [f"{metric.name}{_labels(labels)} {value}" for labels, value in metric.values if value is not None]
    if not lines:
        return ""
    return "\n".join([f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge", *lines, ""])


_Row = tuple[str, str, Callable[[T, datetime], int | None]]


def _each(
    table: Iterable[_Row[T]], rows: Sequence[T], labels: Callable[[T], Labels], now: datetime
) -> Iterator[Metric]:
    for name, told, value in table:
        yield Metric(name, told, [(labels(row), value(row, now)) for row in rows])


def _age(moment: datetime | None, now: datetime) -> int | None:
    return int((now - moment).total_seconds()) if moment else None


def _moment(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None


def _labels(labels: Labels) -> str:
    told = ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


_HELD: Sequence[tuple[str, str, Callable[[Health], int]]] = (
    ("tianyi_aips", "AIPs held.", lambda health: health.aips),
    ("tianyi_versions", "Versions of AIPs held.", lambda health: health.versions),
    ("tianyi_files", "Files of AIPs held.", lambda health: health.files),
    ("tianyi_content_bytes", "Bytes of AIPs held, once a file, in one copy.", lambda health: health.bytes),
    ("tianyi_ledger_entries", "Entries of the ledger.", lambda health: health.entries),
)
_COPIES: Sequence[_Row[CopyHealth]] = (
    ("tianyi_copy_present", "Whether a copy answers.", lambda copy, now: int(not copy.away)),
    ("tianyi_copy_damaged_files", "Files found damaged and not healed.", lambda copy, now: copy.damaged),
)  # fmt: skip
_COVERAGE: Sequence[_Row[Coverage]] = (
    ("tianyi_coverage_kept", "Whether all was read again as promised.", lambda one, now: int(one.state != "broken")),
    ("tianyi_coverage_at_risk", "Whether that promise will break.", lambda one, now: int(one.state == "at risk")),
    (
        "tianyi_coverage_oldest_reading_age_seconds", "Since what was read longest ago was read.",
        lambda one, now: _age(one.oldest, now),
    ),
    ("tianyi_coverage_unread_bytes", "Bytes that were never read again.", lambda one, now: one.unread),
)  # fmt: skip
_JOBS: Sequence[_Row[Job]] = (
    (
        "tianyi_job_last_run_timestamp_seconds", "When a job's last run began.",
        lambda job, now: _moment(job.last),
    ),
    (
        "tianyi_job_last_run_duration_seconds", "How long it took.",
        lambda job, now: job.seconds if job.last else None,
    ),
    ("tianyi_job_failures", "Runs in a row that failed.", lambda job, now: job.failures),
    (
        "tianyi_job_next_run_timestamp_seconds", "When a job falls due.",
        lambda job, now: None if job.state == PAUSED else _moment(job.next),
    ),
    ("tianyi_job_paused", "Whether somebody has paused a job.", lambda job, now: int(job.state == PAUSED)),
)  # fmt: skip
_DISKS: Sequence[_Row[Disk]] = (
    ("tianyi_disk_size_bytes", "Size of a file system.", lambda disk, now: disk.size),
    ("tianyi_disk_free_bytes", "What is free of it.", lambda disk, now: disk.free),
)
