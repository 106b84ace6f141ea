"""Repair: plan from which copy a damaged key can be healed, then carry it out, reading it again afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixity.audit import Expected, check
from fixity.outcome import Intact
from storage.carry import SourceFailed, read_from
from storage.digest import Hashing
from storage.errors import NoRoom, StorageError, SyncFailed
from storage.receive import Received
from storage.staging import staging
from storage.store import Incoming, Opens, Store


@dataclass(frozen=True, slots=True)
class Damage:
    """A key of a copy that is not as expected."""

    copy: str
    expected: Expected


@dataclass(frozen=True, slots=True)
class Mend:
    """A damaged key, and the copy that has it whole; `source` is "" where none has. (A package may have several, with
    commas.)"""

    damage: Damage
    source: str


SetAside = Callable[[Store, str], object]
"""Keeps what is damaged, outside the copy, before it is overwritten: given the copy and the key."""


def plan(damage: Iterable[Damage], sources: Sequence[Opens]) -> Iterator[Mend]:
    """Yield for each damaged key the first of the sources (all but its own copy) where it reads right just now."""
    return (Mend(one, _source(one, sources)) for one in damage)


def _source(damage: Damage, sources: Sequence[Opens]) -> str:
    others = (store for store in sources if store.name != damage.copy)
    return next((store.name for store in others if isinstance(check(store, damage.expected), Intact)), "")


@dataclass(frozen=True, slots=True)
class Repair:
    """Heals keys of one copy from the others, a few at a time. `run` names its scratch space below `work`."""

    target: Store
    sources: Sequence[Opens]
    work: Path
    run: str
    set_aside: SetAside

    def heal(self, damage: Sequence[Damage]) -> tuple[list[Mend], list[Mend]]:
        """Heal these keys; return those that were healed, and those that were not.

        The good bytes are hashed as they are read for writing; nothing is placed that did not come out right, and what
        was placed is read again. One key that cannot be written, as where a folder lies in its place, stops no other.
        Raises NoRoom or SyncFailed.
        """
        try:
            done = self._heal(damage)
        except (NoRoom, SyncFailed):
            raise
        except StorageError:
            if len(damage) == 1:
                return [], list(plan(damage, self.sources))
            parts = [self.heal([one]) for one in damage]
            return [mend for healed, _ in parts for mend in healed], [mend for _, left in parts for mend in left]
        whole = [mend for mend in done if mend.source and self._is_whole(mend.damage)]
        return whole, [mend for mend in done if mend not in whole]

    def _heal(self, damage: Sequence[Damage]) -> list[Mend]:
        with staging(self.run, [self.target], self.work) as stage:
            fetched = [(one, *self._fetched(one)) for one in damage]
            for one, _, received in fetched:
                if received:
                    self.set_aside(self.target, one.expected.key)
            stage.settle(received for _, _, received in fetched if received)
        return [Mend(one, source) for one, source, _ in fetched]

    def _is_whole(self, one: Damage) -> bool:
        return isinstance(check(self.target, one.expected), Intact)

    def _fetched(self, one: Damage) -> tuple[str, Received | None]:
        """The good bytes in the target's scratch space, and where they came from; None where no copy has them."""
        for source in self.sources:
            if source.name != self.target.name:
                incoming = self.target.incoming(self.run)
                try:
                    _read_into(incoming, source, one.expected)
                except SourceFailed:
                    incoming.abandon()
                except BaseException:
                    incoming.abandon()
                    raise
                else:
                    pending = incoming.finish(one.expected.key)
                    return source.name, Received(pending.size, (one.expected.digest,), ((self.target.name, pending),))
        return "", None


def _read_into(incoming: Incoming, source: Opens, expected: Expected) -> None:
    """Raise SourceFailed where the source has not the right bytes, and what the target raises."""
    hashing = Hashing((expected.digest.algorithm,))
    for data in read_from(source, expected.key):
        hashing.feed(data)
        incoming.write(data)
    if hashing.digest() != expected.digest:
        raise SourceFailed(expected.key)
