"""Some files of a package looked at in a bounded time: which formats they have, and which need not be stored again."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, NamedTuple

from ingest.examine import Desk, Facts, Task, examine
from ingest.finding import Finding, error
from ingest.identify import HEAD, Identification, Identifier, Sample
from ingest.pace import Pace
from ingest.sample import ContainerError, sample_of
from ingest.source import is_member, is_stored, open_lines, open_seekable, open_source
from ingest.worklist import Worklist
from policies.decide import MigrateTo, plan_for
from policies.effective import Policies
from policies.formats import Risk
from storage.digest import Digest, Hashing
from storage.names import escape_path
from storage.receive import HoldsNothing, chunks
from storage.store import CHUNK

LARGEST = 256 << 20  # bytes: of a larger file the ends are looked at
BEGINNING = 64 << 20  # and this many of its bytes are read, for the pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Files of one format among those looked at: its PUID ("" for none), name and risk, and the representation that
    the migration policy plans ("" for none)."""

    puid: str
    name: str
    files: int
    size: int
    risk: Risk
    planned: str

    @property
    def is_risky(self) -> bool:
        """Whether somebody has to think about it: of moderate or high risk, or not recognised."""
        return self.risk in ("moderate", "high") or not self.puid


Look = Facts | Identification | Finding


def looks(
    worklist: Worklist, identifier: Callable[[], Identifier], clock: Callable[[], float], seconds: float
) -> Iterator[tuple[Task, Look, float]]:
    """Yield files, what was seen of them, and the seconds that it took, until the time is up."""
    identifier()  # it reads its signatures, once
    desk = Desk((), "", HoldsNothing(), identifier)
    end = clock() + seconds
    for task in worklist.spread():
        if (before := clock()) > end:
            return
        yield task, _look(desk, task), clock() - before


def _look(desk: Desk, task: Task) -> Look:
    """Facts of a file that was read whole; of a larger one its format."""
    if task.size <= LARGEST:
        return examine(desk, [task])[0]
    try:
        with open_source(task.source) as stream:
            Hashing().feed_all(islice(chunks(stream), BEGINNING // CHUNK))
        return desk.identifier().identify(_ends(task))
    except OSError as failure:
        return error("file-unreadable", f"It cannot be read: {failure.strerror}.", escape_path(task.name))


def _ends(task: Task) -> Sample:
    """The sample of a large file; of a packed member its beginning alone, as the rest would have to be unpacked."""
    if not is_member(task.source):
        return sample_of(task.source)
    name, packed = task.name.rpartition(b"/")[2], not is_stored(task.source)
    with open_lines(task.source) if packed else open_seekable(task.source) as stream:
        head = stream.read(HEAD)
        tail = b"" if packed else _tail(stream)
    return Sample(name, task.size, head, tail, lambda: _not_now() if packed else open_seekable(task.source))


def _tail(stream: BinaryIO) -> bytes:
    stream.seek(-HEAD, os.SEEK_END)
    return stream.read(HEAD)


def _not_now() -> BinaryIO:
    raise ContainerError("it would have to be unpacked first")


class _Known(NamedTuple):
    puid: str
    name: str


@dataclass(slots=True)
class Seen:
    """What is remembered of the files that were looked at: a bounded time's worth."""

    held: Callable[[Digest], bool]
    files: int = 0
    repeated: int = 0
    repeated_bytes: int = 0
    pace: Pace = field(default_factory=Pace)
    digests: set[Digest] = field(default_factory=set)
    counts: Counter[_Known] = field(default_factory=Counter)
    sizes: Counter[_Known] = field(default_factory=Counter)

    def take(self, task: Task, look: Look, seconds: float) -> None:
        if isinstance(look, Finding):
            return
        self.files += 1
        self.pace.saw(task.size if task.size <= LARGEST else BEGINNING, seconds)
        known = look.identification if isinstance(look, Facts) else look
        found = _Known(known.formats[0].puid, known.formats[0].name) if known.formats else _Known("", "")
        self.counts[found] += 1
        self.sizes[found] += task.size
        if isinstance(look, Facts):
            self._take_digest(look.digests[0], look.size)

    def _take_digest(self, digest: Digest, size: int) -> None:
        if digest in self.digests or self.held(digest):
            self.repeated, self.repeated_bytes = self.repeated + 1, self.repeated_bytes + size
        self.digests.add(digest)

    def formats(self, policies: Policies) -> list[Format]:
        """By how many files have them, the most first, then by PUID."""
        return [
            Format(
                puid=found.puid, name=found.name, files=count, size=self.sizes[found],
                risk=policies.formats.risk_of(found.puid), planned=_planned(found.puid, policies),
            )
            for found, count in sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        ]  # fmt: skip


def _planned(puid: str, policies: Policies) -> str:
    plan = plan_for(puid, policies)
    return plan.representation if isinstance(plan, MigrateTo) else ""
