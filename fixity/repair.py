"""Repair: plan from which copy a damaged key can be healed, then carry it out, reading it again afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fixity.audit import Expected, check
from fixity.fault import Comparing, Fault
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
    commas; where it is the damaged copy itself, the key reads right after all.)

    Of what was healed `fault` tells what was wrong, and `kept` the name under which it is in quarantine, "" where there
    was nothing to keep; of what was not, `why` tells the reason.
    """

    damage: Damage
    source: str
    fault: Fault | None = None
    kept: str = ""
    why: str = ""


SetAside = Callable[[Store, Mend], str]
"""Keeps what is damaged, outside the copy, before it is overwritten, and makes way for what is right; returns the name
under which it is kept, "" where there was nothing."""

NOWHERE = "no copy has it whole"
REFUSED = "{} has it whole, but it could not be put there"


def plan(damage: Iterable[Damage], sources: Sequence[Opens]) -> Iterator[Mend]:
    """Yield for each damaged key the first of the sources where it reads right just now, its own copy the last."""
    return (Mend(one, _source(one, sources)) for one in damage)


def _source(damage: Damage, sources: Sequence[Opens]) -> str:
    in_order = sorted(sources, key=lambda store: store.name == damage.copy)
    return next((store.name for store in in_order if isinstance(check(store, damage.expected), Intact)), "")


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
        was placed is read again. One key that cannot be written stops no other. Raises NoRoom or SyncFailed.
        """
        try:
            done = self._heal(damage)
        except (NoRoom, SyncFailed):
            raise
        except StorageError as error:
            if len(damage) == 1:
                return [], [_refused(mend, error) for mend in plan(damage, self.sources)]
            parts = [self.heal([one]) for one in damage]
            return [mend for healed, _ in parts for mend in healed], [mend for _, left in parts for mend in left]
        whole = [bool(mend.source) and self._is_whole(mend.damage) for mend in done]
        healed = [mend for mend, good in zip(done, whole, strict=True) if good]
        return healed, [_refused(mend) for mend, good in zip(done, whole, strict=True) if not good]

    def _heal(self, damage: Sequence[Damage]) -> list[Mend]:
        with staging(self.run, [self.target], self.work) as stage:
            fetched = [self._fetched(one) for one in damage]
            done = [self._kept(mend) if received else mend for mend, received in fetched]
            stage.settle(received for _, received in fetched if received)
        return done

    def _kept(self, mend: Mend) -> Mend:
        is_wrong = mend.fault is None or mend.fault.outcome != "intact"
        return replace(mend, kept=self.set_aside(self.target, mend)) if is_wrong else mend

    def _is_whole(self, one: Damage) -> bool:
        return isinstance(check(self.target, one.expected), Intact)

    def _fetched(self, one: Damage) -> tuple[Mend, Received | None]:
        """Where the good bytes came from, and they in the target's scratch space; None where no copy has them.

        What reads right by now is written again all the same: a repair that was killed may have left it, and then it
        is not durable. Only where no other copy has it, it is left alone: it may be the last.
        """
        for source in self.sources:
            if source.name != self.target.name:
                incoming = self.target.incoming(self.run)
                try:
                    fault = self._read_into(incoming, source, one.expected)
                except SourceFailed:
                    incoming.abandon()
                except BaseException:
                    incoming.abandon()
                    raise
                else:
                    pending = incoming.finish(one.expected.key)
                    received = Received(pending.size, (one.expected.digest,), ((self.target.name, pending),))
                    return Mend(one, source.name, fault), received
        return (Mend(one, self.target.name, Fault("intact")) if self._is_whole(one) else Mend(one, "")), None

    def _read_into(self, incoming: Incoming, source: Opens, expected: Expected) -> Fault:
        """What is wrong, told while the good bytes are read; raise SourceFailed where the source has not the right
        ones, and what the target raises."""
        hashing = Hashing((expected.digest.algorithm,))
        with Comparing(self.target, expected.key) as comparing:
            for data in read_from(source, expected.key):
                hashing.feed(data)
                incoming.write(data)
                comparing.feed(data)
            if hashing.digest() != expected.digest:
                raise SourceFailed(expected.key)
            return comparing.fault()


def _refused(mend: Mend, error: StorageError | None = None) -> Mend:
    """What was not healed, with the reason."""
    why = REFUSED.format(mend.source) if mend.source else NOWHERE
    return replace(mend, why=f"{why}: {error}" if error and mend.source else why)
