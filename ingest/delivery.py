"""What an ingest is given, and what comes of it, as values; and what the policy decides of findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from ingest import describe, sip_digests
from ingest.finding import Finding, Severity
from ingest.identify import Identifier
from ingest.scan import Scanner
from ingest.sip import check_package
from ingest.standards import NO_STANDARDS, Standards
from ingest.terms import LONGEST, NO_TERMS, Terms
from policies.decide import Decision, decide_ingest
from policies.effective import Policies
from policies.ingest import IngestPolicy
from storage.commit import Committer
from storage.digest import Digest
from storage.progress import SILENT, Progress
from storage.receive import Holds

CAPPED = 100  # findings that a receipt carries itself
OUTCOMES = {"accept": "accepted", "hold": "held", "reject": "rejected"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What an officer asks for. `manifest` is the producer's list of digests, `override` the reason why what the policy
    would hold is accepted; `expected` the digest of the list of the files that were held, where these have to be the
    same. `follow`: whether the path may be a symbolic link to the package."""

    path: Path
    title: str = ""
    producer: str = ""
    metadata: Path | None = None
    manifest: Path | None = None
    kind: str = ""
    override: str = ""
    terms: Terms = NO_TERMS
    expected: Digest | None = None
    follow: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and with what an ingest works: everything that it would otherwise find around it."""

    committer: Committer
    work: Path
    holds: Holds
    policies: Policies
    executor: Callable[[int, int], AbstractContextManager[Executor]]
    """Given how many files and bytes there are, what to run the work on."""
    identifier: Callable[[], Identifier]
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    agent: str
    software: str
    progress: Progress = SILENT
    scanner: Callable[[], Scanner] | None = None
    """What gives each worker its virus scanner; None: none is asked."""
    standards: Standards = NO_STANDARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a delivery. `files` and `bytes` are the regular files as delivered; `new_bytes` were not held
    before; `findings` are the first of `findings_total`, all of which are in the file `report` (JSON Lines); `codes`
    says how many there are of each severity and code. `listing` is a file with the SHA-256 of each file that was read,
    in the form of a BagIt manifest, and `content` its own. `record` is the digest of the newest version's record.
    `extracted` files came out of archives in it."""

    accession: str
    kind: str
    outcome: str
    because: Sequence[str]
    files: int
    size: int
    new_bytes: int
    findings: Sequence[Finding]
    findings_total: int
    codes: Sequence[tuple[Severity, str, int]]
    report: Path
    listing: Path
    content: Digest
    title: str
    producer: str
    decided: str
    aip: str = ""
    version: int = 0
    record: Digest | None = None
    behind: frozenset[str] = field(default_factory=frozenset)
    extracted: int = 0


def look(delivery: Delivery) -> None:
    """Raise NoSuchPackage, UnknownPackage, NotManifest or NotMetadata for what cannot be a delivery, before it gets a
    number."""
    check_package(delivery.path, delivery.kind, follow=delivery.follow)
    if delivery.manifest:
        sip_digests.look(delivery.manifest)
    if delivery.metadata:
        describe.read(delivery.metadata)


def judged(codes: Iterable[tuple[Severity, str, int]], policy: IngestPolicy, override: str = "") -> Decision:
    """What the policy decides of so many findings of each severity and code; with an officer's reason, what it would
    hold is accepted."""
    decision = decide_ingest({(code, severity.value): count for severity, code, count in codes}, policy)
    if decision.outcome == "hold" and override:
        because = (*decision.because, f"accepted: {first_said([override])[:LONGEST]}")
        return replace(decision, outcome="accept", because=because)
    return decision


def first_said(texts: Iterable[str]) -> str:
    """The first that says something; bytes of the command line that are not UTF-8 become U+FFFD."""
    said = (text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip() for text in texts)
    return next(filter(None, said), "")
