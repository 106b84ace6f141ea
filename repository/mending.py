"""Repair of a repository: what audits found damaged is healed from whichever copy reads right, and written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from fixity.fault import Fault
from fixity.outcome import DAMAGED
from fixity.repair import NOWHERE, Damage, Mend, Repair, plan
from repository import damage, repairs, strays
from repository.quarantine import Quarantine
from repository.watch import Watch
from storage import layout
from storage.away import answers
from storage.errors import StorageError
from storage.local import Local
from storage.spool import Spool
from storage.store import Opens, Store


@dataclass(frozen=True, slots=True)
class Mended:
    """What came of a repair: what was healed (or would be), what could not be, what was on record and is needed no more
    (`past`), and, for copies of which more was damaged than might be healed, how many files were left as they are; and
    the copies that did not answer."""

    healed: Spool[Mend] = field(default_factory=Spool)
    beyond: Spool[Mend] = field(default_factory=Spool)
    past: Spool[Mend] = field(default_factory=Spool)
    stopped: dict[str, int] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    def add(self, mends: Iterable[Mend]) -> None:
        for mend in mends:
            (self.beyond if mend.why else self.healed).append(mend)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is healed: `most` gives for a copy how many of its files may be, None for all; what was tried
    `attempts` times in vain is left alone (0: never)."""

    most: Callable[[str], int | None] = lambda copy: None
    attempts: int = 0


NO_LIMITS = Limits()
AWAY = "the copy does not answer"


@dataclass(frozen=True, slots=True)
class Mending:
    """Repairs of the copies that a watch is over; `outside` is what else may have what no copy has whole any more."""

    watch: Watch
    quarantine: Quarantine
    outside: Sequence[Opens] = ()

    def plan(self) -> Mended:
        """What `repair` would heal, and what no copy has whole; nothing is changed."""
        done = Mended()
        for store in self.watch.committer.vault.copies:
            if not answers(store):
                self._leave(store, done)
                continue
            found, conflicts = self._ranked(store, NO_LIMITS)
            done.add(conflicts)
            done.add(one if one.source else replace(one, why=NOWHERE) for one in plan(found, self._sources()))
            done.add(strays.plan(store, stray) for stray in strays.strays(self.watch.catalogue, store.name))
            done.add(_to_seal(store, one) for one in self._wrong_modes(store))
            done.past.extend(self._past(store))
        return done

    def repair(self, limits: Limits = NO_LIMITS) -> Mended:
        """Heal what audits found, copy by copy; what could not be healed is written down too."""
        done = Mended()
        for store in self.watch.committer.vault.copies:
            of_copy = Mended(stopped=done.stopped)
            if answers(store):
                self._repair(store, limits, of_copy)
                self._put_aside(store, of_copy)
                self._seal(store, of_copy)
                self._forget(store, of_copy)
                repairs.note_failed(self.watch, store.name, of_copy.beyond)
            else:
                self._leave(store, done)
            done.add(of_copy.healed)
            done.add(of_copy.beyond)
            done.past.extend(of_copy.past)
        return done

    def _leave(self, store: Store, done: Mended) -> None:
        """A copy that does not answer: what is damaged there waits for it."""
        done.away.add(store.name)
        done.add(Mend(one, "", why=AWAY) for one in self.damaged(store))

    def damaged(self, store: Store, outcomes: Sequence[str] = DAMAGED, attempts: int = 0) -> Iterator[Damage]:
        """What of a copy is damaged, as `damage.damaged` tells it."""
        return damage.damaged(self.watch.catalogue, self.watch.ledger_ends(), store.name, outcomes, attempts)

    def _sources(self) -> list[Opens]:
        return [*self.watch.committer.vault.copies, *self.watch.sources, *self.outside]

    def _ranked(self, store: Store, limits: Limits) -> tuple[Spool[Damage], list[Mend]]:
        known = self.damaged(store, attempts=limits.attempts)
        vault = self.watch.committer.vault
        is_conflict = partial(damage.is_conflict, store, vault.ledger.alone(vault.first))
        found, conflicts = damage.ranked(known, is_conflict)
        return found, [Mend(one, "", why=damage.CONFLICT) for one in conflicts]

    def _repair(self, store: Store, limits: Limits, done: Mended) -> None:
        """Heal one copy group by group, each written down at once: one that is killed goes on from there."""
        repair = Repair(store, self._sources(), self.watch.work, f"repair-{self.watch.new_id()}", self.quarantine.keep)
        found, conflicts = self._ranked(store, limits)
        done.add(conflicts)
        most = limits.most(store.name)
        if most is not None and len(found) > most:
            done.stopped[store.name] = len(found) - most
        for group in damage.groups(islice(found, most)):
            with self._lock_for(group):
                healed, left = repair.heal(group)
            repairs.note_healed(self.watch, store.name, healed)
            done.add(healed)
            done.add(left)

    def _put_aside(self, store: Store, done: Mended) -> None:
        for stray in list(strays.strays(self.watch.catalogue, store.name)):
            with self.watch.committer.lock():
                mend = strays.put_aside(store, stray, self.quarantine)
            if not mend.why:
                repairs.note_healed(self.watch, store.name, [mend])
            done.add([mend])

    def _seal(self, store: Store, done: Mended) -> None:
        sealed = [_sealed(store, one) for one in self._wrong_modes(store)]
        repairs.note_healed(self.watch, store.name, (mend for mend in sealed if not mend.why))
        done.add(sealed)

    def _forget(self, store: Store, done: Mended) -> None:
        """Write down what was damaged and is needed no more: it is no damage, and nothing was healed."""
        done.past.extend(self._past(store))
        repairs.note_healed(self.watch, store.name, done.past)

    def _past(self, store: Store) -> Iterator[Mend]:
        gone = Fault("intact", why="nothing needs it any more")
        found = damage.obsolete(self.watch.catalogue, self.watch.ledger_ends(), store.name)
        return (Mend(one, store.name, gone) for one in found)

    def _wrong_modes(self, store: Store) -> Spool[Damage]:
        return Spool(self.damaged(store, damage.MODE))

    def _lock_for(self, group: Sequence[Damage]) -> AbstractContextManager[None]:
        """Records and the ledger change under the commit lock alone; blobs do not change at all."""
        return nullcontext() if layout.blob_digest(group[0].expected.key) else self.watch.committer.lock()


def _to_seal(store: Store, one: Damage) -> Mend:
    """What is wrong with a mode at this moment; there is nothing to compare, and nothing to bring back."""
    try:
        why = store.wrong_mode(one.expected.key) if isinstance(store, Local) else ""
    except StorageError as error:
        return Mend(one, "", why=f"its mode cannot be read: {error}")
    return Mend(one, store.name, Fault("mode", why=why))


def _sealed(store: Store, one: Damage) -> Mend:
    planned = _to_seal(store, one)
    try:
        if not planned.why and isinstance(store, Local):
            store.seal(one.expected.key)
            if wrong := store.wrong_mode(one.expected.key):
                return replace(planned, source="", why=f"its mode stays {wrong}")
    except StorageError as error:
        return replace(planned, source="", why=f"its mode cannot be changed: {error}")
    return planned
