"""A package's checks alone: nothing is stored, no repository is needed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from pathlib import Path

from ingest import beside, sip_digests
from ingest.bag_profile import Profile
from ingest.examine import Desk
from ingest.examined import examined
from ingest.fetch_plan import foretold
from ingest.finding import Finding, Severity, warning
from ingest.identify import Basis, Identification, Identifier, Sample
from ingest.intake import CHUNK_BYTES, CHUNK_FILES
from ingest.rules import rules
from ingest.sip import open_sip
from ingest.standards import NO_STANDARDS, Standards
from ingest.worklist import Worklist
from policies.ingest import IngestPolicy
from storage.parallel import Carried, in_order
from storage.portions import cut
from storage.progress import SILENT, Progress
from storage.receive import HoldsNothing


@dataclass(frozen=True, slots=True)
class Validation:
    """`valid` where no finding is an error, None where there was nothing to check by; findings are errors first, then
    by code and path."""

    kind: str
    valid: bool | None
    findings: Sequence[Finding]


def validate(
    path: Path, policy: IngestPolicy, executor: Callable[[int, int], AbstractContextManager[Executor]],
    kind: str = "", manifest: Path | None = None, progress: Progress = SILENT, *, now: datetime | None = None,
    standards: Standards = NO_STANDARDS, profile: Profile | None = None,
) -> Validation:  # fmt: skip
    """Read a package and check it by its standard's rules, or by the producer's list of digests, in it or given as
    `manifest`; raise NoSuchPackage, UnknownPackage or NotManifest. Without `now`, no date in it is of the future.

    What schemas, profiles and other validators say, where `standards` has what they need, stands beside what we find.
    `profile` is the BagIt Profile that a bag has to keep to, instead of those that it names.
    """
    with tempfile.TemporaryDirectory(prefix="tianyi-") as scratch:
        worklist = Worklist(f"{scratch}/worklist.db")
        try:
            return _validated(
                path, policy, executor, kind, manifest, progress, worklist, Path(scratch), now, standards, profile
            )
        finally:
            worklist.close()


def _validated(
    path: Path, policy: IngestPolicy, executor: Callable[[int, int], AbstractContextManager[Executor]],
    kind: str, manifest: Path | None, progress: Progress, worklist: Worklist, scratch: Path,
    now: datetime | None, standards: Standards, profile: Profile | None,
) -> Validation:  # fmt: skip
    given = sip_digests.copied(manifest, scratch) if manifest else None
    sip = open_sip(path, worklist, scratch / "unpacked", policy, kind, given)
    files, size = worklist.totals()
    progress.begin("Reading", files, size)
    with executor(files, size) as pool:
        tasks = cut(worklist.tasks(), attrgetter("size"), CHUNK_FILES, CHUNK_BYTES)
        for results in in_order(pool, partial(examined, _DESK), tasks):
            worklist.found(results.found)
            worklist.tell(results.findings)
            progress.advance(results.files, results.size)
    progress.end()
    if sip.bag:
        worklist.tell(foretold(sip.bag, worklist, policy))
    worklist.tell(rules(worklist, sip, now))
    claims = sip.bag or sip.ocfl or sip.eark or sip.crate or sip.lists or sip.description
    if not claims and sip.kind != "rar":
        told = f"A plain {sip.kind} makes no claims to be checked: say --as what it is, or give its list of digests."
        worklist.tell([warning("no-rules", told)])
    worklist.tell(beside.rules(worklist, sip, standards, scratch, profile))
    worklist.tell(beside.validators(worklist, sip, standards, scratch))
    findings = tuple(worklist.findings())
    return Validation(sip.kind, _verdict(findings), findings)


def _verdict(findings: Sequence[Finding]) -> bool | None:
    if any(found.severity is Severity.ERROR for found in findings):
        return False
    return None if any(found.code == "no-rules" for found in findings) else True


class _Nobody:
    """Formats do not matter here."""

    name = version = "none"

    def identify(self, sample: Sample) -> Identification:
        return Identification.of((), Basis.NONE)


def _nobody() -> Identifier:
    return _Nobody()


_DESK = Carried(Desk((), "", HoldsNothing(), _nobody))
