"""The story of an ingest, step by step: list → examine each file → check → decide → assemble → commit."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from uuid import UUID

from ingest import (
    assemble,
    beside,
    checks,
    describe,
    extracting,
    scan_told,
    sip_bag,
    sip_digests,
    sip_eark,
    sip_ocfl,
    sip_rocrate,
)
from ingest.assemble import Assembled, Draft
from ingest.cancelling import heed
from ingest.characterization import Characterization, subject_of
from ingest.characterization_ingest import ask_tools, characterization
from ingest.characterization_told import Teller
from ingest.errors import NotAsHeld
from ingest.examine import Desk
from ingest.examined import Examined, examined
from ingest.extracting import Extracted, Tools
from ingest.finding import Finding, Severity, error
from ingest.happenings import Actors, happenings
from ingest.identify import Identifier
from ingest.scan import Engine, Scanner
from ingest.settled import Settled, place, remove
from ingest.sip import Sip, check_package, open_sip, unchanged
from ingest.standards import NO_STANDARDS, Standards
from ingest.terms import NO_TERMS, Terms
from ingest.versions import State, are_whole, states
from ingest.worklist import Worklist
from policies.decide import Decision, decide_ingest
from policies.effective import Policies
from policies.ingest import IngestPolicy
from storage import bag, durable
from storage.aip import Record, stamp
from storage.canonical import Json
from storage.commit import Committer
from storage.digest import Digest, Hashing, sha256
from storage.durable import told
from storage.event import Event
from storage.manifest import Line, format_line
from storage.names import bag_path, escape_path
from storage.parallel import MORE_AHEAD, cut, in_order, portions
from storage.premis import File, Rights
from storage.progress import SILENT, Progress
from storage.receive import Holds, Received, Waiting, chunks
from storage.spool import Spool
from storage.staging import Staging, staging

CHUNK_FILES, CHUNK_BYTES = 250, 64 << 20  # what a worker is handed at once
BATCH_FILES, BATCH_BYTES = 10_000, 4 << 30  # what becomes durable at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What an officer asks for. `manifest` is the producer's list of digests, `override` the reason why what the policy
    would hold is accepted; `expected` the digest of the list of the files that were held, where these have to be the
    same."""

    path: Path
    title: str = ""
    producer: str = ""
    metadata: Path | None = None
    manifest: Path | None = None
    kind: str = ""
    override: str = ""
    terms: Terms = NO_TERMS
    expected: Digest | None = None


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


REASON = 2_000  # characters of an officer's reason that an entry of the ledger has room for
CAPPED = 100  # findings that a receipt carries itself
_OUTCOMES = {"accept": "accepted", "hold": "held", "reject": "rejected"}


def look(delivery: Delivery) -> None:
    """Raise NoSuchPackage, UnknownPackage, NotManifest or NotMetadata for what cannot be a delivery, before it gets a
    number."""
    check_package(delivery.path, delivery.kind)
    if delivery.manifest:
        sip_digests.look(delivery.manifest)
    if delivery.metadata:
        describe.read(delivery.metadata)


def judged(findings: Iterable[Finding], policy: IngestPolicy, override: str = "") -> Decision:
    """What the policy decides; with an officer's reason, what it would hold is accepted."""
    decision = decide_ingest(((f.code, f.severity.value) for f in findings), policy)
    if decision.outcome == "hold" and override:
        because = (*decision.because, f"accepted: {_first([override])[:REASON]}")
        return replace(decision, outcome="accept", because=because)
    return decision


def take_in(delivery: Delivery, setting: Setting, accession: str) -> Receipt:
    """Ingest one package; return what became of it. Raises what stops the whole: no room, no package, a lock,
    Cancelled."""
    described = describe.read(delivery.metadata) if delivery.metadata else None
    run = f"{accession}-{setting.new_id()}"
    stores = setting.committer.vault.prompt
    folder = setting.work / "staging" / run
    with (
        staging(run, stores, setting.work) as stage, scratch_folder(folder) as scratch, ExitStack() as ending,
        characterization(setting.policies.ingest, scratch) as said,
    ):  # fmt: skip
        return _Ingest(delivery, setting, accession, described, stage, scratch, ending, said).run()


