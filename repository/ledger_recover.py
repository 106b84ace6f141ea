"""Entries for versions that are held and whose own the ledger lost. Never by itself: a person says that they count.

That a record is held says nothing of why its entry is not: entries may have been given up with a broken disk, or
somebody may have put an older ledger back, or written a record. So the entry says who entered it, when and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from storage.aip import Record, parse_aip
from storage.errors import StorageError
from storage.event import Event
from storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Left:
    """A version that got no entry, and why."""

    aip: str
    version: int
    why: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of the versions that no entry told of, each in the order of AIPs and versions; `behind` are the
    copies that could not follow."""

    entered: Sequence[Record]
    left: Sequence[Left]
    behind: frozenset[str] = frozenset()


def recoverable(vault: Vault, untold: Iterable[tuple[str, int]]) -> Recovered:
    """Which of the versions can be entered: those whose records agree in every copy, and follow the one before."""
    entered, left = [], []
    for aip, version in untold:
        found = _record(vault, aip, version)
        if isinstance(found, Record):
            entered.append(found)
        else:
            left.append(Left(aip, version, found))
    return Recovered(entered, left)


def _record(vault: Vault, aip: str, version: int) -> Record | str:
    """A version's record; why none counts where that is so."""
    found = _whole(vault, aip, version)
    if len(found) != 1:
        return "its records differ from copy to copy" if found else "no copy has its record whole"
    record = found.pop()
    if record.previous and record.previous not in {one.digest for one in _whole(vault, aip, version - 1)}:
        return "it does not go on from the version before it"
    return record


def _whole(vault: Vault, aip: str, version: int) -> set[Record]:
    """The records of a version that agree with themselves, in whichever copies."""
    found = set()
    for store in vault.copies:
        with suppress(StorageError):
            found.add(Vault([store]).record(parse_aip(aip), version))
    return found


def entry(record: Record, time: str, agent: str, user: str, why: str) -> Event:
    """The entry of a version, marked recovered, by the person who says so."""
    return Event(
        time=time, type="commit", agent=agent, object=record.aip, outcome="success",
        detail={
            "version": record.version, "record": str(record.digest), "accession": record.accession,
            "reason": record.reason, "recovered": True, "why": why, "user": user,
        },
    )  # fmt: skip
