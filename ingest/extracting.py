"""The step of an ingest that unpacks the archives inside a delivery; what came out is then examined like any file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ingest import checks, extract, member, scan_told
from ingest.extract import FOLDER, NAME, Extraction
from ingest.finding import Finding, info
from ingest.identify import Sample
from ingest.scan import Engine, Outcome
from ingest.sip import Sip
from ingest.source import is_member
from ingest.unpack import SMALL
from ingest.worklist import Worklist
from policies.ingest import IngestPolicy, Limits
from storage import bag
from storage.digest import Digest
from storage.names import bag_path, unescape_path
from storage.premis import File, Happening

EVENT = "unpacking"  # id.loc.gov/vocabulary/preservation/eventType
_REMEMBERED = 10_000  # folders: files mostly come folder by folder


class Nested(NamedTuple):
    """An archive in a delivery that was examined; `apart`: its bytes are a file in our scratch."""

    name: bytes
    size: int
    source: bytes
    apart: bool
    digest: Digest
    puids: Sequence[str]
    infected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What it takes to unpack: `identify` tells a sample's PUIDs, `stored` writes a blob of the vault to a file, `heed`
    raises where the run is to stop."""

    policy: IngestPolicy
    scratch: Path
    identify: Callable[[Sample], Sequence[str]]
    stored: Callable[[Digest, Path], None]
    heed: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Extracted:
    """What came out of `archives` archives, on a worklist of its own; `event` identifies the event that tells of it."""

    worklist: Worklist
    archives: int
    event: str

    def files(self, sources: Worklist) -> Iterator[File]:
        """Yield the files as PREMIS objects, each derived from the archive of the delivery that it came out of."""

        @lru_cache(_REMEMBERED)
        def source(folder: bytes) -> str:
            found = sources.select("select place from items where name = ? and kind = 'file'", folder)
            return next((str(row[0]) for row in found), "")

        for file in self.worklist.files():
            derived = next(filter(None, map(source, member.above(unescape_path(file.original_name)))))
            yield file._replace(derived_from=derived, event=self.event)

    def findings(self, engine: Engine | None) -> Iterator[Finding]:
        """Yield what is to be said of formats and viruses, as of what was delivered."""
        yield from checks.formats(self.worklist)
        yield from scan_told.check(self.worklist, engine)

    def happening(self, time: str, agents: Sequence[str]) -> Happening:
        files, size = self.worklist.totals()
        detail = f"{files} files, {size} bytes, out of {self.archives} archives: the representation {NAME}"
        return Happening(id=self.event, type=EVENT, time=time, detail=detail, outcome="success", agents=tuple(agents))


def unpack(sip: Sip, worklist: Worklist, out: Worklist, tools: Tools) -> int:
    """Unpack what archives there are in a delivery onto the worklist `out`; return how many were.

    What may come out, of all of them together, is what the policy allows one delivery and one container.
    """
    files, size = _room(sip, worklist, tools.policy.limits)
    extraction = Extraction(
        worklist=out, scratch=tools.scratch, policy=tools.policy, files=files, size=size, identify=tools.identify,
        tell=worklist.tell, heed=tools.heed,
    )  # fmt: skip
    for one in _archives(worklist):
        if one.infected:
            extraction.left(one.name, "it is infected")
        elif not one.apart:
            copy = tools.scratch / "archive"
            tools.stored(one.digest, copy)
            extraction.unpack(copy, one.name, one.puids)
            copy.unlink()
        else:
            extraction.unpack(Path(os.fsdecode(one.source)), one.name, one.puids)
    payload = sip.bag.base + b"data/" if sip.bag else b""
    out.place(lambda name: FOLDER + bag_path(name.removeprefix(payload)))
    return extraction.archives


def foretold(worklist: Worklist, policy: IngestPolicy) -> Iterator[Finding]:
    """Yield, for a dry run, that archives would be unpacked, so far as files were looked at."""
    if policy.extract.depth and (count := sum(1 for _ in _archives(worklist))):
        yield info("archives-inside", f"Archives in it ({count} were seen) would be unpacked beside it.")


def _room(sip: Sip, worklist: Worklist, limits: Limits) -> tuple[int, int]:
    """How many files and bytes may come out of all archives together: a delivery that came in an archive has used up
    some of what one container may hold."""
    files, size = worklist.totals()
    used, out = (files, size) if sip.container else (0, 0)
    packed = sip.container.size if sip.container else sum(one.size for one in _archives(worklist))
    most = min(limits.container.bytes, max(SMALL, packed * limits.container.ratio))
    return min(limits.files - files, limits.container.files - used), min(limits.bytes - size, most - out)


def _archives(worklist: Worklist) -> Iterator[Nested]:
    """Yield what may be an archive by its formats, of what was delivered as content, by name."""
    rows = worklist.select(
        "select name, size, source, watched, digest, formats, scan from items"
        " where kind = 'file' and digest is not null and substr(place, 1, ?) = ? order by name",
        len(bag.ORIGINAL), bag.ORIGINAL,
    )  # fmt: skip
    for name, size, source, watched, digest, formats, scan in rows:
        puids = tuple(puid for _, _, puid in json.loads(formats))
        if extract.may_be(puids, name):
            infected = scan == Outcome.INFECTED
            apart = bool(source) and not watched and not is_member(source)
            yield Nested(name, size, source, apart, Digest.parse(digest), puids, infected)
