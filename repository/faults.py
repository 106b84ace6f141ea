"""Health → what a person has to see to, pure. Each fault says what is wrong and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from fixity.schedule import Coverage
from policies.alerts import AlertsPolicy
from repository.alerts import Fault, full_in
from repository.health import CopyHealth, Disk, Health, Latest
from repository.jobs import PAUSED, Job
from repository.words import counted
from storage.aip import SKEW

Samples = Mapping[str, Sequence[tuple[datetime, int]]]
"""By what a disk holds: how many bytes were free on it, and when."""


def faults(health: Health, policy: AlertsPolicy, samples: Samples, now: datetime) -> list[Fault]:
    """All faults of the kinds that the policy wants told, the gravest kinds first."""
    found = [
        *_of_ledger(health), *_of_copies(health.copies), *_of_scan(health), *_of_promise(health.coverage),
        *_of_jobs(health.jobs), *_of_disks(health.disks, policy, samples, now), *_of_policy(health),
        *_of_clock(health.latest, now),
    ]  # fmt: skip
    return [fault for fault in found if fault.kind in policy.kinds]


def _of_ledger(health: Health) -> Iterator[Fault]:
    if health.changed:
        told = f"{health.changed} Nothing more is written to it."
        yield Fault("ledger", health.vault, told, "`tianyi ledger verify` tells more; docs/how-to/check-the-ledger.md.")
    elif health.aside:
        told = f"The ledger has not the entries that the catalogue knew, which is kept: {health.aside}."
        yield Fault("ledger", health.vault, told, "Find out whether an older copy was put first.")
    if health.untold:
        told = f"No entry of the ledger tells of {counted(health.untold, 'version')} that the vault holds."
        why = "Was an older ledger put back, or were entries lost with a copy? `tianyi ledger verify` names them"
        yield Fault("ledger", "records", told, f"{why}; if the entries are lost for good, `tianyi ledger recover`.")
    for name in health.contradicted:
        told = f"The witness {name} has seen another history: this ledger, or what the witness has, was changed."
        yield Fault("ledger", f"witness {name}", told, "Change nothing; docs/how-to/publish-checkpoints.md tells more.")
    if health.unsigned:
        told = f"What is written to the ledger is not signed. {health.unsigned}"
        yield Fault("ledger", "key", told, "Bring the key back, or `tianyi ledger replace-lost-key`.")


def _of_copies(copies: Iterable[CopyHealth]) -> Iterator[Fault]:
    for copy in copies:
        if copy.damaged:
            told = f"Copy {copy.name} has {counted(copy.damaged, 'file')} altered, missing or unreadable."
            yield Fault("damage", copy.name, told, "`tianyi repair --dry-run` tells what can be healed; then repair.")
        if copy.away:
            told = f"Copy {copy.name} is away: {copy.away.removesuffix('.')}."
            yield Fault("away", copy.name, told, "See that its disk is mounted, or its store answers.")


def _of_scan(health: Health) -> Iterator[Fault]:
    if health.infected:
        told = f"A virus scan found something in {counted(health.infected, 'file')}."
        yield Fault("infected", health.vault, told, "`tianyi events` names the scan, and its list the files.")


def _of_promise(coverage: Iterable[Coverage]) -> Iterator[Fault]:
    for one in coverage:
        about = f"{one.copy} ({one.collection})" if one.collection else one.copy
        if one.state == "broken":
            told = f"Not every byte of {about} was read again in time: the promise broke {_day(one.breaks)}."
            yield Fault("promise", about, told, one.advice or _LOOK)
        elif one.state == "at risk":
            told = f"Not every byte of {about} will be read again in time: the promise breaks {_day(one.breaks)}."
            yield Fault("promise", about, told, one.advice or _LOOK)


def _of_jobs(jobs: Iterable[Job]) -> Iterator[Fault]:
    for job in jobs:
        if job.failures > job.rule.retries and job.state != PAUSED:
            told = f"The job {job.name} failed {counted(job.failures, 'time')} in a row."
            told += f" The last time: {job.message}" if job.message else ""
            yield Fault("job", job.name, told, f"`tianyi jobs history {job.name}` tells why.")
        if (job.name, job.result) == ("repair", "limit"):
            told = "More is damaged than the policy lets the job repair heal in a day, as on a disk that fails."
            yield Fault("repair", job.name, told, "Look at the disk; `tianyi repair` by hand has no limit.")


def _of_disks(disks: Iterable[Disk], policy: AlertsPolicy, samples: Samples, now: datetime) -> Iterator[Fault]:
    for disk in disks:
        about, left = ", ".join(disk.holds), full_in(samples.get(", ".join(disk.holds), ()), disk.free, now)
        if disk.free * 100 < disk.size * policy.disk_free:
            told = f"{disk.free * 100 // disk.size} % of the disk of {about} are free."
            yield Fault("disk", about, told, "Make room, or move the copy to a larger disk.")
        elif left is not None and left < policy.disk_full_within:
            told = f"The disk of {about} is full in {counted(left // timedelta(days=1), 'day')} if it goes on so."
            yield Fault("disk", about, told, "Make room, or move the copy to a larger disk.")


def _of_policy(health: Health) -> Iterator[Fault]:
    if health.wrong:
        yield Fault("policy", "policies", health.wrong, "Correct it; until then jobs go by what was in force.")


def _of_clock(latest: Latest | None, now: datetime) -> Iterator[Fault]:
    """A clock that was set back, or went ahead before; once entries have come for a while by the one that is right now,
    it has been told long enough."""
    if latest is None or latest.time <= now + SKEW:
        return
    if latest.after is None or now - latest.after < _A_WHILE:
        told = f"Entry {latest.entry} of the ledger is of {latest.time:%Y-%m-%d}, and the clock says {now:%Y-%m-%d}."
        yield Fault("clock", "clock", told, "Find out which is wrong, and let a time service keep the clock.")


_A_WHILE = timedelta(days=7)
_LOOK = "`tianyi audit status` tells more."


def _day(moment: datetime | None) -> str:
    return f"on {moment:%Y-%m-%d}" if moment else "at a time that is not known"
