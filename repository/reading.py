"""One reading of one copy, carried out piece by piece and written down as one entry of the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fixity.audit import Audit, Finding, How, Piece, is_damaged
from fixity.pace import Pace
from fixity.reading import END, START
from fixity.round import Bounds, Keys, Plan, Reader, again
from policies.audit import Limits
from repository import inventory
from repository.project_audit import WHOLE
from repository.round_journal import Journal, UnderWay
from repository.watch import Watch, row
from storage import cold
from storage.aip import stamp
from storage.away import why_away
from storage.canonical import Json
from storage.lock import locked
from storage.parallel import Inline
from storage.store import Store

_GOES_ON = timedelta(days=1)
"""A whole reading that was cut short goes on when it is asked for again within this time."""


@dataclass(slots=True)
class _Log:
    """Keeps the journal while a copy is read."""

    journal: Journal
    at: UnderWay

    def note(self, piece: Piece) -> None:
        self.at = self.journal.note(self.at, piece)


@dataclass(frozen=True, slots=True)
class Readings:
    """What readings work with. `clock` is in seconds, `now` the time of day, `patience` in seconds too."""

    watch: Watch
    journal: Journal
    now: Callable[[], datetime]
    patience: float = 60.0
    clock: Callable[[], float] = field(default=time.monotonic)

    def carry_out(
        self, store: Store, begun: Plan | UnderWay, keys: Keys, bounds: Bounds, limits: Limits, end: Audit,
        *, cached: bool = False,
    ) -> Audit:  # fmt: skip
        """Read what a plan says, or what is left of it; raise what `Committer.note` raises. Hold the plan's lock.

        `end` is what became of the ledger's end (`Watch.ends`). Of a copy that goes away in the middle, what was read
        until then counts.
        """
        plan, began = (begun if isinstance(begun, Plan) else begun.plan), self.clock()
        cached = cached or not cold.is_cold(store)
        log = _Log(self.journal, begun if isinstance(begun, UnderWay) else self.journal.begin(plan, cached=cached))
        why = why_away(store) or self._read(store, log, keys, bounds, limits, cached)
        result = again(store, log.at.found, self._is_wanted)
        reached = log.at.reached if why or bounds.stopped else plan.last
        _add(result, end)
        if why:
            left_out(result, why, max(1, inventory.amount(self.watch.catalogue)[0] - result.checked))
        elif plan.scope in WHOLE:
            self.watch.add_extras(store, result, plan.after, reached)
        self.note(plan, result, reached, self.clock() - began)
        self.journal.forget(plan)
        return result

    def _read(self, store: Store, log: _Log, keys: Keys, bounds: Bounds, limits: Limits, cached: bool) -> str:
        """All cores, unless a limit says how fast: then one is enough."""
        pace = paced(limits)
        how = How(cached=cached, idle=log.at.plan.scope != "full" and limits.io_priority == "idle")
        files, size = inventory.amount(self.watch.catalogue)
        alone = nullcontext(Inline())
        with alone if pace.is_bounded else self.watch.executor(files, min(size, bounds.size or size)) as executor:
            return Reader(store, executor, how, pace, self.watch.progress).read(keys, log.at.reached, bounds, log.note)

    def unfinished(self, plan: Plan, *, cached: bool) -> UnderWay | None:
        """A round like this one that was cut short and can go on; whatever else was is written down. Hold its lock."""
        for one in list(self.journal.under_way()):
            if (one.plan.copy, one.plan.scope) == (plan.copy, plan.scope):
                if self.goes_on(one.plan) and one.found.cached == cached:
                    return one
                self.settle(one, None)
        return None

    def goes_on(self, plan: Plan) -> bool:
        began = datetime.fromisoformat(plan.started)
        return plan.scope == "full" and began <= self.now() <= began + _GOES_ON and self._is_of_ours(plan)

    def settle(self, one: UnderWay, store: Store | None) -> None:
        """Write down a round that was cut short, as far as it came; of one of another history nothing."""
        if one.reached > one.plan.after and self._is_of_ours(one.plan):
            found = again(store, one.found, self._is_wanted) if store else one.found
            self.note(one.plan, found, one.reached, 0)
        self.journal.forget(one.plan)

    def _is_of_ours(self, plan: Plan) -> bool:
        return plan.end <= self.watch.catalogue.position

    def note(self, plan: Plan, result: Audit, reached: str, seconds: float) -> None:
        """One entry of the ledger; the list of what was not intact is a blob that it names."""
        detail: dict[str, Json] = {**result.counts, "checked": result.checked, "bytes": result.size}
        detail |= {"scope": plan.scope, "started": plan.started, "seconds": max(1, round(seconds))}
        if reached > plan.after:
            detail["entries"] = [plan.begin, plan.end]
            detail |= {"after": plan.after} if plan.after > START else {}
            detail |= {"last": reached} if reached < END else {}
        detail |= {"collection": plan.collection} if plan.collection else {}
        detail |= {"cached": True} if result.cached else {}
        if result.findings:
            detail["findings"] = str(self.watch.keep_list(map(row, result.findings)))
        outcome = "not checked" if result.counts["not_checked"] else "fail" if is_damaged(result) else "pass"
        self.watch.note("audit", plan.copy, outcome, detail, stamp(self.now()))

    def lock(self, plan: Plan, patience: float | None = None) -> AbstractContextManager[None]:
        """One round of a kind at a time in a copy; raise Locked."""
        path = self.watch.work / f"audit-{plan.copy}-{plan.scope}.lock"
        return locked(path, f"an audit of {plan.copy}", self.patience if patience is None else patience)

    def _is_wanted(self, key: str) -> bool:
        return inventory.is_wanted(self.watch.catalogue, key)


def paced(limits: Limits) -> Pace:
    """As fast as the limits let us."""
    return Pace(
        limits.mb_per_second and limits.mb_per_second * 1e6, limits.files_per_second,
        limits.cpu_percent and limits.cpu_percent / 100,
    )  # fmt: skip


def left_out(result: Audit, why: str, keys: int) -> None:
    """So many keys were not checked: one finding, about no key."""
    result.counts["not_checked"] += keys
    result.findings.append(Finding("not_checked", result.copy, "", why=why))


def _add(result: Audit, other: Audit) -> None:
    result.counts.update(other.counts)
    result.size += other.size
    result.findings.extend(found for found in other.findings if found.key)  # of a copy that is away, one is enough
