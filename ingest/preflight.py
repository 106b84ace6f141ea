"""What an ingest would do, told before it begins: nothing is kept, and no accession number is given.

Everything is listed; of the files, those that a bounded time allows are read, hashed and identified, spread over the
package. What of an archive has to be unpacked is, as far as that time and PEEK allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from ingest import checks, extracting, sip_digests
from ingest.delivery import CAPPED, Delivery, judged
from ingest.examine import Facts
from ingest.examined import found
from ingest.fetch_plan import claimed, foretold
from ingest.finding import Finding, Severity, info
from ingest.glance import Format, Seen, looks
from ingest.held import Held
from ingest.identify import Identifier
from ingest.pace import SMALL
from ingest.rules import rules
from ingest.sip import Sip, open_sip
from ingest.unpack import TooMuch, Unpacking
from ingest.worklist import Worklist
from policies.decide import Decision
from policies.effective import Policies
from policies.ingest import IngestPolicy
from storage.digest import Digest
from storage.progress import SILENT, Progress

PATIENCE = 10.0  # seconds that an archive is unpacked, and that files are looked at
PEEK = 1 << 30  # bytes of an archive that are unpacked at most
_NOT_COMPARED = (
    "select count(*) from items i where kind = 'file' and digest is null"
    " and exists (select 1 from claims c where c.name = i.name)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What is known before an ingest.

    `files` and `size` are those listed: all, or at least so many where not `whole` (an archive that was unpacked in
    part); `unpacked` are the bytes that an archive needs in scratch, 0 for a folder. `fetched` are those that would be
    fetched besides, so far as a bag tells. `looked_at` files were looked at; `not_compared` have digests that were
    claimed and are not compared, as they were not read whole. Of those looked at, `repeated` with `repeated_bytes`
    would not be stored again: they are held, or come twice. `seconds` is what reading all by one process would take at
    the pace measured, None where nothing was. `findings` are the first of `findings_total`.
    """

    kind: str
    whole: bool
    files: int
    size: int
    unpacked: int
    fetched: int
    looked_at: int
    not_compared: int
    repeated: int
    repeated_bytes: int
    seconds: float | None
    formats: Sequence[Format]
    decision: Decision
    findings: Sequence[Finding]
    findings_total: int
    codes: Sequence[tuple[Severity, str, int]]

    @property
    def new_bytes(self) -> int:
        """Bytes to be stored in each copy, at most."""
        return self.size - self.repeated_bytes

    @property
    def outcome(self) -> str:
        """What the policy would do, so far as is known: accept, hold or reject."""
        return self.decision.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """With what a delivery is looked at. `held` says whether the first copy holds a blob; `clock` counts seconds;
    `into` is the AIP that it would be added to, None for one of its own."""

    policies: Policies
    identifier: Callable[[], Identifier]
    held: Callable[[Digest], bool]
    clock: Callable[[], float]
    scratch: Path
    progress: Progress = SILENT
    into: Held | None = None
    patience: float = PATIENCE


def preflight(delivery: Delivery, lens: Lens) -> Preflight:
    """Look at a package; raise NoSuchPackage or UnknownPackage."""
    with closing(Worklist(str(lens.scratch / "worklist.db"))) as worklist:
        end = lens.clock() + lens.patience
        peek = partial(_Peek, enough=lambda: lens.clock() > end)
        policy = lens.policies.ingest
        given = sip_digests.copied(delivery.manifest, lens.scratch) if delivery.manifest else None
        sip = open_sip(delivery.path, worklist, lens.scratch / "unpacked", policy, delivery.kind, given, peek)
        seen = _seen(worklist, lens)
        for check in (checks.nothing, checks.formats, checks.names):
            worklist.tell(check(worklist))
        if sip.bag:
            worklist.tell(foretold(sip.bag, worklist, policy))
        worklist.tell(extracting.foretold(worklist, policy) if not sip.ocfl else [])
        worklist.tell(lens.into.beside(worklist, sip) if lens.into else [])
        worklist.tell(_rules(worklist, sip, policy) if sip.whole else [])
        files, size = worklist.totals()
        codes = worklist.codes()
        return Preflight(
            kind=sip.kind, whole=sip.whole and not _is_part(codes), files=files, size=size,
            not_compared=next(worklist.select(_NOT_COMPARED))[0],
            unpacked=0 if delivery.path.is_dir() else worklist.unpacked_bytes(),
            fetched=claimed(sip.bag) if sip.bag and policy.fetch == "follow" else 0,
            looked_at=seen.files, repeated=seen.repeated, repeated_bytes=seen.repeated_bytes,
            seconds=seen.pace.expected(files, worklist.bytes_from(SMALL)), formats=seen.formats(lens.policies),
            decision=judged(codes, policy, delivery.override),
            findings=list(islice(worklist.findings(), CAPPED)), findings_total=worklist.findings_total(), codes=codes,
        )  # fmt: skip


def _rules(worklist: Worklist, sip: Sip, policy: IngestPolicy) -> Iterator[Finding]:
    """Yield what the package does not keep to, so far as was looked at; what was not unpacked yet, or is to be fetched,
    is not missing."""
    if not _is_part(worklist.codes()) and not (sip.bag and sip.bag.to_fetch and policy.fetch == "follow"):
        yield from rules(worklist, sip, None)
        return
    list(worklist.select("delete from claims where name not in (select name from items)"))
    yield from (one for one in rules(worklist, sip, None) if one.code != "rfc8493-2.2.2-oxum")


def _is_part(codes: Sequence[tuple[Severity, str, int]]) -> bool:
    return any(code == "archive-in-part" for _, code, _ in codes)


def _seen(worklist: Worklist, lens: Lens) -> Seen:
    """Look at files as long as the time allows; what is found goes on the worklist."""
    seen = Seen(lens.held)
    lens.progress.begin("Looking", *worklist.totals())
    for task, look, seconds in looks(worklist, lens.identifier, lens.clock, lens.patience):
        seen.take(task, look, seconds)
        worklist.tell([look] if isinstance(look, Finding) else [])
        worklist.found([found(look)] if isinstance(look, Facts) else [])
        lens.progress.advance(1, task.size)
    lens.progress.end()
    return seen


@dataclass(slots=True)
class _Peek(Unpacking):
    """Unpacks until it is enough."""

    enough: Callable[[], bool] = lambda: False

    def count(self, size: int) -> None:
        Unpacking.count(self, size)
        self._until(self.size > PEEK)

    def left(self, size: int) -> None:
        Unpacking.left(self, size)
        self._until(False)

    def _until(self, much: bool) -> None:
        if much or self.enough():
            raise TooMuch(info("archive-in-part", "The archive was looked at in part: it is large."))
