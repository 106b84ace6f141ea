"""Audit and repair of a repository: what has to be there comes from catalogue and ledger, what is there is read."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from fixity.audit import Audit, Expected, Finding, audit, check, extras
from fixity.outcome import Altered
from fixity.repair import Damage, Mend, Repair, plan
from repository import evidence, strays
from repository.catalogue import Catalogue
from storage import bundle, layout
from storage.canonical import Json
from storage.commit import Committer
from storage.digest import Digest, sha256
from storage.errors import StorageError
from storage.event import Event
from storage.ledger import Ledger
from storage.parallel import Inline, Workers, portions
from storage.progress import SILENT, Progress
from storage.spool import Spool
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
    """Yield everything that every copy has to have, ascending by key; the ledger's right-most bundle is left out,
    since the next event replaces it."""
    known = (Expected(r["key"], Digest.parse(r["digest"]), r["size"]) for r in catalogue.rows(_EXPECTED))
    full = (one for one, width in _bundles(catalogue) if width == bundle.WIDTH)
    yield from heapq.merge(known, full)


def last_bundle(catalogue: Catalogue) -> Expected | None:
    """The ledger's right-most bundle where it is not full. Ask under the commit lock."""
    last = catalogue.position // bundle.WIDTH
    return next((one for one, width in _bundles(catalogue, last) if width < bundle.WIDTH), None)


def remembered(catalogue: Catalogue) -> tuple[str, Digest] | None:
    """Key and digest of that bundle."""
    last = last_bundle(catalogue)
    return (last.key, last.digest) if last else None


