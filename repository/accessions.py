"""Accessions as questions to the catalogue, and what an officer decides of those that are held.

Every decision is an entry of the ledger, taken under the commit lock.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from repository.accession import ACCEPTED, ENDS, INTERRUPTED, RECEIVED, Accession
from repository.agents import deciding, on_record
from repository.catalogue import Catalogue, Row
from repository.config import Agent
from repository.documents import page_of, read
from repository.errors import AccessionState, UnknownAccession
from repository.inflight import InFlight
from storage.aip import stamp
from storage.canonical import Json
from storage.commit import Committer
from storage.event import Event
from storage.lock import is_held

_QUERY = (
    "select accession, received, outcome, aip, because, terms, content,"
    " (select title from aips where aips.aip = accessions.aip) as title from accessions"
)


def accessions(catalogue: Catalogue, work: Path) -> Iterator[Accession]:
    """Yield every accession, in the order of numbers."""
    return map(partial(_accession, work, _in_flight(work)), catalogue.rows(f"{_QUERY} order by accession"))


def accession(catalogue: Catalogue, work: Path, number: str) -> Accession:
    """One accession; raise UnknownAccession."""
    row = catalogue.one(f"{_QUERY} where accession = ?", number.strip())
    if row is None:
        raise UnknownAccession(number)
    return _accession(work, _in_flight(work), row)


class _Known(NamedTuple):
    """Where accessions lay that came from drop folders, and what to call those that are not at their end, of each of
    which it is known where it lies; neither need be known for anything else."""

    entries: Mapping[str, str]
    names: Mapping[str, str]
    asked: bool = True

    def places(self, accession: str) -> bool:
        return accession in self.names or not self.asked


def _in_flight(work: Path) -> _Known:
    with suppress(sqlite3.Error):
        known = InFlight(work / "state.db")
        return _Known(known.entries(), known.names())
    return _Known({}, {}, asked=False)


def _accession(work: Path, known: _Known, row: Row) -> Accession:
    number = row["accession"]
    title = row["title"] or known.names.get(number, "")
    state = row["outcome"]
    if state == RECEIVED and not is_held(work / "runs" / number):
        state = INTERRUPTED
    return Accession(
        accession=number, state=state, aip=row["aip"] or "", received=row["received"],
        because=tuple(json.loads(row["because"] or "[]")), terms=json.loads(row["terms"] or "{}"),
        content=row["content"] or "", report=str(page_of(work / "reports", number)),
        entry=known.entries.get(number, ""), title=title or _told(work, number, state),
        placed=known.places(number),
    )  # fmt: skip


def _told(work: Path, number: str, state: str) -> str:
    """The title of what is in no AIP, as its producer was told of it; "" where that is not there any more."""
    gone = state in ENDS and state != ACCEPTED
    return str(read(work / "reports", number).get("title") or "") if gone else ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What an officer decides with. `user` is the system's, as "uid-1000"; `now` is UTC."""

    catalogue: Catalogue
    committer: Committer
    agents: Sequence[Agent]
    agent: str
    user: str
    now: datetime

    def accept(self, number: str, reason: str) -> tuple[Accession, str]:
        """Say that what is held is to be taken in; return it, and the reason on record. Raises AccessionState."""
        with self._deciding("accept", number, reason) as (found, why):
            self._note("acceptance", found.accession, "approved", why)
            return found, why

    def give_back(self, number: str, reason: str) -> tuple[Accession, str]:
        """Say that it is not taken in, and goes back to the producer. Raises AccessionState."""
        with self._deciding("return", number, reason) as (found, why):
            self._note("return", found.accession, "returned", why)
            return accession(self.catalogue, self.committer.work, found.accession), why

    def cancel(self, number: str, reason: str) -> tuple[Accession, str]:
        """Say that it is not taken in, since somebody stopped the work on it. Raises AccessionState."""
        with self._deciding("cancel", number, reason) as (found, why):
            self._note("cancellation", found.accession, "cancelled", why)
            return accession(self.catalogue, self.committer.work, found.accession), why

    def check(self, act: str, number: str, reason: str) -> Accession:
        """Whether that could be decided now, so far as can be told without the lock; raise as deciding it does."""
        self.check_officer()
        on_record(reason)
        found = accession(self.catalogue, self.committer.work, number)
        if not found.allows(act):
            raise AccessionState(found.accession, act, found.state)
        return found

    def check_officer(self) -> None:
        """Where tianyi.toml declares agents, only those decide; raise UndeclaredAgent or NotYourAgent."""
        if self.agents:
            deciding(self.agents, self.agent, self.user)

    @contextmanager
    def _deciding(self, act: str, number: str, reason: str) -> Iterator[tuple[Accession, str]]:
        """The accession under the commit lock, and the reason as it goes on record."""
        self.check_officer()
        why = on_record(reason)
        with self.committer.lock():
            self.catalogue.follow(self.committer.vault)
            found = accession(self.catalogue, self.committer.work, number)
            if not found.allows(act):
                raise AccessionState(found.accession, act, found.state)
            yield found, why

    def _note(self, kind: str, number: str, outcome: str, why: str) -> None:
        detail: dict[str, Json] = {"why": why, "user": self.user}
        time = stamp(self.now)
        event = Event(time=time, type=kind, agent=self.agent, object=number, outcome=outcome, detail=detail)
        self.committer.note_locked(event)
        self.catalogue.follow(self.committer.vault)
