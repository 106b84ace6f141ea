"""What a worker found in a chunk of files, in the form in which the main process puts it away: as little to send, and
as little to do there, as can be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ingest.examine import Desk, Facts, Task, examine
from ingest.finding import Finding
from ingest.identify import Format
from ingest.scan import Outcome
from storage.digest import Digest
from storage.parallel import Carried
from storage.receive import Waiting


class Found(NamedTuple):
    """The facts of one file as columns of the worklist; `number` says which. Digests and formats are JSON."""

    size: int
    digest: str
    digests: str
    formats: str
    mime: str
    basis: str
    opinion: str
    new: bool
    scan: str | None
    scan_told: str | None
    number: int


class Examined(NamedTuple):
    """One chunk. Blobs of `infected` files get names in the vault only if they are accepted; `clean` are the numbers of
    the others: a run that goes on reads the rest again, and has them scanned."""

    found: list[Found]
    findings: list[Finding]
    waiting: list[Waiting]
    infected: list[Waiting]
    clean: list[int]

    @property
    def files(self) -> int:
        return len(self.found) + len(self.findings)

    @property
    def size(self) -> int:
        """Bytes that were read whole."""
        return sum(one.size for one in self.found)


def examined(desk: Carried[Desk], tasks: Sequence[Task]) -> Examined:
    """Examine a chunk of files; raises as `examine`."""
    chunk = Examined([], [], [], [], [])
    for result in examine(desk.value, tasks):
        if isinstance(result, Facts):
            _take(chunk, result)
        else:
            chunk.findings.append(result)
    return chunk


def found(facts: Facts) -> Found:
    """The facts of one file as the worklist keeps them."""
    known, verdict = facts.identification, facts.verdict
    return Found(
        facts.size,
        str(facts.digests[0]),
        _listed(facts.digests),
        _formats(known.formats),
        known.mime,
        known.basis.value,
        known.opinion,
        facts.new,
        verdict.outcome.value if verdict else None,
        verdict.told if verdict else None,
        facts.number,
    )


def _listed(digests: Sequence[Digest]) -> str:
    """As JSON: nothing in a digest has to be escaped."""
    return '["' + '", "'.join(map(str, digests)) + '"]'


@lru_cache(1024)
def _formats(formats: tuple[Format, ...]) -> str:
    return json.dumps([(one.name, one.version, one.puid) for one in formats])


def _take(chunk: Examined, facts: Facts) -> None:
    chunk.found.append(found(facts))
    outcome = facts.verdict.outcome if facts.verdict else Outcome.CLEAN
    if facts.received:
        (chunk.infected if outcome is Outcome.INFECTED else chunk.waiting).append(facts.received.waiting)
    if outcome is Outcome.CLEAN:
        chunk.clean.append(facts.number)
