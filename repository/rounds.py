"""What rounds read, and in which turn: everything, a slice of what is due, what is new, or a few files at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fixity import schedule
from fixity.audit import Audit, Expected, How, check_all
from fixity.reading import START
from fixity.round import Bounds, Keys, Plan, Scope
from fixity.schedule import Due, Stretch
from policies.audit import AuditPolicy
from policies.window import Window
from repository import coverage, damage, inventory
from repository.coverage import SLICE, Shelf, Task
from repository.reading import Readings, left_out, paced
from repository.watch import came, expected
from storage import cold
from storage.aip import stamp
from storage.away import why_away
from storage.errors import Locked
from storage.store import Store

_NEVER = timedelta(days=36_500)
MISSED = ("missing",)


@dataclass(frozen=True, slots=True)
class Rounds:
    """The rounds of a repository, by its policy."""

    readings: Readings
    policy: AuditPolicy
    _shelves: dict[tuple[str, int], Shelf] = field(default_factory=dict)
    """Of what came with which entry, as long as no entry comes."""

    def whole(self, stores: Sequence[Store], *, fresh: bool = False, cached: bool = False) -> list[Audit]:
        """Read everything in each copy; where that was cut short less than a day ago, what is left, unless `fresh`."""
        ends = self.readings.watch.ends(stores)
        return [self._whole(store, ends[store.name], fresh=fresh, cached=cached) for store in stores]

    def _whole(self, store: Store, end: Audit, *, fresh: bool, cached: bool) -> Audit:
        readings, catalogue = self.readings, self.readings.watch.catalogue
        plan = Plan(store.name, "full", stamp(readings.now()), catalogue.position)
        with readings.lock(plan):
            found = readings.unfinished(plan, cached=cached or not cold.is_cold(store))
            if found and fresh:
                readings.settle(found, store)
                found = None
            readings.watch.progress.begin(f"Auditing {store.name}", *inventory.amount(catalogue))
            limits = self.policy.limits_of(store.name)
            result = readings.carry_out(store, found or plan, self._keys(plan), Bounds(), limits, end, cached=cached)
            readings.watch.progress.end()
        return result

    def due(self, stores: Sequence[Store]) -> list[Audit]:
        """One slice: what is due, where the promise breaks first at first, for half an hour and within the hours of the
        policy. A copy that does not answer is told of once, until it does again."""
        until = self.readings.clock() + SLICE.total_seconds()
        ends = self.readings.watch.ends(stores)
        self._settle(stores)
        results: list[Audit] = []
        for task, store in self._in_turn(stores):
            results += self._slice(task, store, ends, self._over(task, until))
        return results

    def closed(self, stores: Sequence[Store]) -> dict[str, datetime]:
        """The copies of which nothing may be read now, by the hours of the policy, and when it may be again."""
        now, found = self.readings.now(), dict[str, list[Window]]()
        for task in coverage.tasks(self.readings.watch.catalogue, self.policy, [store.name for store in stores]):
            if task.promise.every:
                found.setdefault(task.promise.copy, []).append(coverage.window(self.policy, task.limits))
        shut = {copy: each for copy, each in found.items() if not any(one.is_open(now) for one in each)}
        return {copy: min(one.opens(now) for one in each) for copy, each in shut.items()}

    def _settle(self, stores: Sequence[Store]) -> None:
        """Write down what rounds had read that were killed, unless they can go on or somebody is at them."""
        by_name = {store.name: store for store in stores}
        for one in list(self.readings.journal.under_way()):
            if not self.readings.goes_on(one.plan):
                with suppress(Locked), self.readings.lock(one.plan, patience=0):
                    self.readings.settle(one, by_name.get(one.plan.copy))

    def _in_turn(self, stores: Sequence[Store]) -> Iterator[tuple[Task, Store]]:
        by_name = {store.name: store for store in stores}
        tasks = coverage.tasks(self.readings.watch.catalogue, self.policy, list(by_name))
        for task in sorted((task for task in tasks if task.promise.every), key=self._breaks):
            yield task, by_name[task.promise.copy]

    def _breaks(self, task: Task) -> datetime:
        return min((one.deadline for one in self._found(task)), default=self.readings.now() + _NEVER)

    def _over(self, task: Task, until: float) -> Callable[[], bool]:
        window = coverage.window(self.policy, task.limits)
        return lambda: self.readings.clock() >= until or not window.is_open(self.readings.now())

    def _slice(self, task: Task, store: Store, ends: dict[str, Audit], over: Callable[[], bool]) -> Iterator[Audit]:
        """What the hand is to read for a promise, then what is new in a copy, the oldest first; with the first of them
        goes what became of the ledger's end."""
        if over():
            return
        if why := why_away(store):
            yield from self._missed(store, why)
            return
        if hand := self._hand(task):
            yield self._read(task, store, hand, ends.pop(store.name, Audit(store.name)), over)
        while not task.collection and not over() and (new := schedule.due_new(task.promise, self._found(task))):
            yield (result := self._read(task, store, new, ends.pop(store.name, Audit(store.name)), over))
            if result.counts["not_checked"]:
                return

    def _hand(self, task: Task) -> Due | None:
        gap, open_at = coverage.gap(self.policy), coverage.windows(self.policy, task.limits)
        return schedule.due(task.promise, self._found(task), self._last(task), self.readings.now(), gap, open_at)

    def _found(self, task: Task) -> list[Stretch]:
        catalogue = self.readings.watch.catalogue
        at = (task.named, catalogue.position)
        if at not in self._shelves:
            self._shelves[at] = coverage.shelf(catalogue, task)
        return coverage.stretches(catalogue, task, self._shelves[at], self.readings.now())

    def _last(self, task: Task) -> datetime:
        """When the hand last read for a promise; before it ever did, when the promise began."""
        scopes = ("collection", "full") if task.collection else ("due", "full")
        row = self.readings.watch.catalogue.one(
            "select time from events where type = 'audit' and object = ? and outcome != 'not checked'"
            " and coalesce(json_extract(detail, '$.scope'), 'full') in (?, ?)"
            " and coalesce(json_extract(detail, '$.collection'), ?4) = ?4 order by entry desc limit 1",
            task.promise.copy, *scopes, task.named,
        )  # fmt: skip
        return datetime.fromisoformat(row["time"]) if row else task.promise.since

    def _read(self, task: Task, store: Store, due: Due, end: Audit, over: Callable[[], bool]) -> Audit:
        readings = self.readings
        is_new = due.scope == "new"
        scope: Scope = "new" if is_new else "collection" if task.collection else "due"
        entries = due.end if is_new else readings.watch.catalogue.position
        plan = Plan(store.name, scope, stamp(readings.now()), entries, due.begin, due.after, due.last, task.named)
        bounds = Bounds(None if is_new else due.size, over)
        with readings.lock(plan):
            readings.watch.progress.begin(f"Reading {store.name}", 0, due.size)
            result = readings.carry_out(store, plan, self._keys(plan, task), bounds, task.limits, end)
            readings.watch.progress.end()
        return result

    def _missed(self, store: Store, why: str) -> Iterator[Audit]:
        query = "select outcome from events where type = 'audit' and object = ? order by entry desc limit 1"
        row = self.readings.watch.catalogue.one(query, store.name)
        if row is None or row["outcome"] != "not checked":
            result = Audit(store.name)
            left_out(result, why, inventory.amount(self.readings.watch.catalogue)[0])
            self.readings.note(Plan(store.name, "due", stamp(self.readings.now()), 0), result, START, 0)
            yield result

    def sample(self, store: Store, files: int, chance: random.Random) -> Iterator[Audit]:
        """Read so many keys at random, or fewer; of no other it is said that it was read."""
        if why := why_away(store):
            yield from self._missed(store, why)
            return
        began, limits = self.readings.clock(), self.policy.limits_of(store.name)
        plan = Plan(store.name, "sample", stamp(self.readings.now()), 0)
        draws = min(files, inventory.amount(self.readings.watch.catalogue)[0])
        keys = {one for _ in range(draws) for one in self._somewhere(chance)}
        result = Audit(store.name, cached=not cold.is_cold(store))
        result.add(check_all(store, sorted(keys), How(idle=limits.io_priority == "idle"), paced(limits)))
        self.readings.note(plan, result, START, self.readings.clock() - began)
        yield result

    def restored(self, store: Store) -> Audit | None:
        """Read what audits had missed in a copy, now that it was brought there: until then it stays on record. None
        where nothing was missed."""
        watch, began = self.readings.watch, self.readings.clock()
        with watch.committer.lock():
            missed = list(damage.damaged(watch.catalogue, watch.ledger_ends(), store.name, MISSED))
        if not missed or why_away(store):
            return None
        plan = Plan(store.name, "restored", stamp(self.readings.now()), 0)
        result = Audit(store.name, cached=not cold.is_cold(store))
        result.add(check_all(store, [one.expected for one in missed], How()))
        self.readings.note(plan, result, START, self.readings.clock() - began)
        return result

    def _somewhere(self, chance: random.Random) -> Iterator[Expected]:
        """The blob that follows a name drawn at random, or the first: names are digests, which spread evenly."""
        name = f"{chance.getrandbits(256):064x}"
        catalogue = self.readings.watch.catalogue
        after = next(expected(catalogue, f"blobs/sha256/{name[:3]}/{name}"), None)
        yield from (one for one in (after or next(expected(catalogue), None),) if one)

    def _keys(self, plan: Plan, task: Task | None = None) -> Keys:
        catalogue = self.readings.watch.catalogue
        if task and task.collection:
            producers = task.collection.producers
            return lambda after: inventory.of_producers(catalogue, producers, after, plan.last)
        if plan.scope == "new":
            return lambda after: came(catalogue, plan.begin, plan.end, after, plan.last)
        return lambda after: expected(catalogue, after, plan.last)