def _bundles(catalogue: Catalogue, first: int = 0) -> Iterator[tuple[Expected, int]]:
    for number in range(first, -(-catalogue.position // bundle.WIDTH)):
        rows = catalogue.rows(
            "select raw from events where entry >= ? and entry < ? order by entry",
            number * bundle.WIDTH, (number + 1) * bundle.WIDTH,
        )  # fmt: skip
        entries = [row["raw"] for row in rows]
        data = bundle.encode(entries)
        yield Expected(bundle.bundle_key(number, len(entries)), sha256(data), len(data)), len(entries)


class Mended(NamedTuple):
    """What came of a repair: what was healed (or would be), and what could not be."""

    healed: Spool[Mend]
    beyond: Spool[Mend]


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
        """The ledger's right-most bundle in each copy: read before anything is noted, which writes it anew."""
        with self.committer.lock():
            self.catalogue.follow(self.committer.vault)
            last = last_bundle(self.catalogue)
            return {store.name: audit(store, [last] if last else [], Inline()) for store in stores}

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
        try:
            for extra in extras(store, store.name, (one.key for one in expected(self.catalogue))):
                if (place := bundle.parse_key(extra.key)) and place[1] < bundle.WIDTH:
                    continue
                found = strays.judged(store, extra)
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
        self._note("audit", result.copy, outcome, detail)

    def keep_list(self, rows: Iterable[dict[str, str]]) -> Digest:
        """A long list as a blob of the vault, named in an entry by its digest."""
        return evidence.keep(self.committer, self.new_id, evidence.lines(rows))

    def plan(self) -> Mended:
        """What `repair` would heal, and what no copy has whole; nothing is changed."""
        copies = self.committer.vault.copies
        sources = [*copies, *self.sources]
        done = Mended(Spool(), Spool())
        for store in copies:
            put_aside = (strays.plan(store, stray) for stray in strays.strays(self.catalogue, store.name))
            for mend in chain(plan(self._damage(store.name), sources), put_aside):
                (done.healed if mend.source else done.beyond).append(mend)
        return done

    def repair(self) -> Mended:
        """Heal what audits found, copy by copy."""
        done = Mended(Spool(), Spool())
        for store in self.committer.vault.copies:
            self._repair(store, done)
            self._put_aside(store, done)
        return done

    def unchecked(self) -> dict[str, int]:
        """The copies of which the last audit left something unchecked, and how many keys."""
        query = (
            "select copy, json_extract(detail, '$.not_checked') as keys from audits join events using (entry)"
            " where keys > 0 order by copy"
        )
        known = {store.name for store in (*self.committer.vault.copies, *self.sources)}  # not those that were retired
        return {row["copy"]: row["keys"] for row in self.catalogue.rows(query) if row["copy"] in known}

    def _damage(self, copy: str) -> Iterator[Damage]:
        """Yield what audits found damaged and is still expected, ascending by key, as both sides do."""
        last = last_bundle(self.catalogue)
        known = heapq.merge(expected(self.catalogue), [last] if last else [])
        query = "select key from damage where copy = ? and outcome in ('altered', 'missing', 'unreadable') order by key"
        upcoming = next(known, None)
        for row in self.catalogue.rows(query, copy):
            while upcoming and upcoming.key < row["key"]:
                upcoming = next(known, None)
            if upcoming and upcoming.key == row["key"]:
                yield Damage(copy, upcoming)

    def _repair(self, store: Store, done: Mended) -> None:
        """Heal one copy group by group, each written down at once: one that is killed goes on from there."""
        sources = [*self.committer.vault.copies, *self.sources]
        repair = Repair(store, sources, self.work, f"repair-{self.new_id()}", self._set_aside)
        damage, conflicts = _ranked(self._damage(store.name), lambda one: self._is_conflict(store, one.expected))
        done.beyond.extend(Mend(one, "") for one in conflicts)
        for group in _groups(damage):
            with self._lock_for(group):
                healed, left = repair.heal(group)
            self.note_healed(store.name, healed)
            done.healed.extend(healed)
            done.beyond.extend(left)

    def _put_aside(self, store: Store, done: Mended) -> None:
        for stray in list(strays.strays(self.catalogue, store.name)):
            with self.committer.lock():
                mend = strays.put_aside(store, stray, self._set_aside)
            if mend.source:
                self.note_healed(store.name, [mend])
            (done.healed if mend.source else done.beyond).append(mend)

    def _is_conflict(self, store: Store, expected: Expected) -> bool:
        """Whether two whole things contradict each other, which is for a person, never for a machine: a record that is
        another than the ledger tells of, or a ledger of another history."""
        if expected.key.startswith(layout.LOG):
            return Ledger(store).is_forked_from(Ledger(self.committer.vault.first))
        return _is_another_record(store, expected)

    def note_healed(self, copy: str, healed: Sequence[Mend]) -> None:
        """Write down what was healed in a copy, some at a time: an entry is small."""
        for some in portions(healed, 200):
            sources = sorted({name for mend in some for name in mend.source.split(", ")})
            keys = [mend.damage.expected.key for mend in some]
            self._note("repair", copy, "success", {"repaired": keys, "from": sources})

    def _lock_for(self, group: Sequence[Damage]) -> AbstractContextManager[None]:
        """Records and the ledger change under the commit lock alone; blobs do not change at all."""
        return nullcontext() if layout.blob_digest(group[0].expected.key) else self.committer.lock()

    def _set_aside(self, store: Store, key: str) -> bool:
        """Keep what was damaged, outside the copy, for whoever wants to know why; return whether it is there."""
        folder = self.work / "quarantine" / store.name / self.time.replace(":", "")
        target = folder / key.replace("/", "_")
        with suppress(StorageError, OSError), store.open(key) as stream:
            folder.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                shutil.copyfileobj(stream, file)
            return True
        return False

    def _note(self, kind: str, copy: str, outcome: str, detail: dict[str, Json]) -> None:
        event = Event(time=self.time, type=kind, agent=self.agent, object=copy, outcome=outcome, detail=detail)
        self.committer.note(event)
        self.catalogue.follow(self.committer.vault)


def told(finding: Finding) -> dict[str, str]:
    """A finding as a row of a kept list."""
    row = {"outcome": finding.outcome, "copy": finding.copy, "key": finding.key}
    row |= {"expected": str(finding.expected or ""), "found": str(finding.found or ""), "why": finding.why}
    return {name: value for name, value in row.items() if value}


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
