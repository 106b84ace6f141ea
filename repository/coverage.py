"""How the promises of coverage stand: policy, ledger and catalogue as what fixity.schedule asks for."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from math import ceil

from fixity import schedule
from fixity.reading import Reading
from fixity.schedule import Coverage, Means, Promise, Stretch
from policies.audit import AuditPolicy, Collection, Limits
from policies.timetable import hours
from policies.window import Window, Windows, parsed
from repository import inventory
from repository.catalogue import Catalogue
from repository.jobs import is_paused
from repository.words import span
from storage import bundle
from storage.canonical import canonical
from storage.digest import sha256

SLICE = timedelta(minutes=30)
"""How long the job `audit` reads at a time, so that others get their turn."""
_ENOUGH = 64 << 20  # bytes of a reading that tell how fast a copy is
_DAY = timedelta(days=1)
_RECENT = 20  # readings whose speed counts

_CAME = """
select entry, added as size from versions
union all select entry, size from evidence
union all select entry, file_size from deleted
order by entry
"""
_OURS = frozenset({"migration", "characterization"})
"""Reasons of versions that say nothing of a producer."""


@dataclass(frozen=True)
class Shelf:
    """What came with which entry of the ledger (`fixity.schedule.Holdings`), of everything or of some producers."""

    catalogue: Catalogue
    producers: Sequence[str] = ()

    @property
    def entries(self) -> int:
        return self.catalogue.position

    @cached_property
    def size(self) -> int:
        return self._sums[-1] if self.producers else inventory.amount(self.catalogue)[1]

    def first(self, begin: int, end: int) -> tuple[int, datetime] | None:
        at = bisect_left(self._entries, begin)
        if at == len(self._entries) or self._entries[at] >= end:
            return None
        return self._entries[at], self._time(self._entries[at])

    def came(self, begin: int, end: int) -> int:
        """What several AIPs share came with the first; the sum is cut to what there is."""
        low, high = bisect_left(self._entries, begin), bisect_left(self._entries, end)
        everything = self._sums[-1]
        return (self._sums[high] - self._sums[low]) * min(self.size, everything) // (everything or 1)

    @cached_property
    def _came(self) -> list[tuple[int, int]]:
        if self.producers:
            return sorted(_of_producers(self.catalogue, self.producers))
        rows = [(row["entry"], row["size"]) for row in self.catalogue.rows(_CAME)]
        bundles = self.entries // bundle.WIDTH
        rows += [((number + 1) * bundle.WIDTH - 1, 0) for number in range(bundles)]
        return sorted([(0, 0), *rows])

    @cached_property
    def _entries(self) -> array[int]:
        return array("q", (entry for entry, _ in self._came))

    @cached_property
    def _sums(self) -> array[int]:
        return array("q", accumulate((size for _, size in self._came), initial=0))

    def _time(self, entry: int) -> datetime:
        row = self.catalogue.one("select time from events where entry >= ? order by entry limit 1", entry)
        return datetime.fromisoformat(row["time"]) if row else datetime.max.replace(tzinfo=UTC)


def _of_producers(catalogue: Catalogue, producers: Sequence[str]) -> Iterator[tuple[int, int]]:
    """An AIP may come to a producer with a later delivery: then all of it is new to the collection."""
    query = (
        "select v.aip, v.entry, v.added, v.reason from versions v join aips a on a.aip = v.aip"
        f" where a.producer in ({', '.join('?' * len(producers))}) order by v.aip, v.version desc"
    )
    since: dict[str, int] = {}
    for row in catalogue.rows(query, *producers):
        if row["reason"] not in _OURS:
            since.setdefault(row["aip"], row["entry"])
        yield max(row["entry"], since.get(row["aip"], 0)), row["added"]


@dataclass(frozen=True, slots=True)
class Task:
    """A promise with what it is about: everything, or a collection of the policy."""

    promise: Promise
    limits: Limits
    collection: Collection | None = None

    @property
    def named(self) -> str:
        """What a reading of this collection alone is called in the ledger: by what it matched, since a policy may give
        its name to others; no producer is named."""
        if not self.collection:
            return ""
        return str(sha256(canonical({"producers": sorted(self.collection.producers)})))


def tasks(catalogue: Catalogue, policy: AuditPolicy, copies: Sequence[str]) -> list[Task]:
    """Every promise of the policy about these copies; a collection's only where it is the stricter one."""
    found = []
    for copy in copies:
        since, entry = _since(catalogue, copy)
        own, limits = policy.copies.get(copy), policy.limits_of(copy)
        every, attested = policy.every_of(copy), (own.attested if own else "") or ""
        found.append(Task(Promise(copy, every, since, entry, "", policy.new, attested), limits))
        for name, collection in policy.collections.items():
            if every and collection.every < every:
                found.append(Task(Promise(copy, collection.every, since, entry, name, policy.new), limits, collection))
    return found


def _since(catalogue: Catalogue, copy: str) -> tuple[datetime, int]:
    """When a copy became one, and with which entry: with the vault, or when it was added."""
    row = catalogue.one(
        "select time, entry from events where type = 'configuration' and object = ? and outcome = 'added'"
        " order by entry desc limit 1", copy,
    )  # fmt: skip
    if row:
        return datetime.fromisoformat(row["time"]), row["entry"]
    row = catalogue.one("select time from events order by entry limit 1")
    return (datetime.fromisoformat(row["time"]) if row else datetime.min.replace(tzinfo=UTC)), 0


