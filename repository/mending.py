"""Repair of a repository: what audits found damaged is healed from whichever copy reads right, and written down."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from fixity.audit import Expected, check
from fixity.outcome import Altered
from fixity.repair import Damage, Mend, Repair, plan
from repository import strays
from repository.watch import Watch, expected, last_bundle
from storage import layout
from storage.errors import StorageError
from storage.ledger import Ledger
from storage.parallel import portions
from storage.spool import Spool
from storage.store import Opens, Store


class Mended(NamedTuple):
    """What came of a repair: what was healed (or would be), and what could not be."""

    healed: Spool[Mend]
    beyond: Spool[Mend]


@dataclass(frozen=True, slots=True)
class Mending:
    """Repairs of the copies that a watch is over."""

    watch: Watch

    def plan(self) -> Mended:
        """What `repair` would heal, and what no copy has whole; nothing is changed."""
        copies = self.watch.committer.vault.copies
        sources = [*copies, *self.watch.sources]
        done = Mended(Spool(), Spool())
        for store in copies:
            put_aside = (strays.plan(store, stray) for stray in strays.strays(self.watch.catalogue, store.name))
            for mend in chain(plan(self._damage(store.name), sources), put_aside):
                (done.healed if mend.source else done.beyond).append(mend)
        return done

    def repair(self) -> Mended:
        """Heal what audits found, copy by copy."""
        done = Mended(Spool(), Spool())
        for store in self.watch.committer.vault.copies:
            self._repair(store, done)
            self._put_aside(store, done)
        return done

    def _damage(self, copy: str) -> Iterator[Damage]:
        """Yield what audits found damaged and is still expected, ascending by key, as both sides do."""
        last = last_bundle(self.watch.catalogue)
        known = heapq.merge(expected(self.watch.catalogue), [last] if last else [])
        query = "select key from damage where copy = ? and outcome in ('altered', 'missing', 'unreadable') order by key"
        upcoming = next(known, None)
        for row in self.watch.catalogue.rows(query, copy):
            while upcoming and upcoming.key < row["key"]:
                upcoming = next(known, None)
            if upcoming and upcoming.key == row["key"]:
                yield Damage(copy, upcoming)

    def _repair(self, store: Store, done: Mended) -> None:
        """Heal one copy group by group, each written down at once: one that is killed goes on from there."""
        sources = [*self.watch.committer.vault.copies, *self.watch.sources]
        repair = Repair(store, sources, self.watch.work, f"repair-{self.watch.new_id()}", self._set_aside)
        damage, conflicts = _ranked(self._damage(store.name), lambda one: self._is_conflict(store, one.expected))
        done.beyond.extend(Mend(one, "") for one in conflicts)
        for group in _groups(damage):
            with self._lock_for(group):
                healed, left = repair.heal(group)
            self.note_healed(store.name, healed)
            done.healed.extend(healed)
            done.beyond.extend(left)

    def _put_aside(self, store: Store, done: Mended) -> None:
        for stray in list(strays.strays(self.watch.catalogue, store.name)):
            with self.watch.committer.lock():
                mend = strays.put_aside(store, stray, self._set_aside)
            if mend.source:
                self.note_healed(store.name, [mend])
            (done.healed if mend.source else done.beyond).append(mend)

    def _is_conflict(self, store: Store, expected: Expected) -> bool:
        """Whether two whole things contradict each other, which is for a person, never for a machine: a record that is
        another than the ledger tells of, or a ledger of another history."""
        if expected.key.startswith(layout.LOG):
            return Ledger(store).is_forked_from(Ledger(self.watch.committer.vault.first))
        return _is_another_record(store, expected)

    def note_healed(self, copy: str, healed: Sequence[Mend]) -> None:
        """Write down what was healed in a copy, some at a time: an entry is small."""
        for some in portions(healed, 200):
            sources = sorted({name for mend in some for name in mend.source.split(", ")})
            keys = [mend.damage.expected.key for mend in some]
            self.watch.note("repair", copy, "success", {"repaired": keys, "from": sources})

    def _lock_for(self, group: Sequence[Damage]) -> AbstractContextManager[None]:
        """Records and the ledger change under the commit lock alone; blobs do not change at all."""
        return nullcontext() if layout.blob_digest(group[0].expected.key) else self.watch.committer.lock()

    def _set_aside(self, store: Store, key: str) -> bool:
        """Keep what was damaged, outside the copy, for whoever wants to know why; return whether it is there."""
        folder = self.watch.work / "quarantine" / store.name / self.watch.time.replace(":", "")
        target = folder / key.replace("/", "_")
        with suppress(StorageError, OSError), store.open(key) as stream:
            folder.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                shutil.copyfileobj(stream, file)
            return True
        return False


def _is_another_record(store: Opens, expected: Expected) -> bool:
    """Whether a record agrees with itself and is another than the ledger tells of.

    (One that is right already was healed by a repair that was killed before it could say so.)
    """
    with suppress(StorageError, OSError):
        its_own = layout.record_name(expected.key) and strays.is_record(store, expected.key)
        return bool(its_own) and isinstance(check(store, expected), Altered)
    return False


def _ranked(damage: Iterable[Damage], is_conflict: Callable[[Damage], bool]) -> tuple[Iterable[Damage], list[Damage]]:
    """The ledger first, since each entry writes its end anew; then records and the like, then blobs; and conflicts."""
    ranks: tuple[Spool[Damage], ...] = (Spool(), Spool(), Spool())
    conflicts = []
    for one in damage:
        conflicts.append(one) if is_conflict(one) else ranks[_rank(one)].append(one)
    return chain(*ranks), conflicts


def _groups(damage: Iterable[Damage]) -> Iterator[list[Damage]]:
    """Damage of one rank, at most 200 keys and about 256 MiB at a time."""
    group: list[Damage] = []
    size = 0
    for one in damage:
        if group and (len(group) == 200 or size > 256 << 20 or _rank(one) != _rank(group[0])):
            yield group
            group, size = [], 0
        group.append(one)
        size += one.expected.size
    if group:
        yield group


def _rank(one: Damage) -> int:
    key = one.expected.key
    return 0 if key.startswith(layout.LOG) else 2 if layout.blob_digest(key) else 1
