"""Audit and repair of a repository: what has to be there comes from catalogue and ledger, what is there is read."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from uuid import UUID

from fixity.audit import EXTRA, Audit, Expected, Finding, audit, extras
from fixity.fault import Comparing, Fault
from fixity.outcome import DAMAGED
from fixity.reading import END, START
from fixity.repair import Damage, Mend
from repository import evidence, inventory, ledger_files, strays, unread
from repository.catalogue import Catalogue
from repository.quarantine import Quarantine
from storage import layout
from storage.canonical import Json
from storage.commit import Committer
from storage.digest import Digest, sha256
from storage.errors import StorageError
from storage.event import Event
from storage.parallel import Inline, Workers
from storage.progress import SILENT, Progress
from storage.spool import Spool
from storage.store import Opens, Store


def expected(catalogue: Catalogue, after: str = START, last: str = END) -> Iterator[Expected]:
    """Yield everything that every copy has to have, or what of it lies above `after` and up to `last`, ascending by
    key; the ledger's right-most bundle is left out, since the next event replaces it."""
    yield from heapq.merge(inventory.keys(catalogue, after, last), ledger_files.full(catalogue, after=after, last=last))


def came(catalogue: Catalogue, begin: int, end: int, after: str = START, last: str = END) -> Iterator[Expected]:
    """Yield what came with the entries [begin, end), as `expected`. A bundle or tile comes with its last entry."""
    logged = ledger_files.full(catalogue, begin, end, after, last)
    yield from heapq.merge(inventory.came(catalogue, begin, end, after, last), logged)


@dataclass(frozen=True, slots=True)
class Watch:
    """What audits and repairs work with."""

    catalogue: Catalogue
    committer: Committer
    work: Path
    executor: Workers
    time: str
    agent: str
    new_id: Callable[[], UUID]
    progress: Progress = SILENT
    sources: Sequence[Opens] = ()
    """What else may have a blob whole, besides the copies."""

    def ends(self, stores: Iterable[Store]) -> dict[str, Audit]:
        """The ledger's ends in each copy: read before anything is noted, which writes them anew. What is damaged of
        them is evidence, and put into quarantine; raise NoRoom or Unreachable where it cannot be."""
        with self.committer.lock():
            self.catalogue.follow(self.committer.vault)
            last = self.ledger_ends()
            return {store.name: self._end(store, last) for store in stores}

    def _end(self, store: Store, last: Sequence[Expected]) -> Audit:
        result, wanted = audit(store, last, Inline()), {one.key: one for one in last}
        found = list(result.findings)
        result.findings = Spool(self._put_aside(store, one, wanted) for one in found)
        return result

    def _put_aside(self, store: Store, found: Finding, wanted: Mapping[str, Expected]) -> Finding:
        if found.outcome not in DAMAGED:
            return found
        end = wanted[found.key]
        mend = Mend(Damage(store.name, end), "", self._fault(store, end) or Fault(found.outcome, why=found.why))
        return replace(found, kept=self.quarantine.keep_end(store, mend))

    def _fault(self, store: Store, end: Expected) -> Fault | None:
        """What is wrong with a ledger's end, where somebody has it right."""
        for source in (*self.committer.vault.copies, *self.sources):
            with suppress(StorageError, OSError), source.open(end.key) as stream:
                if sha256(good := stream.read()) == end.digest:
                    with Comparing(store, end.key) as comparing:
                        comparing.feed(good)
                        return comparing.fault()
        return None

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.work / "quarantine", self.time)

    def ledger_ends(self) -> list[Expected]:
        """What every copy has of the ledger that the next entry replaces. Call under the lock."""
        seal = self.committer.scribe.seal
        assert seal is not None  # every repository has one
        return ledger_files.ends(self.catalogue, self.committer.vault, seal)

    def add_extras(self, store: Store, result: Audit, after: str = START, last: str = END) -> None:
        """Add what lies in a copy above a key and up to another, and nobody expects."""
        logged: Spool[Finding] = Spool()
        remark = cache(partial(unread.remark, self.catalogue))  # asked for where there is something to say it of
        logged_too = (one.key for one in ledger_files.full(self.catalogue, after=after, last=last))
        known = heapq.merge(inventory.names(self.catalogue, after, last), logged_too)
        try:
            for extra in extras(store, store.name, known, after, last):
                if extra.key.startswith(layout.LOG):
                    logged.append(extra)
                elif not self._is_new(extra.key) and (found := strays.judged(store, extra)):
                    result.tell(replace(found, why=remark()) if _may_be_payload(found) else found)
        except StorageError as error:
            result.tell(Finding("unreadable", store.name, "", why=str(error)))
        if logged:
            self._judge_logged(store, result, logged)

    def _judge_logged(self, store: Store, result: Audit, logged: Iterable[Finding]) -> None:
        """While nobody writes an entry: what is in the log before its checkpoint looks like a forgery."""
        with self.committer.lock():
            self.catalogue.follow(self.committer.vault)
            signed = self.committer.vault.ledger.signed(store)
            for extra in logged:
                if found := ledger_files.judged(self.catalogue, store, extra, signed):
                    result.tell(found)

    def _is_new(self, key: str) -> bool:
        """Whether somebody expects by now what nobody did when we began to list."""
        may_be = layout.blob_digest(key) or layout.record_name(key)
        return bool(may_be) and inventory.is_wanted(self.catalogue, key)

    def keep_list(self, rows: Iterable[dict[str, str]]) -> Digest:
        """A long list as a blob of the vault, named in an entry by its digest."""
        return evidence.keep(self.committer, self.new_id, evidence.lines(rows))

    def unchecked(self) -> dict[str, int]:
        """The copies of which the last audit left something unchecked, and how many keys."""
        query = (
            "select copy, json_extract(detail, '$.not_checked') as keys from audits join events using (entry)"
            " where keys > 0 order by copy"
        )
        known = {store.name for store in (*self.committer.vault.copies, *self.sources)}  # not those that were retired
        return {row["copy"]: row["keys"] for row in self.catalogue.rows(query) if row["copy"] in known}

    def note(self, kind: str, copy: str, outcome: str, detail: dict[str, Json], time: str = "") -> None:
        """One entry of the ledger, of this moment or of the one when the watch began."""
        event = Event(time=time or self.time, type=kind, agent=self.agent, object=copy, outcome=outcome, detail=detail)
        self.committer.note(event)
        self.catalogue.follow(self.committer.vault)


def _may_be_payload(found: Finding) -> bool:
    return found.outcome == EXTRA and layout.blob_digest(found.key) is not None


def row(finding: Finding) -> dict[str, str]:
    """A finding as a row of a kept list."""
    cells = {"outcome": finding.outcome, "copy": finding.copy, "key": finding.key}
    cells |= {"expected": str(finding.expected or ""), "found": str(finding.found or ""), "why": finding.why}
    cells |= {"kept": finding.kept}
    return {name: value for name, value in cells.items() if value}
