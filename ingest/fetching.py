"""The step of an ingest that fetches what a bag's fetch.txt names (RFC 8493 §2.2.3), where the policy says `follow`.

What is fetched becomes a file like any of the bag, in our scratch: the manifest's digest decides whether it is right.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from ingest.bagit_tags import Fetch
from ingest.fetch_plan import Room, check, failed, foretold, name_of, shown, url
from ingest.fetch_rules import NotFetched
from ingest.finding import Finding, Severity, info
from ingest.item import Item
from ingest.settled import Captured, Settled
from ingest.sip_bag import Bag, place
from ingest.worklist import Worklist
from policies.decide import decide_ingest
from policies.ingest import IngestPolicy
from storage.aip import stamp
from storage.durable import DISK, told
from storage.errors import NoRoom
from storage.namemap import Kind
from storage.premis import Happening
from storage.progress import SILENT, Progress
from storage.spool import Spool
from storage.store import Opens

if TYPE_CHECKING:
    from ingest.fetch_http import Fetcher

EVENT = "capture"  # id.loc.gov/vocabulary/preservation/eventType: the repository itself obtains an object
PAUSES = (1.0, 2.0)  # seconds before another try


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What it takes to fetch: `settled` knows what an ingest that was cut short had fetched, and kept in all `copies`.
    A folder `scratch` is made."""

    policy: IngestPolicy
    fetcher: Fetcher
    scratch: Path
    settled: Settled
    copies: Sequence[Opens]
    now: Callable[[], datetime]
    progress: Progress = SILENT


def follow(bag: Bag, worklist: Worklist, means: Means) -> Spool[Captured]:
    """Fetch what may be, onto the worklist; return what was. What could not be is findings: once the policy rejects one
    of those, nobody else is asked. Raises NoRoom, Cancelled."""
    following = _Following(bag, worklist, means)
    if following.is_over(foretold(bag, worklist, means.policy)):
        worklist.tell(foretold(bag, worklist, means.policy))
        return following.captured
    means.scratch.mkdir()
    means.progress.begin("Fetching", len(bag.to_fetch), sum(fetch.length or 0 for fetch in bag.to_fetch))
    for fetch in bag.to_fetch:
        worklist.tell([following.one(fetch)])
    means.progress.end()
    if following.captured:
        means.settled.note(following.captured)
    return following.captured


def happenings(captured: Spool[Captured], bag: Bag, new_id: Callable[[], UUID], agent: str) -> Iterator[Happening]:
    """Yield the event of each file that was fetched: from where, and when."""
    for one in captured:
        yield Happening(
            id=str(new_id()), type=EVENT, time=one.time, detail=f"{one.url}, {one.size} bytes (RFC 8493 §2.2.3)",
            outcome="success", note=f"given by {one.given}" if one.given != one.url else "", agents=(agent,),
            objects=(place(one.name, bag.base),),
        )  # fmt: skip


@dataclass(slots=True)
class _Following:
    """One fetch.txt, line by line."""

    bag: Bag
    worklist: Worklist
    means: Means
    captured: Spool[Captured] = field(default_factory=Spool)
    room: Room = field(init=False)
    end: float = field(init=False)
    stopped: bool = False

    def __post_init__(self) -> None:
        policy = self.means.policy
        self.room = Room.of(self.worklist, policy)
        self.end = self.means.fetcher.clock() + policy.fetching.time_in_all.total_seconds()

    def is_over(self, findings: Iterator[Finding]) -> bool:
        """Whether some finding is an error that the policy rejects."""
        errors = Counter((one.code, one.severity.value) for one in findings if one.severity is Severity.ERROR)
        return decide_ingest(errors, self.means.policy).outcome == "reject"

    def one(self, fetch: Fetch) -> Finding:
        name = name_of(fetch, self.bag, self.worklist)
        self.means.fetcher.heed()
        if (there := self.worklist.item(name)) and there.kind is Kind.FILE:
            return info("rfc8493-2.2.3-fetched", "It is in fetch.txt and is there.", shown(name, self.bag))
        try:
            if self.stopped:
                raise NotFetched("another could not be fetched, so that nobody was asked")
            check(name, fetch, self.bag, self.worklist, self.means.policy)
            captured = self._settled(name) or self._fetched(name, fetch)
        except NotFetched as why:
            finding = failed(name, fetch, self.bag, why)
            self.stopped = self.stopped or self.is_over(iter([finding]))
            return finding
        self.room.files -= 1
        self.captured.append(captured)
        self.means.progress.advance(1, 0)
        told = f"It was fetched from {url(fetch)}: {captured.size} bytes."
        return info("rfc8493-2.2.3-fetched", told, shown(name, self.bag))

    def _settled(self, name: bytes) -> Captured | None:
        """What an earlier run has fetched, if every copy still has it: then it is nowhere else."""
        known = self.means.settled.captured(name, self.means.copies)
        if known is None or not self._answers(known[1].digests, name):
            return None
        captured, facts = known
        self._add(name, facts.size, b"")
        self.worklist.recall(facts)
        self.means.progress.advance(0, facts.size)
        return captured

    def _answers(self, digests: str, name: bytes) -> bool:
        """Whether every digest that is claimed was computed then."""
        rows = self.worklist.select("select algorithm from claims where name = ?", name)
        return all(f'"{algorithm}:' in digests for (algorithm,) in rows)

    def _fetched(self, name: bytes, fetch: Fetch) -> Captured:
        path = self.means.scratch / f"{len(self.captured) + 1:08d}"
        given, size = self._tried(fetch, path)
        self._add(name, size, os.fsencode(path))
        return Captured(name, fetch.url, given, stamp(self.means.now()), size)

    def _add(self, name: bytes, size: int, source: bytes) -> None:
        self.worklist.add(Item(kind=Kind.FILE, name=name, source=source, size=size))
        list(self.worklist.select("update items set place = ? where name = ?", place(name, self.bag.base), name))

    def _tried(self, fetch: Fetch, path: Path) -> tuple[str, int]:
        """Fetch into a new file; return the URL that gave it, and its bytes. What may pass is tried again."""
        clock, rules = self.means.fetcher.clock, self.means.policy.fetching
        end = min(self.end, clock() + rules.time_per_file.total_seconds())
        pauses = iter(PAUSES)
        while True:
            try:
                return self._once(fetch, path, end)
            except NotFetched as failure:
                pause = next(pauses, None)
                if not failure.passing or pause is None or clock() + pause >= end:
                    raise
            self.means.fetcher.pause(pause)

    def _once(self, fetch: Fetch, path: Path, end: float) -> tuple[str, int]:
        self.room.check(fetch.length)
        if (fetch.length or 0) > shutil.disk_usage(path.parent).free:
            raise NoRoom(str(path.parent))
        with ExitStack() as undo:
            undo.callback(path.unlink, missing_ok=True)
            with told(str(path)):
                file = path.open("xb", buffering=0)
            with file:
                given = self.means.fetcher.fetch(
                    fetch.url, fetch.length, self.room.size, end, lambda data: self._keep(file.fileno(), data, path)
                )
            undo.pop_all()
        return given, path.stat().st_size

    def _keep(self, descriptor: int, data: bytes, path: Path) -> None:
        with told(str(path)):
            DISK.write(descriptor, data)
        self.room.size -= len(data)
        self.means.progress.advance(0, len(data))
