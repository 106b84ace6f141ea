"""The story of an ingest, step by step: list → examine each file → check → decide → assemble → commit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from ingest import (
    assemble,
    beside,
    checks,
    describe,
    extracting,
    fetching,
    scan_told,
    sip_digests,
)
from ingest.cancelling import heed, heeding
from ingest.characterization import Characterization
from ingest.characterization_ingest import ask_tools, characterization
from ingest.compose import Composition
from ingest.delivery import CAPPED, OUTCOMES, Delivery, Receipt, Setting, judged
from ingest.describe import DublinCore
from ingest.errors import NotAsHeld
from ingest.extracting import Extracted, Tools
from ingest.fetch_plan import foretold
from ingest.finding import error
from ingest.held import held
from ingest.intake import Intake
from ingest.report import write_list, write_report
from ingest.rules import rules
from ingest.scan import Engine
from ingest.settled import Captured, Settled, place, remove
from ingest.sip import Sip, open_sip
from ingest.unchanged import looked_at, unchanged
from ingest.undisturbed import undisturbed
from ingest.worklist import Worklist
from policies.decide import Decision
from storage import durable
from storage.aip import Record, stamp
from storage.canonical import Json
from storage.digest import Digest, sha256
from storage.durable import told
from storage.event import Event
from storage.names import escape_path
from storage.receive import chunks
from storage.spool import Spool
from storage.staging import Staging, staging


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
        self, delivery: Delivery, setting: Setting, accession: str, described: tuple[bytes, DublinCore] | None,
        stage: Staging, scratch: Path, ending: ExitStack, said: Characterization | None,
    ) -> None:  # fmt: skip
        abandoned = scratch / "abandoned"
        setting = replace(setting, executor=heeding(setting.executor, abandoned))
        self.delivery, self.setting, self.accession = delivery, setting, accession
        self.described, self.stage, self.scratch, self.ending = described, stage, scratch, ending
        self.said = said  # by format tools, where the policy asks for them
        self.worklist = self._worklist("worklist.db")
        self.given = sip_digests.copied(delivery.manifest, scratch) if delivery.manifest else None
        self.heed = partial(heed, setting.work, accession, abandoned)  # raises Cancelled
        self.intake = Intake(setting, stage, self.worklist, self.heed)
        self.engine: Engine | None = None
        self.held = held(setting.committer.vault, delivery.terms)
        self.captured: Spool[Captured] = Spool()  # files that were fetched
        self.extracted: Extracted | None = None
        self.resumes = place(setting.work, accession)
        self.listing = scratch / "files.sha256"
        self.content = sha256(b"")

    def _worklist(self, name: str) -> Worklist:
        return self.ending.enter_context(closing(Worklist(str(self.scratch / name))))

    def run(self) -> Receipt:
        policy = self.setting.policies.ingest
        path, kind, follow = self.delivery.path, self.delivery.kind, self.delivery.follow
        unpacked = self.scratch / "unpacked"
        sip = open_sip(path, self.worklist, unpacked, policy, kind, self.given, heed=self.heed, follow=follow)
        if self.setting.scanner:
            self.engine = self.setting.scanner().engine()
        if sip.whole:
            self._fetch(sip)
            self._examine(sip)
            self._check(sip)
            self._extract(sip)
            self._characterize()
        self._list()
        decision = self._never_unread(self._decide())
        receipt = self._accept(sip, decision) if decision.outcome == "accept" else self._decline(sip, decision)
        remove(self.resumes)
        return receipt

    def _fetch(self, sip: Sip) -> None:
        """Fetch what a bag's fetch.txt names, where the policy says so; nothing of a bag that is refused anyway."""
        if not sip.bag or not sip.bag.to_fetch:
            return
        policy = self.setting.policies.ingest
        if policy.fetch == "refuse" or self._decide().outcome == "reject":
            self.worklist.tell(foretold(sip.bag, self.worklist, policy))
            return
        from ingest.fetch_http import Fetcher  # with all that speaks TLS

        with closing(Settled(self.resumes, self._examined_with(sip))) as settled:
            means = fetching.Means(
                policy=policy, fetcher=Fetcher(policy.fetching, self.heed), scratch=self.scratch / "fetched",
                settled=settled, copies=tuple(self.stage.stores), now=self.setting.now, progress=self.setting.progress,
            )  # fmt: skip
            self.captured = fetching.follow(sip.bag, self.worklist, means)

    def _examine(self, sip: Sip) -> None:
        """Nothing is stored of what is refused by then. Format tools will read what was stored."""
        store = self._decide().outcome != "reject"
        to_the_last = store and self.said is not None
        self.intake.examine(self.resumes, self._examined_with(sip), store=store, to_the_last=to_the_last)
        if store:
            self.worklist.tell(checks.repeated(self.worklist))

    def _examined_with(self, sip: Sip) -> str:
        """What has to be the same for what was found to count again: the package, the policies, the identifier,
        the virus scanner with its signatures."""
        box = str(sip.container.digest) if sip.container else ""
        known = self.setting.identifier()
        lies = escape_path(os.path.abspath(sip.path))  # who goes on may be in another folder
        told = [lies, sip.kind, box, self.setting.policies.digest, known.name, known.version]
        return json.dumps([*told, repr(self.engine)])

    def _check(self, sip: Sip) -> None:
        """Check the package; then nothing reads it any more, and it is looked at again beside the other checks."""
        self._check_package(sip)
        with self.setting.executor(*self.worklist.totals()) as executor:
            found = executor.submit(looked_at, sip.path, packed=sip.container is not None, heed=self.heed)
            for check in (checks.nothing, checks.formats, checks.names):
                self.worklist.tell(check(self.worklist))
            self.worklist.tell(scan_told.check(self.worklist, self.engine))
            self.worklist.tell(unchanged(sip, self.worklist, found.result()))

    def _check_package(self, sip: Sip) -> None:
        self.worklist.tell(rules(self.worklist, sip, self.setting.now()))
        if sip.ocfl and sip.ocfl.is_root:
            self.worklist.tell([error("ocfl-root", "It is a storage root in an archive: deliver it unpacked.")])
        if self.setting.standards.folder:
            self.worklist.tell(beside.rules(self.worklist, sip, self.setting.standards, self.scratch))
        if self.held:
            self.worklist.tell(self.held.beside(self.worklist, sip))

    def _extract(self, sip: Sip) -> None:
        """Unpack the archives in it beside it, where the policy asks for it, and examine what came out."""
        if sip.ocfl or not self.setting.policies.ingest.extract.depth or self._decide().outcome == "reject":
            return
        self.intake.settle()  # archives are read from the vault, as they are kept
        out = self._worklist("extracted.db")
        archives = extracting.unpack(sip, self.worklist, out, self._tools())
        self.extracted = Extracted(out, archives, str(self.setting.new_id()))
        self.intake.examine_also(out, "Reading what was extracted")
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
            self.intake.settle()  # what was extracted is read from the vault, too
            ask_tools(self.said, list(self._worklists()), self.setting, self.scratch)

    def _list(self) -> None:
        """Write down every file that was read; raise NotAsHeld where others were expected."""
        self.content = write_list(self.worklist, self.listing)
        if self.delivery.expected not in (None, self.content):
            raise NotAsHeld(self.accession, escape_path(os.fsencode(self.delivery.path)))

    def _decide(self) -> Decision:
        return judged(self.worklist.codes(), self.setting.policies.ingest, self.delivery.override)

    def _never_unread(self, decision: Decision) -> Decision:
        """Whatever the policy says of findings: what was not read cannot be kept."""
        query = "select count(*) from items where kind = 'file' and digest is null"
        unread = sum(next(one.select(query))[0] for one in self._worklists())
        if not unread or decision.outcome == "reject":
            return decision
        return Decision("reject", (*decision.because, f"{unread} files were not read: never accepted"))

    def _composition(self, sip: Sip) -> Composition:
        return Composition(
            setting=self.setting, delivery=self.delivery, accession=self.accession, described=self.described,
            given=self.given, sip=sip, worklist=self.worklist, scratch=self.scratch, engine=self.engine,
            captured=self.captured, extracted=self.extracted, said=self.said, held=self.held, keep=self.intake.keep,
        )  # fmt: skip

    def _accept(self, sip: Sip, decision: Decision) -> Receipt:
        """Assemble the AIP's versions, one where it is not OCFL, and commit them in their order."""
        report, composition = self._report(), self._composition(sip)
        draft = composition.draft()
        self.intake.settle_infected()
        versions: list[tuple[Record, Event]] = []
        with closing(Worklist(str(self.scratch / "blobs.db"))) as blobs:
            for state in composition.states():
                made = composition.assemble(state, decision, draft, report)
                blobs.made_all(made.blobs(state.worklist))
                versions.append((made.record, self._commit_event(made.record, decision)))
                draft = replace(draft, version=draft.version + 1, previous=made.record)
                self.intake.settle()
            undisturbed.begin()  # what is kept has to be told
            done = self.setting.committer.commit_all(versions, blobs.sizes, self.stage.behind)
        receipt = self._receipt(sip, decision, report)
        behind = frozenset[str]().union(*(one.behind for one in done))
        record = done[-1].record.digest
        return replace(receipt, aip=draft.aip, version=done[-1].record.version, record=record, behind=behind)

    def _commit_event(self, record: Record, decision: Decision) -> Event:
        policy, more = self.setting.policies.digest, {"scan": self._scanned()}
        return assemble.commit_event(record, self.accession, policy, decision.because, more)

    def _scanned(self) -> str:
        """What the scan came to, of what was delivered and of what came out of it."""
        return scan_told.worst(scan_told.outcome(one, self.engine) for one in self._worklists())

    def _worklists(self) -> list[Worklist]:
        return [self.worklist, *([self.extracted.worklist] if self.extracted else [])]

    def _decline(self, sip: Sip, decision: Decision) -> Receipt:
        """Write down why nothing was kept; the findings and the policy are kept as evidence."""
        report, keep = self._report(), self.intake.keep
        self.intake.forget()
        keep([self.setting.policies.to_bytes()])
        with report.open("rb") as stream:
            findings = keep(chunks(stream)).digest
        detail: dict[str, Json] = {
            "policy": self.setting.policies.digest, "because": list(decision.because), "findings": str(findings),
            "scan": self._scanned(),
        }  # fmt: skip
        if decision.outcome == "hold":  # so that what is accepted later can be told from another delivery
            with self.listing.open("rb") as stream:
                detail["list"] = str(keep(chunks(stream)).digest)
        self.intake.settle()
        event = Event(
            time=stamp(self.setting.now()), type="refusal", agent=self.setting.agent, object=self.accession,
            outcome=OUTCOMES[decision.outcome], detail=detail,
        )  # fmt: skip
        self.setting.committer.note(event)
        return self._receipt(sip, decision, report)

    def _report(self) -> Path:
        path = self.setting.work / "reports" / f"{self.accession}.jsonl"
        write_report(self.worklist, self.listing, path)
        return path

    def _receipt(self, sip: Sip, decision: Decision, report: Path) -> Receipt:
        files, size = self.worklist.totals()
        title, producer = self._composition(sip).named()
        findings = list(islice(self.worklist.findings(), CAPPED))
        new = self.worklist.new_bytes() if decision.outcome == "accept" else 0
        return Receipt(
            accession=self.accession, kind=sip.kind, outcome=OUTCOMES[decision.outcome], because=decision.because,
            files=files, size=size, new_bytes=new, findings=findings, findings_total=self.worklist.findings_total(),
            codes=self.worklist.codes(), report=report, listing=report.with_suffix(".sha256"), content=self.content,
            title=title, producer=producer, decided=stamp(self.setting.now()),
            extracted=self.extracted.worklist.totals()[0] if self.extracted else 0,
        )  # fmt: skip


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """A run's own folder, gone when it ends. Made when the run's mark is held, so that nobody takes it for dead."""
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        durable.remove_tree(durable.DISK, folder)
