"""What audits found damaged and nobody has healed yet: questions to the catalogue, and decisions about the answers."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from fixity.audit import Expected, check
from fixity.outcome import DAMAGED, Altered
from fixity.repair import Damage
from repository import strays
from repository.catalogue import Catalogue, Row
from repository.schema import IS_DAMAGED
from repository.watch import expected
from storage import layout
from storage.digest import Digest
from storage.errors import StorageError
from storage.ledger import Ledger
from storage.spool import Spool
from storage.store import Opens, Store

MODE = ("mode",)
CONFLICT = "it is whole and contradicts the ledger: that is for a person"
_KEYS, _BYTES = 200, 256 << 20  # of a group, which is healed together


def is_on_record(catalogue: Catalogue, attempts: int = 0) -> bool:
    """Whether there is anything to heal in any copy that was not tried `attempts` times already, where that is not 0:
    a few questions, which cost nothing."""
    query = "select copy, max(entry) as newest from damage where outcome not in ('extra', 'not_checked') group by copy"
    return any(row["newest"] > given_up(catalogue, row["copy"], attempts) for row in list(catalogue.rows(query)))


def given_up(catalogue: Catalogue, copy: str, attempts: int) -> int:
    """The job has tried in vain, `attempts` times since, what was found in a copy before this entry; -1 for 0 attempts,
    and where it has not tried so often. Runs while the copy was away do not count."""
    query = (
        "select entry from events where type = 'job' and object = 'repair' and outcome = 'damage'"
        " and json_extract(detail, '$.beyond_repair') > 0"
        " and instr(', ' || coalesce(json_extract(detail, '$.away'), '') || ',', ', ' || ? || ',') = 0"
        " order by entry desc limit 1 offset ?"
    )
    row = catalogue.one(query, copy, attempts - 1) if attempts else None
    return int(row["entry"]) if row else -1


def count(catalogue: Catalogue, copy: str) -> int:
    """How many keys of a copy are known to be damaged, wrong modes left out."""
    row = catalogue.one(f"select count(*) as keys from damage where copy = ? and {IS_DAMAGED}", copy)
    return int(row["keys"]) if row else 0


def damaged(
    catalogue: Catalogue, ends: Sequence[Expected], copy: str, outcomes: Sequence[str] = DAMAGED, attempts: int = 0
) -> Iterator[Damage]:
    """Yield what audits found with one of these outcomes and is still expected, `ends` of the ledger among it, by key.

    What was tried `attempts` times already is left out, where that is not 0. Take all before the catalogue changes.
    """
    for _, wanted in _on_record(catalogue, ends, copy, outcomes, attempts):
        if wanted:
            yield Damage(copy, wanted)


def obsolete(catalogue: Catalogue, ends: Sequence[Expected], copy: str) -> Iterator[Damage]:
    """Yield what audits found damaged and nobody expects any more, as the end of the ledger before another entry came;
    ascending by key. Take all of it before the catalogue changes."""
    for row, wanted in _on_record(catalogue, ends, copy, DAMAGED + MODE, 0):
        if not wanted and row["expected"]:
            yield Damage(copy, Expected(row["key"], Digest.parse(row["expected"]), 0))


def _on_record(
    catalogue: Catalogue, ends: Sequence[Expected], copy: str, outcomes: Sequence[str], attempts: int
) -> Iterator[tuple[Row, Expected | None]]:
    """What is on record, and what is expected under its key, where something is."""
    known = heapq.merge(expected(catalogue), ends)  # both sides ascend
    query = (
        f"select key, expected from damage where copy = ? and outcome in ({', '.join('?' * len(outcomes))})"
        " and entry > ? order by key"
    )
    upcoming = None
    for row in catalogue.rows(query, copy, *outcomes, given_up(catalogue, copy, attempts)):
        while upcoming is None or upcoming.key < row["key"]:
            if (upcoming := next(known, None)) is None:
                break
        yield row, upcoming if upcoming and upcoming.key == row["key"] else None


def ranked(damage: Iterable[Damage], is_conflict: Callable[[Damage], bool]) -> tuple[Spool[Damage], list[Damage]]:
    """The ledger first, since each entry writes its end anew; then records and the like, then blobs; and conflicts."""
    ranks: tuple[Spool[Damage], ...] = (Spool(), Spool(), Spool())
    conflicts = []
    for one in damage:
        conflicts.append(one) if is_conflict(one) else ranks[_rank(one)].append(one)
    return Spool(chain(*ranks)), conflicts


def groups(damage: Iterable[Damage]) -> Iterator[list[Damage]]:
    """Damage of one rank, at most 200 keys and about 256 MiB at a time."""
    group: list[Damage] = []
    size = 0
    for one in damage:
        if group and (len(group) == _KEYS or size > _BYTES or _rank(one) != _rank(group[0])):
            yield group
            group, size = [], 0
        group.append(one)
        size += one.expected.size
    if group:
        yield group


def is_conflict(store: Store, ledger: Ledger, damage: Damage) -> bool:
    """Whether two whole things contradict each other, which is for a person, never for a machine: a record that is
    another than the ledger tells of, or a ledger of another history than the first copy's `ledger`."""
    if damage.expected.key.startswith(layout.LOG):
        return Ledger(store).is_forked_from(ledger)
    return _is_another_record(store, damage.expected)


def _is_another_record(store: Opens, expected: Expected) -> bool:
    """Whether a record agrees with itself and is another than the ledger tells of.

    (One that is right already was healed by a repair that was killed before it could say so.)
    """
    with suppress(StorageError, OSError):
        its_own = layout.record_name(expected.key) and strays.is_record(store, expected.key)
        return bool(its_own) and isinstance(check(store, expected), Altered)
    return False


def _rank(one: Damage) -> int:
    key = one.expected.key
    return 0 if key.startswith(layout.LOG) else 2 if layout.blob_digest(key) else 1
