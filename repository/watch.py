"""Audit and repair of a repository: what has to be there comes from catalogue and ledger, what is there is read."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from fixity.audit import Audit, Expected, Finding, audit, extras
from repository import evidence, log_keys, strays
from repository.catalogue import Catalogue
from storage.canonical import Json
from storage.commit import Committer
from storage.digest import Digest
from storage.errors import StorageError
from storage.event import Event
from storage.parallel import Inline, Workers
from storage.progress import SILENT, Progress
from storage.store import Opens, Store

_EXPECTED = """
select 'blobs/sha256/' || substr(digest, 8, 2) || '/' || substr(digest, 10, 2) || '/' || substr(digest, 8) as key,
       digest, size from (select digest, max(size) as size from files group by digest
                          union select digest, size from evidence)
union all
select 'aips/' || substr(aip, -4, 2) || '/' || substr(aip, -2) || '/' || substr(aip, 10) || '/v' || version || '.json',
       file_digest, file_size from versions
union all
select 'tombstones/' || substr(aip, 10) || '.json', file_digest, file_size from deleted
union all
select key, digest, size from fixed
order by key
"""


def expected(catalogue: Catalogue) -> Iterator[Expected]:
    """Yield everything that every copy has to have, ascending by key; the ledger's ends are left out, since the next
    event replaces them."""
    known = (Expected(r["key"], Digest.parse(r["digest"]), r["size"]) for r in catalogue.rows(_EXPECTED))
    yield from heapq.merge(known, log_keys.full(catalogue))


def remembered(catalogue: Catalogue) -> tuple[str, Digest] | None:
    """Key and digest of the ledger's right-most bundle. Ask under the commit lock."""
    last = log_keys.last_bundle(catalogue)
    return (last.key, last.digest) if last else None


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
        """The ledger's ends in each copy: read before anything is noted, which writes them anew."""
        with self.committer.lock():
            self.catalogue.follow(self.committer.vault)
            last = self.ledger_ends()
            return {store.name: audit(store, last, Inline()) for store in stores}

    def ledger_ends(self) -> list[Expected]:
        """What every copy has of the ledger that the next entry replaces. Call under the lock."""
        seal = self.committer.scribe.seal
        assert seal is not None  # every repository has one
        return log_keys.ends(self.catalogue, self.committer.vault, seal)

    def audit(self, store: Store, end: Audit) -> Audit:
        """Read everything in one copy, and write down what was found, its `end` included: one entry of the ledger."""
        row = self.catalogue.one(f"select count(*) as files, coalesce(sum(size), 0) as bytes from ({_EXPECTED})")
        assert row is not None  # a count is always there
        self.progress.begin(f"Auditing {store.name}", row["files"], row["bytes"])
        with self.executor(row["files"], row["bytes"]) as executor:
            result = audit(store, expected(self.catalogue), executor, self.progress)
        result.counts.update(end.counts)
        result.size += end.size
        result.findings.extend(found for found in end.findings if found.key)  # of a copy that is away, one is enough
        if not result.counts["not_checked"]:
            self._add_extras(store, result)
        self.progress.end()
        self.note_audit(result)
        return result

    def _add_extras(self, store: Store, result: Audit) -> None:
        signed = self.committer.vault.ledger.signed(store)
        try:
            for extra in extras(store, store.name, (one.key for one in expected(self.catalogue))):
                if (found := strays.judged(self.catalogue, store, extra, signed)) is None:
                    continue
                result.counts[found.outcome] += 1
                result.findings.append(found)
        except StorageError as error:
            result.findings.append(Finding("unreadable", store.name, "", why=str(error)))
            result.counts["unreadable"] += 1

    def note_audit(self, result: Audit) -> None:
        """One entry of the ledger; the list of what was not intact is a blob that it names."""
        detail: dict[str, Json] = {**result.counts, "checked": result.checked, "bytes": result.size}
        if result.findings:
            detail["findings"] = str(self.keep_list(told(finding) for finding in result.findings))
        outcome = "fail" if any(result.counts[w] for w in ("altered", "missing", "unreadable")) else "pass"
        if result.counts["not_checked"]:
            outcome = "not checked"
        self.note("audit", result.copy, outcome, detail)

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

    def note(self, kind: str, copy: str, outcome: str, detail: dict[str, Json]) -> None:
        event = Event(time=self.time, type=kind, agent=self.agent, object=copy, outcome=outcome, detail=detail)
        self.committer.note(event)
        self.catalogue.follow(self.committer.vault)


def told(finding: Finding) -> dict[str, str]:
    """A finding as a row of a kept list."""
    row = {"outcome": finding.outcome, "copy": finding.copy, "key": finding.key}
    row |= {"expected": str(finding.expected or ""), "found": str(finding.found or ""), "why": finding.why}
    return {name: value for name, value in row.items() if value}