def readings(catalogue: Catalogue, task: Task) -> Iterator[Reading]:
    """What was read of it, the newest first."""
    query = "select * from readings where copy = ? and collection in ('', ?) order by time desc, entry desc"
    for row in catalogue.rows(query, task.promise.copy, task.named):
        time = datetime.fromisoformat(row["time"])
        yield Reading(row["after"], row["last"], row["first_entry"], row["end_entry"], time)


def shelf(catalogue: Catalogue, task: Task) -> Shelf:
    return Shelf(catalogue, task.collection.producers if task.collection else ())


def stretches(catalogue: Catalogue, task: Task, held: Shelf, now: datetime) -> list[Stretch]:
    return schedule.stretches(task.promise, readings(catalogue, task), held, now) if task.promise.every else []


def coverage(catalogue: Catalogue, policy: AuditPolicy, copies: Sequence[str], now: datetime) -> list[Coverage]:
    """How each promise stands, copy by copy, its collections after it."""
    found, shelves = [], dict[str, Shelf]()
    for task in tasks(catalogue, policy, copies):
        held = shelves.setdefault(task.named, shelf(catalogue, task))
        needs = stretches(catalogue, task, held, now)
        ability = means(catalogue, policy, task, len(copies))
        found.append(schedule.coverage(task.promise, needs, held, ability, now, rare(catalogue, policy, task)))
    return found


def rare(catalogue: Catalogue, policy: AuditPolicy, task: Task) -> str:
    """What would make rounds come often enough for a promise, "" where they do: twice within its time at least."""
    if not (every := task.promise.every):
        return ""
    if is_paused(catalogue, "audit"):
        return "The job `audit` is paused: `tianyi jobs resume audit`."
    open_at = windows(policy, task.limits)
    if not open_at.share:
        return "The hours of `limits` and those of the job `audit` are never the same: change one of them."
    longest = gap(policy) + open_at.longest_closed
    if longest * 2 <= every:
        return ""
    told = f"From one round to the next it may be {span(longest)}"
    return f"{told}: let the job `audit` run more often, or raise `every` to {ceil(longest * 2 / _DAY)} days."


def means(catalogue: Catalogue, policy: AuditPolicy, task: Task, copies: int) -> Means | None:
    """What reading a copy can count on; None where nobody knows yet how fast it is."""
    limit, unit, allowed = _limit(catalogue, task.limits)
    measured = speed(catalogue, task.promise.copy)
    if not (fast := min(filter(None, (measured, allowed)), default=None)):
        return None
    share = min(1.0, SLICE / gap(policy)) if gap(policy) else 1.0
    seconds = 86_400 * windows(policy, task.limits).share * share / max(1, copies)
    return Means(fast, seconds, limit, unit, gap(policy))


def _limit(catalogue: Catalogue, limits: Limits) -> tuple[str, float, float | None]:
    """The limit of speed that holds reading down most: its name, what one of it comes to in bytes a second, and all of
    it; where there is none, no name."""
    keys, size = inventory.amount(catalogue)
    units = {"mb_per_second": 1e6, "files_per_second": size / max(1, keys)}
    set_to = ((name, unit, getattr(limits, name)) for name, unit in units.items())
    found = [(name, unit, unit * count) for name, unit, count in set_to if count]
    return min(found, key=lambda one: one[2], default=("", 1.0, None))


def gap(policy: AuditPolicy) -> timedelta:
    """From one slice to the next."""
    job = policy.jobs.get("audit")
    return job.every if job else timedelta(days=1)


def window(policy: AuditPolicy, limits: Limits) -> Window:
    return parsed(limits.hours, limits.days, policy.zone)


def windows(policy: AuditPolicy, limits: Limits) -> Windows:
    """When rounds of the scheduler read: in the hours of the limits that are also those of the job `audit`."""
    job = policy.jobs.get("audit")
    return Windows((window(policy, limits), *([hours(job, policy.zone)] if job else [])))


def speed(catalogue: Catalogue, copy: str) -> float | None:
    """Bytes a second of the last readings that were long enough to tell; None where there was none."""
    rows = catalogue.rows(
        "select detail from events where type = 'audit' and object = ? order by entry desc limit ?", copy, 5 * _RECENT
    )
    known = [detail for row in rows if (detail := json.loads(row["detail"])).get("bytes", 0) >= _ENOUGH]
    known = [detail for detail in known if detail.get("seconds")][:_RECENT]
    seconds = sum(_number(detail, "seconds") for detail in known)
    return sum(_number(detail, "bytes") for detail in known) / seconds if seconds else None


def _number(detail: Mapping[str, int], name: str) -> int:
    return int(detail.get(name, 0))


def read_in_full(catalogue: Catalogue, copy: str, now: datetime) -> datetime | None:
    """The time since which every byte of a copy was read, but for what came since; None where some never was."""
    since, entry = _since(catalogue, copy)
    held = Shelf(catalogue)
    task = Task(Promise(copy, timedelta(days=1), since, entry), Limits())  # a day only says how exact times are
    found = stretches(catalogue, task, held, now)
    times = [one.cell.time for one in found if one.cell.time]
    oldest = min(times, default=None)
    unread = [one for one in found if one.cell.time is None]
    if oldest is None or any(one.came < oldest for one in unread):
        return None
    return oldest
