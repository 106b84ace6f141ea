"""Repair: plan from which copy a damaged key can be healed, then carry it out, reading it again afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fixity.audit import Expected, check
from fixity.outcome import Intact
from storage.digest import Hashing
from storage.errors import Damaged, NoRoom, StorageError
from storage.receive import chunks
from storage.store import Opens, Pending, Store


@dataclass(frozen=True, slots=True)
class Damage:
    """A key of a copy that is not as expected."""

    copy: str
    expected: Expected


@dataclass(frozen=True, slots=True)
class Mend:
    """A damaged key, and the copy that has it whole; `source` is "" where none has."""

    damage: Damage
    source: str


def plan(damage: Iterable[Damage], copies: Sequence[Store]) -> list[Mend]:
    """For each damaged key, the first other copy where it reads right at this moment."""
    return [Mend(one, _source(one, copies)) for one in damage]


def _source(damage: Damage, copies: Sequence[Store]) -> str:
    others = (store for store in copies if store.name != damage.copy)
    return next((store.name for store in others if isinstance(check(store, damage.expected), Intact)), "")


def carry_out(
    mends: Sequence[Mend], target: Store, copies: Sequence[Store], run: str, set_aside: Callable[[Store, str], None]
) -> tuple[list[Mend], list[Mend]]:
    """Heal keys of one copy; return those healed, read again and found right, and those that were not.

    `set_aside` is given each damaged key before it is overwritten. The good bytes are hashed as they are read for
    writing; nothing is placed that did not come out right. Raises NoRoom, SyncFailed or Unreachable for the target.
    """
    by_name = {store.name: store for store in copies}
    with target.batch(run) as batch:
        pending = [(mend, _fetched(mend, by_name[mend.source], target, run)) for mend in mends if mend.source]
        batch.flush()
        ready = [(mend, blob) for mend, blob in pending if blob]
        for mend, _ in ready:
            set_aside(target, mend.damage.expected.key)
        batch.place(blob for _, blob in ready)
        batch.flush()
    healed = [mend for mend, _ in ready if isinstance(check(target, mend.damage.expected), Intact)]
    whole = {mend.damage.expected.key for mend in healed}
    return healed, [mend for mend in mends if mend.damage.expected.key not in whole]


def _fetched(mend: Mend, source: Opens, target: Store, run: str) -> Pending | None:
    """The good bytes in the target's scratch space; None where the source turned out bad after all."""
    incoming = target.incoming(run)
    hashing = Hashing((mend.damage.expected.digest.algorithm,))
    try:
        with source.open(mend.damage.expected.key) as stream:
            for data in chunks(stream):
                hashing.feed(data)
                incoming.write(data)
        if hashing.digest() != mend.damage.expected.digest:
            raise Damaged(mend.damage.expected.key, mend.damage.expected.digest, hashing.digest())
    except NoRoom:
        incoming.abandon()
        raise
    except (StorageError, OSError):
        incoming.abandon()
        return None
    return incoming.finish(mend.damage.expected.key)