class _Ingest:
    """One delivery on its way through the steps."""

    def __init__(
        self, delivery: Delivery, setting: Setting, accession: str,
        described: tuple[bytes, describe.DublinCore] | None, stage: Staging, scratch: Path, ending: ExitStack,
        said: Characterization | None = None,
    ) -> None:  # fmt: skip
        self.delivery, self.setting, self.accession = delivery, setting, accession
        self.described, self.stage, self.scratch, self.ending = described, stage, scratch, ending
        self.said = said  # by format tools, where the policy asks for them
        self.worklist = self._worklist("worklist.db")
        self.given = sip_digests.copied(delivery.manifest, scratch) if delivery.manifest else None
        self.waiting: list[Waiting] = []
        self.waiting_bytes = 0
        self.infected: Spool[Waiting] = Spool()  # they get names in the vault only if they are accepted
        self.engine: Engine | None = None
        self.heed = partial(heed, setting.work, accession)  # raises Cancelled
        self.unsettled: list[int] = []  # numbers of files that were examined, and may not be durable yet
        self.resumes = place(setting.work, accession)
        self.settled: Settled
        self.desk: Desk
        self.extracted: Extracted | None = None
        self.listing = scratch / "files.sha256"
        self.content = sha256(b"")

    def _worklist(self, name: str) -> Worklist:
        return self.ending.enter_context(closing(Worklist(str(self.scratch / name))))

    def run(self) -> Receipt:
        policy = self.setting.policies.ingest
        unpacked, kind = self.scratch / "unpacked", self.delivery.kind
        sip = open_sip(self.delivery.path, self.worklist, unpacked, policy, kind, self.given, heed=self.heed)
        if self.setting.scanner:
            self.engine = self.setting.scanner().engine()
        if sip.whole:
            self._examine(sip, store=self._decide().outcome != "reject")
            self._check(sip)
            self._extract(sip)
            self._characterize()
        self._list()
        decision = self._never_unread(self._decide())
        receipt = self._accept(sip, decision) if decision.outcome == "accept" else self._decline(sip, decision)
        remove(self.resumes)
        return receipt

    def _examine(self, sip: Sip, *, store: bool) -> None:
        """Hash, store and identify every file, in chunks on the executor; nothing is stored of what is refused, and
        nothing is read again that a run which was cut short has settled."""
        files, size = self.worklist.totals()
        stores = tuple(self.stage.stores) if store else ()
        digests = self.setting.policies.ingest.digests
        self.setting.identifier()  # so that what is kept ready for it is there before the workers look for it
        self.desk = Desk(
            stores, self.stage.run, self.setting.holds, self.setting.identifier, digests, self.setting.scanner,
            self.heed,
        )  # fmt: skip
        self.setting.progress.begin("Reading", files, size)
        with closing(Settled(self.resumes, self._examined_with(sip))) as self.settled:
            self.settled.recall(self.worklist, stores, self.setting.progress.advance)
            with self.setting.executor(files, size) as executor:
                tasks = cut(self.worklist.tasks(), attrgetter("size"), CHUNK_FILES, CHUNK_BYTES)
                for chunk in in_order(executor, partial(examined, self.desk), tasks, MORE_AHEAD):
                    self._take(chunk)
            if self.said and store:
                self._settle_known()
        self.setting.progress.end()

    def _examined_with(self, sip: Sip) -> str:
        """What has to be the same for what was found to count again: the package, the policies, the identifier,
        the virus scanner with its signatures."""
        box = str(sip.container.digest) if sip.container else ""
        known = self.setting.identifier()
        told = [escape_path(sip.path), sip.kind, box, self.setting.policies.digest, known.name, known.version]
        return json.dumps([*told, repr(self.engine)])

    def _take(self, chunk: Examined) -> None:
        self._put_by(chunk, self.worklist)
        self.unsettled += chunk.clean
        if self._is_batch():
            self._settle_known()

    def _settle_known(self) -> None:
        self._settle()
        self.settled.keep(self.worklist.known(self.unsettled))
        self.unsettled.clear()

    def _put_by(self, chunk: Examined, worklist: Worklist) -> None:
        """Write down what was found, and let what was received wait for its batch."""
        self.heed()
        worklist.found(chunk.found)
        self.worklist.tell(chunk.findings)
        self.waiting += chunk.waiting
        self.waiting_bytes += sum(blob.size for blob in chunk.waiting)
        self.infected.extend(chunk.infected)
        self.setting.progress.advance(chunk.files, chunk.size)

    def _is_batch(self) -> bool:
        return len(self.waiting) >= BATCH_FILES or self.waiting_bytes >= BATCH_BYTES

    def _settle(self) -> None:
        self.heed()
        self.stage.settle(self.waiting)
        self.waiting.clear()
        self.waiting_bytes = 0

    def _check(self, sip: Sip) -> None:
        for check in (checks.nothing, checks.formats, checks.names):
            self.worklist.tell(check(self.worklist))
        self.worklist.tell(scan_told.check(self.worklist, self.engine))
        if sip.bag:
            self.worklist.tell(sip_bag.check(self.worklist, sip.bag))
        if sip.ocfl:
            self.worklist.tell(sip_ocfl.check(self.worklist))
        if sip.eark:
            self.worklist.tell(sip_eark.check(self.worklist, sip.eark, self.setting.now()))
        if sip.crate:
            self.worklist.tell(sip_rocrate.check(self.worklist, sip.crate))
        if sip.lists:
            self.worklist.tell(sip_digests.check(self.worklist, sip.lists))
        if self.setting.standards.folder:
            self.worklist.tell(beside.rules(self.worklist, sip, self.setting.standards, self.scratch))
        if sip.ocfl and sip.ocfl.is_root:
            self.worklist.tell([error("ocfl-root", "It is a storage root in an archive: deliver it unpacked.")])
        self.worklist.tell(unchanged(sip, self.worklist))

    def _extract(self, sip: Sip) -> None:
        """Unpack the archives in it beside it, where the policy asks for it, and examine what came out."""
        if sip.ocfl or not self.setting.policies.ingest.extract.depth or self._decide().outcome == "reject":
            return
        self._settle()  # archives are read from the vault, as they are kept
        out = self._worklist("extracted.db")
        archives = extracting.unpack(sip, self.worklist, out, self._tools())
        self.extracted = Extracted(out, archives, str(self.setting.new_id()))
        files, size = out.totals()
        self.setting.progress.begin("Reading what was extracted", files, size)
        with self.setting.executor(files, size) as executor:
            tasks = cut(out.tasks(), attrgetter("size"), CHUNK_FILES, CHUNK_BYTES)
            for chunk in in_order(executor, partial(examined, self.desk), tasks, MORE_AHEAD):
                self._put_by(chunk, out)
                if self._is_batch():
                    self._settle()
        self.setting.progress.end()
        self.worklist.tell(self.extracted.findings(self.engine))

    def _tools(self) -> Tools:
        identifier, vault = self.setting.identifier(), self.setting.committer.vault

        def stored(digest: Digest, target: Path) -> None:
            with told(str(target)), target.open("xb") as file:
                vault.copy_out(digest, file.write, lambda: (file.seek(0), file.truncate()))

        return Tools(
            policy=self.setting.policies.ingest, scratch=self.scratch, stored=stored, heed=self.heed,
            identify=lambda sample: identifier.identify(sample).puids,
        )  # fmt: skip

    def _characterize(self) -> None:
        """Ask format tools of what may be kept, where the policy wants it: from the stored blobs, which have been
        settled for it, and with findings that the decision knows."""
        if self.said and self._never_unread(self._decide()).outcome != "reject":
            ask_tools(self.said, self.worklist, self.setting, self.scratch)

    def _list(self) -> None:
        """Write down every file that was read; raise NotAsHeld where others were expected."""
        hashing = Hashing()
        with self.listing.open("wb") as file:
            lines = (format_line(Line(bag_path(name), digest)) for name, digest, _ in self.worklist.read_files())
            for part in assemble.joined(lines):
                hashing.feed(part)
                file.write(part)
        self.content = hashing.digest()
        if self.delivery.expected not in (None, self.content):
            raise NotAsHeld(self.accession, escape_path(os.fsencode(self.delivery.path)))

    def _decide(self) -> Decision:
        return judged(self.worklist.findings(), self.setting.policies.ingest, self.delivery.override)

    def _never_unread(self, decision: Decision) -> Decision:
        """Whatever the policy says of findings: what was not read cannot be kept."""
        query = "select count(*) from items where kind = 'file' and digest is null"
        unread = sum(next(one.select(query))[0] for one in self._worklists())
        if not unread or decision.outcome == "reject":
            return decision
        return Decision("reject", (*decision.because, f"{unread} files were not read: never accepted"))

    def _keep(self, parts: Iterable[bytes]) -> Received:
        received = self.stage.receive(parts, self.setting.holds)
        self.waiting.append(received.waiting)
        return received

    def _accept(self, sip: Sip, decision: Decision) -> Receipt:
        """Assemble the AIP's versions, one where it is not OCFL, and commit them in their order."""
        report, draft = self._report(), self._draft(sip)
        for some in portions(self.infected, BATCH_FILES):
            self.waiting.extend(some)
            self._settle()
        versions: list[tuple[Record, Event]] = []
        with closing(Worklist(str(self.scratch / "blobs.db"))) as blobs:
            for state in self._states(sip):
                made = self._assemble(sip, state, decision, draft, report)
                blobs.made_all(made.blobs(state.worklist))
                versions.append((made.record, self._commit_event(made.record.digest, draft, decision)))
                draft = replace(draft, version=draft.version + 1, previous=made.record)
                self._settle()
            done = self.setting.committer.commit_all(versions, blobs.sizes, self.stage.behind)
        receipt = self._receipt(sip, decision, report)
        behind = frozenset[str]().union(*(one.behind for one in done))
        record = done[-1].record.digest
        return replace(receipt, aip=draft.aip, version=len(done), record=record, behind=behind)

    def _states(self, sip: Sip) -> Iterator[State]:
        found = sip.ocfl
        if found and found.inventory and are_whole(self.worklist, found.base, found.inventory):
            yield from states(self.worklist, found.base, found.inventory, self.scratch)
        else:
            yield State(self.worklist)

    def _assemble(self, sip: Sip, state: State, decision: Decision, draft: Draft, report: Path) -> Assembled:
        """Assemble one version; what is about the delivery as a whole comes with the first."""
        if draft.version == 1:
            self._put_about(sip, state.worklist, report)
        assemble.put_names(state.worklist, self._keep, draft.version)
        assemble.put_policy(state.worklist, self._keep, draft.version, self.setting.policies.to_bytes())
        actors = Actors(self.setting.agent, self.setting.software, self.setting.identifier(), self.engine)
        events, agents = happenings(sip, self.worklist, actors, decision, self.setting.new_id, draft.created, state)
        new: Iterator[File] = (file for file in state.worklist.files() if state.is_new(file.path))
        if self.extracted and self.extracted.archives:
            for placed in self.extracted.worklist.bag():
                state.worklist.made(placed)
            new = chain(new, self.extracted.files(self.worklist))
            events.insert(-1, self.extracted.happening(draft.created, [self.setting.software]))
        teller = Teller(self.said, self.setting.new_id, self._keep, draft)
        files = ((file, subject_of(file)) for file in new)
        teller.put_premis(state.worklist, files, [*teller.summary(), *events], agents, self._rights(draft))
        teller.put_output(state.worklist)
        return assemble.close(state.worklist, self._keep, draft)

    def _rights(self, draft: Draft) -> list[Rights]:
        """What was agreed of rights, said once, of the whole AIP."""
        said = self.delivery.terms
        if draft.version > 1 or not (said.agreement or said.rights or said.restrictions):
            return []
        return [Rights(str(self.setting.new_id()), said.agreement, said.rights, said.restrictions)]

    def _put_about(self, sip: Sip, worklist: Worklist, report: Path) -> None:
        """The archive that it came in, the terms on which it came, the list of digests beside it, its description, and
        the findings."""
        if told := self.delivery.terms.told():
            assemble.put_terms(worklist, self._keep, self.accession, told)
        if sip.container:
            assemble.put_container(worklist, self._keep, sip.container)
        if self.given and sip.lists:
            with self.given.copy.open("rb") as stream:
                assemble.put(worklist, self._keep, bag.SUBMISSION + bag_path(self.given.name), chunks(stream))
        if self.described and self.delivery.metadata:
            place = f"{bag.DESCRIPTIVE}dc{self.delivery.metadata.suffix.lower()}"
            assemble.put(worklist, self._keep, place, [self.described[0]])
        elif sip.core:
            assemble.put(worklist, self._keep, f"{bag.DESCRIPTIVE}dc.json", [describe.to_json(sip.core)])
        if sip.description and len(sip.description.rows):
            assemble.put(worklist, self._keep, f"{bag.DESCRIPTIVE}files-v1.jsonl", sip.description.lines())
        with report.open("rb") as stream:
            assemble.put(worklist, self._keep, f"{bag.PRESERVATION}findings-v1.jsonl", chunks(stream))

    def _draft(self, sip: Sip) -> Draft:
        title, producer = self._named(sip)
        return Draft(
            aip=f"urn:uuid:{self.setting.new_id()}", version=1, accession=self.accession,
            created=stamp(self.setting.now()), agent=self.setting.agent, reason="ingestion",
            title=title, producer=producer, software=self.setting.software,
        )  # fmt: skip

    def _named(self, sip: Sip) -> tuple[str, str]:
        """The delivery's title and producer: as the officer says, else its metadata, else the package."""
        elements = sip.bag.elements if sip.bag else {}
        core = self.described[1] if self.described else sip.core
        titles = [self.delivery.title, *core.get("title", ()), elements.get("external-description", ""), sip.name]
        source = elements.get("source-organization", "")
        producers = [self.delivery.producer, source, sip.submitter, *core.get("creator", ())]
        return _first(titles), _first(producers)

    def _commit_event(self, record: Digest, draft: Draft, decision: Decision) -> Event:
        return Event(
            time=draft.created, type="commit", agent=draft.agent, object=draft.aip, outcome="success",
            detail={
                "version": draft.version, "record": str(record), "accession": draft.accession,
                "reason": draft.reason, "policy": self.setting.policies.digest, "because": list(decision.because),
                "scan": self._scanned(),
            },
        )  # fmt: skip

    def _scanned(self) -> str:
        """What the scan came to, of what was delivered and of what came out of it."""
        return scan_told.worst(scan_told.outcome(one, self.engine) for one in self._worklists())

    def _worklists(self) -> list[Worklist]:
        return [self.worklist, *([self.extracted.worklist] if self.extracted else [])]

    def _decline(self, sip: Sip, decision: Decision) -> Receipt:
        """Write down why nothing was kept; the findings and the policy are kept as evidence."""
        report = self._report()
        self.waiting.clear()  # what was not placed yet never will be
        self._keep([self.setting.policies.to_bytes()])
        with report.open("rb") as stream:
            findings = self._keep(chunks(stream)).digest
        detail: dict[str, Json] = {
            "policy": self.setting.policies.digest, "because": list(decision.because), "findings": str(findings),
            "scan": self._scanned(),
        }  # fmt: skip
        if decision.outcome == "hold":  # so that what is accepted later can be told from another delivery
            with self.listing.open("rb") as stream:
                detail["list"] = str(self._keep(chunks(stream)).digest)
        self._settle()
        event = Event(
            time=stamp(self.setting.now()), type="refusal", agent=self.setting.agent, object=self.accession,
            outcome=_OUTCOMES[decision.outcome], detail=detail,
        )  # fmt: skip
        self.setting.committer.note(event)
        return self._receipt(sip, decision, report)

    def _report(self) -> Path:
        """All findings, one JSON object a line, and beside them the list of files."""
        path = self.setting.work / "reports" / f"{self.accession}.jsonl"
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(self.listing, path.with_suffix(".sha256"))
        with path.open("w", encoding="utf-8") as file:
            for f in self.worklist.findings():
                told = {"code": f.code, "severity": f.severity, "path": f.path, "message": f.message}
                file.write(json.dumps(told, ensure_ascii=False) + "\n")
        return path

    def _receipt(self, sip: Sip, decision: Decision, report: Path) -> Receipt:
        files, size = self.worklist.totals()
        title, producer = self._named(sip)
        findings = list(islice(self.worklist.findings(), CAPPED))
        new = self.worklist.new_bytes() if decision.outcome == "accept" else 0
        return Receipt(
            accession=self.accession, kind=sip.kind, outcome=_OUTCOMES[decision.outcome], because=decision.because,
            files=files, size=size, new_bytes=new, findings=findings, findings_total=self.worklist.findings_total(),
            codes=self.worklist.codes(), report=report, listing=report.with_suffix(".sha256"), content=self.content,
            title=title, producer=producer, decided=stamp(self.setting.now()),
            extracted=self.extracted.worklist.totals()[0] if self.extracted else 0,
        )  # fmt: skip


def _first(texts: Iterable[str]) -> str:
    """The first that says something; bytes of the command line that are not UTF-8 become U+FFFD."""
    said = (text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip() for text in texts)
    return next(filter(None, said), "")


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """A run's own folder, gone when it ends. Made when the run's mark is held, so that nobody takes it for dead."""
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        durable.remove_tree(durable.DISK, folder)
