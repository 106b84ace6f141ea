"""The façade: one method a verb, a few lines each. The command line, and whatever comes later, is a thin user of it.

from repository import Repository

with Repository.open(Path("archive")) as repository:
    receipt = repository.ingest(Path("accession"))
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import UUID

from fixity.audit import Audit
from ingest import pipeline, settled
from ingest.again import Drifted
from ingest.codes import check_known
from ingest.deliveries import deliveries
from ingest.droid import DroidSignatures, convert
from ingest.identify import Format, Identifier
from ingest.identify_magic import Asked
from ingest.pipeline import Delivery, Receipt, Setting
from ingest.preflight import Lens, Preflight, preflight
from ingest.terms import NO_TERMS, Terms
from policies import document
from policies.effective import Policies
from policies.errors import PolicyError
from repository import (
    accessions,
    config,
    copies,
    corrections,
    dip,
    dip_bag,
    dip_folder,
    doctor,
    documents,
    drift,
    drill,
    evidence,
    founding,
    holdings,
    identifiers,
    migrate,
    migration,
    packages,
    replication,
    requests,
    rescan,
    scanners,
    signatures,
)
from repository.accession import ENDS, INTERRUPTED, Accession
from repository.accessions import Decisions
from repository.agents import on_record
from repository.agreement import agrees
from repository.catalogue import Catalogue, CatalogueHolds, counts
from repository.config import Config, Copy
from repository.copies import CopyState, Promoted
from repository.corrections import Correction
from repository.deletions import Deletions
from repository.dip import Dip
from repository.dip_contents import Link
from repository.disposal import Done, Hold, Plan, Request
from repository.doctor_check import Check
from repository.drill import Drilled, Wanted
from repository.errors import BadRequest, NoScanner, SourceUnknown, UnknownCopy, UnknownFormat
from repository.holdings import Aip, Behind, Happened, HeldFile, Version
from repository.inflight import InFlight
from repository.jobs import Job, agenda
from repository.migration import Migration, Planned
from repository.project_scan import Window
from repository.rescan import Scanned
from repository.room import Room, rooms
from repository.scratch import scratch
from repository.signatures import Imported, Known
from repository.watch import Mended, Watch, remembered
from repository.workers import workers
from storage.aip import Record, parse_aip, stamp, uuid7
from storage.canonical import Json
from storage.commit import Committer
from storage.digest import Digest
from storage.durable import DISK, Disk
from storage.errors import Locked, NotFound, StorageError
from storage.event import Event
from storage.lock import locked
from storage.ocfl_copy import OcflCopy
from storage.progress import SILENT, Progress
from storage.replicate import Replicated
from storage.staging import lives, running
from storage.store import Store
from storage.sweep import Swept
from storage.vault import Vault

if TYPE_CHECKING:
    from repository.doctor_drill import Drill

FORMS = ("bag", "rocrate", "folder", "ocfl")
SOFTWARE = f"tianyi {version('tianyi')}"


def utc_now() -> datetime:
    return datetime.now(UTC)


def default_agent() -> str:
    """Who acts where nobody says: the system's user."""
    return os.environ.get("TIANYI_AGENT") or system_user()


def system_user() -> str:
    """The system's user by number, since the ledger holds no personal data."""
    return f"uid-{os.getuid()}"


class Repository:
    """A repository folder, opened. What a crash left half-done is finished first."""

    def __init__(
        self,
        settings: Config,
        *,
        agent: str = "",
        user: str = "",
        now: Callable[[], datetime] = utc_now,
        progress: Progress = SILENT,
        patience: float = 60.0,
        disk: Disk = DISK,
    ) -> None:
        self.settings = settings
        self.agent, self.now, self.progress = agent or default_agent(), now, progress
        self.user = user or system_user()
        self.bad_reads: list[tuple[str, str]] = []
        founding.check_apart(settings.copies, settings.folder)
        stores = [config.open_copy(copy, settings, disk) for copy in settings.copies if not packages.is_package(copy)]
        self.packages = packages.opened(settings, disk)
        self.vault = Vault(
            founding.present(stores, settings.vault_id),
            lambda copy, key: self.bad_reads.append((copy, key)),
            self._required(),
        )
        self.committer = Committer(self.vault, settings.work, disk, patience)
        self.catalogue = Catalogue(settings.catalogue)
        self._holds = CatalogueHolds(settings.catalogue)
        self.in_flight = InFlight(settings.work / "state.db")
        self.catalogue.follow(self.vault)  # before anything is appended: one that is ahead of the ledger is seen
        self.recovered = self._recover(disk)
        self.catalogue.follow(self.vault)
        self.committer.scribe.remembers = lambda: remembered(self.catalogue)

    @classmethod
    def init(cls, folder: Path, others: Sequence[str] = (), *, agent: str = "") -> Repository:
        """Make a repository with its first copy in `folder`/vault and others at paths or file: URLs.

        Raises NotEmpty, NotAVault or UnsupportedCopy; then nothing was made.
        """
        made = founding.make(folder, others, _new_id(utc_now), stamp(utc_now()), agent or default_agent())
        return cls(made, agent=agent)

    @classmethod
    def open(
        cls, folder: Path, *, agent: str = "", user: str = "", progress: Progress = SILENT,
        now: Callable[[], datetime] = utc_now, patience: float = 60.0,
    ) -> Repository:  # fmt: skip
        """Open a repository; `agent` acts, as the system's `user`, by default whoever runs this. Raises NoRepository,
        BadConfig, NotAVault or Unreachable."""
        settings = config.load(folder.absolute())
        return cls(settings, agent=agent, user=user, progress=progress, now=now, patience=patience)

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._holds.close()
        scanners.rest(self.settings)
        self.catalogue.close()

    @property
    def copies(self) -> Sequence[Copy]:
        return self.settings.copies

    def copy_states(self) -> list[CopyState]:
        """How each copy stands, in their order, by listings."""
        return copies.states(self.settings, self.vault, self.packages, self.catalogue)

    def replicate(self, copy: str = "") -> list[Replicated]:
        """Bring every copy, or the one named, up to what the others have; raise UnknownCopy.

        A copy that does not answer, or that fails midway, is told by what it still lacks.
        """
        stores, packed = self._named(copy)
        setting = self._setting()
        done = [replication.bring_up(store, setting) for store in stores]
        for one in packed:
            run = f"packages-{setting.new_id()}"
            done.append(packages.bring_up(one, self.vault, self.settings, run, self.progress))
            if done[-1].copied:
                replication.note(done[-1], setting)
        self.catalogue.follow(self.vault)
        if any(one.copied for one in done):
            self.catalogue.complete(self.vault)  # records may have come that no entry tells of
        return done

    def replicate_plan(self, copy: str = "") -> list[CopyState]:
        """How the copies stand that `replicate` would work on; nothing is changed."""
        self._named(copy)
        return [state for state in self.copy_states() if copy in ("", state.copy.name)]

    def add_copy(self, copy: Copy) -> None:
        """Declare another copy at an empty place; `replicate` fills it. Raises BadRequest, NotAVault, Unreachable."""
        with self.committer.lock():
            copies.add(self.settings, self.vault, copy)
        self._note("configuration", copy.name, "added", {"form": copy.form})

    def retire_copy(self, name: str) -> None:
        """Declare a copy no longer; what is in it stays. Raises UnknownCopy, or BadRequest for the first."""
        copies.check_spared(name, self.copy_states(), self.policies().copies.names())
        with self.committer.lock():
            copy = copies.retire(self.settings, name)
        self._note("configuration", name, "retired", {"form": copy.form})

    @classmethod
    def promote_copy(cls, folder: Path, name: str, *, agent: str = "") -> Promoted:
        """Make a copy the first, also where the first one is lost; raise what `copies.promote` raises."""
        done = copies.promote(folder, name)
        with cls.open(folder, agent=agent) as repository:
            repository._note("configuration", name, "promoted", {"before": done.before, "entries": done.entries})
        return done

    def policies(self) -> Policies:
        """The policies in force: those in `policies/` over the defaults; raise PolicyError."""
        loaded = document.load(self.settings.policies if self.settings.policies.is_dir() else None)
        check_known(loaded.ingest.findings.codes)
        copies.check_required(loaded.copies.names(), self.settings)
        return loaded

    @staticmethod
    def deliveries(path: Path, kind: str = "") -> Sequence[Path]:
        """The packages at a path: the objects of an OCFL storage root, each of which becomes an AIP; else the path
        itself. Raises UnknownPackage."""
        return deliveries(path, kind)

    def ingest(
        self, path: Path, *, title: str = "", producer: str = "", metadata: Path | None = None,
        manifest: Path | None = None, kind: str = "", override: str = "", terms: Terms = NO_TERMS,
    ) -> Receipt:  # fmt: skip
        """Take in one package: a folder, a bag, an archive; return what became of it.

        `manifest` is the producer's list of digests; `override` the reason for accepting what the policy would hold.
        Raises NoSuchPackage, UnknownPackage, NotMetadata, NotManifest, NoRoom, Locked; then nothing of it is visible.
        """
        delivery = Delivery(
            path=path, title=title, producer=producer, metadata=metadata, manifest=manifest, kind=kind,
            override=override, terms=terms,
        )  # fmt: skip
        pipeline.look(delivery)
        if override:
            self._decisions().check_officer()
        setting = self._setting()
        number = self._next_accession(terms.told())
        with running(number, self.settings.work):
            self.in_flight.put(number, delivery)
            return self._take_in(delivery, setting, number)

    def _take_in(self, delivery: Delivery, setting: Setting, number: str) -> Receipt:
        """The rest of an ingest, once it has a number; what its producer is told is written down."""
        receipt = pipeline.take_in(delivery, setting, number)
        self.catalogue.follow(self.vault)
        documents.write(self._reports, documents.told(receipt, delivery.terms))
        if receipt.outcome != "held":
            self.in_flight.forget(number)
        return receipt

    def resume(self) -> Iterator[Receipt]:
        """Go on with every accession that was interrupted, in the order of numbers, and yield what became of each.

        What was settled of it is not read again (ingest.settled). One of which it is not known where it lies is left as
        it is. Raises as `ingest` does; then those after it are left too.
        """
        states = {one.accession: one.state for one in self.accessions()}
        for number in self.in_flight.all():
            if states.get(number) in ENDS:  # it was killed when it was done
                self._forget(number)
        for number in [number for number, state in states.items() if state == INTERRUPTED]:
            if delivery := self.in_flight.get(number):
                pipeline.look(delivery)
                setting = self._setting()
                with running(number, self.settings.work):
                    yield self._take_in(delivery, setting, number)

    def accessions(self) -> Iterator[Accession]:
        """Yield every accession that ever got a number, in their order."""
        return accessions.accessions(self.catalogue, self.settings.work)

    def accept(self, number: str, reason: str, source: Path | None = None) -> Receipt:
        """Take in what is held, as an officer says; its files have to be those that were held.

        `source` is where it lies, if that is not known any more. Raises UnknownAccession, AccessionState,
        SourceUnknown, NotAsHeld, and what `ingest` raises; what was decided stays on record.
        """
        found = accessions.accession(self.catalogue, self.settings.work, number)
        known = self.in_flight.get(found.accession)
        if source is None and known is None and found.allows("accept"):
            raise SourceUnknown(found.accession)
        delivery = known or Delivery(path=source or Path(), terms=Terms(**found.terms))
        delivery = replace(delivery, path=source or delivery.path)
        pipeline.look(delivery)
        setting = self._setting()
        with running(found.accession, self.settings.work):
            found, why = self._decisions().accept(number, reason)
            self.in_flight.put(found.accession, delivery)
            expected = Digest.parse(found.content) if found.content else None
            return self._take_in(replace(delivery, override=why, expected=expected), setting, found.accession)

    def give_back(self, number: str, reason: str) -> Accession:
        """Say that what is held, or was interrupted, is not taken in; raise UnknownAccession or AccessionState."""
        found = accessions.accession(self.catalogue, self.settings.work, number)
        with running(found.accession, self.settings.work):
            done, why = self._decisions().give_back(number, reason)
            told = documents.read(self._reports, done.accession)
            told |= {"outcome": done.state, "because": [why], "decided": stamp(self.now())}
            documents.write(self._reports, told)
            self._forget(done.accession)
        return done

    def _forget(self, number: str) -> None:
        """An accession has come to its end: nothing of it is in flight."""
        self.in_flight.forget(number)
        settled.remove(settled.place(self.settings.work, number))

    def preflight(
        self, path: Path, *, metadata: Path | None = None, manifest: Path | None = None, kind: str = "",
        override: str = "",
    ) -> Preflight:  # fmt: skip
        """What `ingest` would do, so far as a bounded time tells; nothing is kept. Raises as `ingest` does."""
        delivery = Delivery(path=path, metadata=metadata, manifest=manifest, kind=kind, override=override)
        pipeline.look(delivery)
        policies = self.policies()
        with scratch(self.settings.work, f"preflight-{self._new_id()}") as [folder]:
            lens = Lens(
                policies=policies, identifier=self.identifier(policies.ingest.second_opinion), clock=monotonic,
                held=lambda digest: self._holds.holds(self.vault.first, digest), scratch=folder, progress=self.progress,
            )  # fmt: skip
            return preflight(delivery, lens)

    def rooms(self, wanted: Preflight) -> list[Room]:
        """Whether there is room for what an ingest would store, by file system."""
        return rooms(self.vault.prompt, wanted.new_bytes, self.settings.work, wanted.unpacked)

    def aips(self) -> Iterator[Aip]:
        """Yield every AIP by accession number."""
        return holdings.aips(self.catalogue)

    def show(self, aip: str) -> tuple[Aip, list[Version]]:
        """An AIP, by identifier or accession number, and its versions; raise BadIdentifier or NotFound."""
        urn = holdings.resolve(self.catalogue, aip)
        return holdings.aip(self.catalogue, urn), holdings.versions(self.catalogue, urn)

    def files(self, aip: str, *, everything: bool = False) -> Iterator[HeldFile]:
        """Yield an AIP's files by path: its content, or everything in its bag."""
        urn = holdings.resolve(self.catalogue, aip)
        return holdings.files(self.catalogue, urn, everything=everything)

    def search(self, words: str) -> Iterator[Aip]:
        return holdings.search(self.catalogue, words)

    def events(self, aip: str = "") -> Iterator[Happened]:
        """Yield what happened to the repository, or to one AIP or accession, in order of time."""
        return holdings.events(self.catalogue, holdings.subject(self.catalogue, aip) if aip else "")

    def identifier(self, asked: Asked = "unsure") -> Callable[[], Identifier]:
        """What makes the engine that tells formats here; it can be handed to workers. `asked`: when libmagic is."""
        kept = self.settings.work / "signatures"
        if imported := signatures.in_force(self.catalogue):
            return partial(identifiers.imported, *self._laid_out(imported), kept, asked)
        return partial(identifiers.identifier, kept, asked)

    def signatures(self) -> Known:
        """The signatures in use: those imported last, else fido's own."""
        if imported := signatures.in_force(self.catalogue):
            return signatures.known(self._converted(imported), imported.time)
        return signatures.known_to_fido()

    def import_signatures(self, signature_file: Path, container_file: Path) -> Known:
        """Tell formats by DROID's signatures from now on; raise NotSignatures or NoSuchPackage, and nothing is changed.

        Both files are kept in the vault as evidence; files that are in use already change nothing either.
        """
        pair = signatures.read(signature_file, container_file)
        version, files = convert(*pair).table.version, signatures.digests(pair)
        before = signatures.in_force(self.catalogue)
        if before is None or before.files != files:
            first, second = (evidence.keep(self.committer, self._new_id, [data]) for data in pair)
            detail = {"version": version, "signature_file": str(first), "container_file": str(second)}
            self._note("signatures", self.settings.vault_id, "imported", detail)
        return self.signatures()

    def drift(self, files: tuple[Path, Path] | None = None) -> Iterator[Drifted]:
        """Yield what each file held is on record as and what it would be: by the signatures in use, or by two files of
        DROID's that are only tried. Nothing is changed. Raises NotSignatures or NoSuchPackage."""
        if files is None:
            yield from drift.drift(self.catalogue, self.vault.copies, self.identifier(), workers, self.progress)
            return
        pair = signatures.read(*files)
        convert(*pair)
        work = self.settings.work
        with scratch(work, f"drift-{self._new_id()}") as [folder]:
            paths = signatures.lay_out(folder, signatures.digests(pair), lambda: pair, work)
            engine = partial(identifiers.imported, *paths, folder)
            yield from drift.drift(self.catalogue, self.vault.copies, engine, workers, self.progress)

    def correct(self, names: Sequence[str], puid: str, reason: str, *, aip: str = "") -> list[Correction]:
        """Say what files are: paths in an AIP, or digests. It is on record, and wins over what engines find.

        Raises UnknownFormat, NotFound or BadRequest; then nothing was said.
        """
        why, known = on_record(reason), self._format(puid)
        with self.committer.lock():
            self.catalogue.follow(self.vault)
            said = corrections.named(self.catalogue, names, aip, puid, why)
            done = [self._note_correction(one, known) for one in said]
            self.catalogue.follow(self.vault)
        return done

    def corrections(self, aip: str) -> list[Correction]:
        """What officers said of an AIP's files, by path."""
        return corrections.corrections(self.catalogue, holdings.resolve(self.catalogue, aip))

    def behind(self, key: str) -> Behind:
        """The files and AIPs that a key of the vault is for."""
        return holdings.behind(self.catalogue, key)

    def audit(self, copy: str = "") -> list[Audit]:
        """Read everything in every copy, or in the one named; raise UnknownCopy."""
        stores, packed = self._named(copy)
        if not agrees(self.catalogue, self.vault):
            self.rebuild()  # it would tell the audit of too little
        watch = self._watch()
        ends = watch.ends(stores)
        results = [watch.audit(store, ends[store.name]) for store in stores]
        for one in packed:
            results.append(packages.audit(one, self.vault, self.settings, workers, self.progress))
            watch.note_audit(results[-1])
        return results

    def repair(self) -> Mended:
        """Heal what audits found; raise NoRoom or SyncFailed, and NotAVault where a copy that keeps packages is another
        vault's."""
        watch = self._watch()
        done = watch.repair()
        for one in self.packages:
            if damaged := packages.damage(self.catalogue, one.name):
                run = f"packages-{_new_id(self.now)}"
                mended, left = packages.repair(one, self.vault, self.settings, damaged, run, self.progress)
                watch.note_healed(one.name, mended)
                done.healed.extend(mended)
                done.beyond.extend(left)
        return done

    def repair_plan(self) -> Mended:
        """What `repair` would heal, and what it could not; nothing is changed."""
        done = self._watch().plan()
        for copy in self.packages:
            for mend in packages.plan(copy, self.vault, self.settings, packages.damage(self.catalogue, copy.name)):
                (done.healed if mend.source else done.beyond).append(mend)
        return done

    def unchecked(self) -> dict[str, int]:
        """The copies that did not answer their last audit, and how many keys of each were not checked."""
        return self._watch().unchecked()

    def scan(self, aip: str = "", every: timedelta = timedelta(0)) -> Scanned:
        """Scan what is held, or one AIP's files, for viruses, so far as the last scan is older than `every`; one entry
        of the ledger. Raises NoScanner or ScannerAway, and what `show` raises."""
        urn, now = holdings.resolve(self.catalogue, aip) if aip else "", self.now()
        if not (scanner := scanners.configured(self.settings)):
            raise NoScanner
        window = Window(stamp(now - every), stamp(now), self.catalogue.position, urn)
        done = rescan.scan(self.vault, self.catalogue, scanner, workers, window, self.progress)
        detail = done.told(window)
        if done.findings:
            detail["list"] = str(self._watch().keep_list(map(rescan.row, done.findings)))
        about = urn or self.settings.vault_id
        event = Event(time=window.now, type="scan", agent=self.agent, object=about, outcome=done.outcome, detail=detail)
        self.committer.note(event)
        self.catalogue.follow(self.vault)
        return done

    def export(
        self, aip: str, dest: Path, form: str, *, version: int | None = None, portable: bool = True,
        link: Link = Link.NONE,
    ) -> Dip:  # fmt: skip
        """Give out a version (the newest by default) as a bag, an RO-Crate or a folder, or it and those before it as an
        OCFL object, which a storage root at `dest` gets besides what it has; raise NotEmpty, NotFound, NotOcfl.

        A bag or a folder may `link` its files to the vault's where both are on one file system; raise CannotLink.
        """
        if form not in FORMS:
            raise BadRequest(f"{form!r} is not a form of DIP.", f"Choose one of: {', '.join(FORMS)}.")
        copies.check_outside(dest, self.settings)
        if link and form not in ("bag", "folder"):
            raise BadRequest(
                f"{form} shares no bytes with the vault.", "Leave --link out, or export a bag or a folder."
            )
        urn = holdings.resolve(self.catalogue, aip)
        record = self._version(urn, version)
        if form == "ocfl":
            return self._export_ocfl(record, dest)
        self.progress.begin("Exporting", record.files, record.size)
        with dip.writing(self.vault, dest.absolute(), self.progress, workers, link) as out:
            if form == "bag":
                dip_bag.write(out, record, portable=portable)
            elif form == "folder":
                dip_folder.write(out, record)
            else:
                from repository import dip_rocrate  # its library takes a tenth of a second to import

                files = {file.path: file for file in holdings.files(self.catalogue, urn, record.version)}
                dip_rocrate.write(out, record, holdings.aip(self.catalogue, urn), files)
        self.progress.end()
        self._note("export", urn, "success", {"form": form, "version": record.version, "files": out.files})
        return Dip(dest, form, out.files, out.size)

    def _export_ocfl(self, last: Record, dest: Path) -> Dip:
        from repository import dip_ocfl

        records = self.vault.records(last.uuid)[: last.version]
        made = dip_ocfl.write(self.vault, records, dest.absolute(), self.policies().ingest, self.progress)
        self.progress.end()
        self._note("export", last.aip, "success", {"form": "ocfl", "version": last.version, "files": made.files})
        return made

    def drill_restore(self, copy: str = "", *, sample: int = 10, seed: int = 0) -> Drilled:
        """Restore that many AIPs, chosen by the seed, from one copy alone (by default the last), and compare them.

        Raises UnknownCopy, Unreachable or NoRoom.
        """
        stores, _ = self._named(copy)
        if not stores:
            raise BadRequest(f"{copy} keeps packages; a drill restores from a copy of the vault.", "Name another copy.")
        store = stores[-1]
        chosen = drill.sample([one.aip for one in self.aips()], sample, seed)
        self.progress.begin(f"Restoring from {store.name}", len(chosen), 0)
        with scratch(self.settings.work, f"drill-{_new_id(self.now)}") as [folder]:
            done = drill.restore(store, map(self._wanted, chosen), folder, self.progress)
        self.progress.end()
        detail: dict[str, Json] = {
            "aips": done.aips, "identical": done.aips - done.different, "different": done.different, "seed": seed,
        }  # fmt: skip
        if done.differences:
            detail["findings"] = str(self._watch().keep_list(map(asdict, done.differences)))
        self._note("drill", store.name, "fail" if done.differences else "pass", detail)
        return done

    def migrate_plan(self) -> list[Planned]:
        """What the migration policy asks for and has not been done."""
        return migration.plan(self.catalogue, self.policies())

    def migrate(self) -> list[Migration]:
        """Carry the plan out: one new version at most for each AIP, every output proved equal before it is kept."""
        setting = self._setting()
        done = []
        for some in migration.by_aip(self.migrate_plan()):
            done.extend(migrate.carry_out(some, self.catalogue, setting))
            self.catalogue.follow(self.vault)
        return done

    def deletion_plan(self, aip: str) -> Plan:
        """What the deletion of an AIP would take away; nothing is changed."""
        return self._deletions().plan(aip)

    def delete(self, aip: str, reason: str) -> Request:
        """Ask for the deletion of an AIP; raise UndeclaredAgent, NotYourAgent or AlreadyRequested."""
        return self._deletions().ask(aip, reason)

    def approve(self, request: str) -> Request:
        """Approve what somebody else has asked for; raise UnknownRequest, BadStep or SameApprover."""
        return self._deletions().approve(request)

    def withdraw(self, request: str, reason: str) -> Request:
        """End a request that was not carried out; raise UnknownRequest or BadStep."""
        return self._deletions().withdraw(request, reason)

    def hold(self, aip: str, reason: str) -> Hold:
        """Put an AIP under a legal hold: it is not deleted while one is in force."""
        return self._deletions().hold(aip, reason)

    def release(self, hold: str, reason: str) -> Hold:
        """End a legal hold, by its number or that of an AIP that has one alone; raise UnknownHold."""
        return self._deletions().release(hold, reason)

    def requests(self) -> Iterator[Request]:
        """Yield every request to delete that was ever made, in order."""
        return requests.requests(self.catalogue)

    def open_request(self, aip: str) -> Request | None:
        """The request to delete an AIP that waits for something, where there is one."""
        return requests.open_request(self.catalogue, aip)

    def holds(self) -> list[Hold]:
        """The legal holds in force, in order."""
        return requests.holds(self.catalogue)

    def due(self) -> list[Plan]:
        """What the deletions that are due would take away."""
        deletions = self._deletions()
        return [deletions.plan(request.aip) for request in deletions.due()]

    def sweep_plan(self) -> Swept:
        """What `sweep` would remove now, not counting what the deletions that are due set free; raise SweepStopped."""
        return self._deletions().sweep_plan()

    def sweep(self, planned: Callable[[Swept], None] = lambda _: None) -> tuple[list[Done], Swept]:
        """Carry out the deletions that are due, then remove what nothing needs, of which `planned` hears before.

        What a deletion could not be carried out in yet is told: in `behind` of each, and in `copies` of the sweep where
        a copy keeps packages. Raises SweepStopped or Locked; what was done before stays done, and is on record.
        """
        deletions = self._deletions()
        done = deletions.carry_out()
        late = self._bury_packages()  # what was deleted before, and by a recovery, among it
        swept = deletions.sweep(self.settings.vault_id, planned)
        return [one.kept_by(late) for one in done], replace(swept, copies={**swept.copies, **late})

    def rebuild(self) -> dict[str, int]:
        """Make the catalogue again from the vault alone; return how many AIPs, versions and files it knows."""
        with self.committer.lock():
            self.catalogue.clear()
            self.catalogue.follow(self.vault)
            self.catalogue.complete(self.vault)
        return counts(self.catalogue)

    @staticmethod
    def doctor(folder: Path) -> list[Check]:
        """What is installed, and whether disks keep their promises: of the repository there, which need not open."""
        return doctor.examine(folder)

    @staticmethod
    def doctor_drill(folder: Path) -> Drill:
        """Damage and heal a tiny repository on the disks of the one there, which need not open; raise NoRepository."""
        from repository import doctor_drill  # it makes repositories of its own

        return doctor_drill.drill(config.load(folder))

    def jobs(self) -> list[Job]:
        """The policy's jobs by name, with their last run and when they fall due."""
        return agenda(self.catalogue, self.policies().audit, self.now())

    def note_job(self, name: str, outcome: str, detail: dict[str, str | int]) -> None:
        """Write down that a scheduled job ran."""
        self._note("job", name, outcome, detail)

    def _note(self, kind: str, about: str, outcome: str, detail: Mapping[str, Json]) -> None:
        time = stamp(self.now())
        event = Event(time=time, type=kind, agent=self.agent, object=about, outcome=outcome, detail=detail)
        self.committer.note(event)
        self.catalogue.follow(self.vault)

    def _note_correction(self, said: Correction, known: Format) -> Correction:
        detail: dict[str, Json] = {
            "path": said.path, "sha256": said.digest.hexadecimal, "puid": known.puid, "format": known.name,
            "mime": known.mime, "was": list(said.was), "why": said.reason, "user": self.user,
        }  # fmt: skip
        time, agent = stamp(self.now()), self.agent
        event = Event(
            time=time, type="identification", agent=agent, object=said.aip, outcome="corrected", detail=detail
        )  # fmt: skip
        return replace(said, time=time, agent=agent, behind=self.committer.note_locked(event))

    def _format(self, puid: str) -> Format:
        """The format of that PUID; raise UnknownFormat where the signatures in use do not know it."""
        imported = signatures.in_force(self.catalogue)
        table = self._converted(imported).table if imported else signatures.fidos_own()
        if found := signatures.formats(table).get(puid):
            return found
        raise UnknownFormat(puid, table.version)

    def _converted(self, imported: Imported) -> DroidSignatures:
        return convert(*signatures.read(*self._laid_out(imported)))

    def _laid_out(self, imported: Imported) -> tuple[Path, Path]:
        settings = self.settings
        return signatures.laid_out(imported, settings.folder / "signatures", self.vault, settings.work)

    def _new_id(self) -> UUID:
        return _new_id(self.now)

    def _named(self, copy: str) -> tuple[list[Store], list[OcflCopy]]:
        """Every copy, or the one of that name: vaults, and those that keep packages; raise UnknownCopy."""
        stores = [store for store in self.vault.copies if copy in ("", store.name)]
        packed = [one for one in self.packages if copy in ("", one.name)]
        if not stores and not packed:
            raise UnknownCopy(copy, [known.name for known in self.settings.copies])
        return stores, packed

    def _required(self) -> Container[str] | None:
        """The copies that the policy asks for; all, where it cannot be read: what needs a policy will say so."""
        with suppress(PolicyError):
            return self.policies().copies.names()
        return None

    def _wanted(self, urn: str) -> Wanted:
        """The newest version of an AIP and its files, as the catalogue knows them."""
        row = self.catalogue.one("select version, record from versions where aip = ? order by version desc", urn)
        assert row is not None  # the catalogue has named the AIP
        files = holdings.files(self.catalogue, urn, everything=True)
        known = ((file.path, Digest.parse(file.digest)) for file in files)
        return Wanted(urn, row["version"], Digest.parse(row["record"]), known)

    def _bury_packages(self) -> dict[str, str]:
        """What was deleted goes from package copies too; return those that may keep something of it, and why: it goes
        when they are brought up next."""
        late = {}
        for one in self.packages:
            if why := packages.bury(one, self.vault, self.settings, f"packages-{_new_id(self.now)}"):
                late[one.name] = why
        return late

    def _version(self, urn: str, wanted: int | None) -> Record:
        row = self.catalogue.one(
            "select version, record from versions where aip = ? and version = coalesce(?, version)"
            " order by version desc",
            urn, wanted,
        )  # fmt: skip
        if row is None:
            raise NotFound(f"Version {wanted} of {urn}", "this repository", "`tianyi show` lists its versions.")
        return self.vault.record(parse_aip(urn), row["version"], Digest.parse(row["record"]))

    def _next_accession(self, detail: Mapping[str, Json]) -> str:
        """The next number of the year, written down at once so that nobody else gets it."""
        with self.committer.lock():
            self.catalogue.follow(self.vault)
            year = self.now().year
            row = self.catalogue.one(
                "select max(cast(substr(accession, 6) as integer)) as last from (select accession from accessions"
                " union all select accession from aips) where accession like ?",
                f"{year}-%",
            )
            number = f"{year}-{((row['last'] if row else 0) or 0) + 1:04d}"
            time = stamp(self.now())
            event = Event(
                time=time, type="accession", agent=self.agent, object=number, outcome="received", detail=detail
            )
            self.committer.note_locked(event)
            self.catalogue.follow(self.vault)
        return number

    def _recover(self, disk: Disk) -> list[str]:
        """Finish what a crash cut short, unless somebody is at work at this moment."""
        quick = Committer(self.vault, self.settings.work, disk, patience=0)
        for one in self.packages:
            lock = self.settings.work / f"packages-{one.name}.lock"
            with suppress(StorageError), locked(lock, one.name, patience=0):
                one.tidy(partial(lives, self.settings.work))
        with suppress(Locked):
            return quick.recover()
        return []

    def _setting(self) -> Setting:
        policies = self.policies()
        identifier = self.identifier(policies.ingest.second_opinion)
        return Setting(
            committer=self.committer, work=self.settings.work, holds=self._holds,
            policies=policies, executor=workers, identifier=identifier, now=self.now,
            new_id=lambda: _new_id(self.now), agent=self.agent, software=SOFTWARE, progress=self.progress,
            scanner=scanners.configured(self.settings),
        )  # fmt: skip

    @property
    def _reports(self) -> Path:
        return self.settings.work / "reports"

    def _decisions(self) -> Decisions:
        return Decisions(
            catalogue=self.catalogue, committer=self.committer, agents=self.settings.agents, agent=self.agent,
            user=self.user, now=self.now(),
        )  # fmt: skip

    def _deletions(self) -> Deletions:
        return Deletions(
            catalogue=self.catalogue, committer=self.committer, policies=self.policies(), agents=self.settings.agents,
            agent=self.agent, user=self.user, now=self.now(), new_id=lambda: _new_id(self.now),
        )  # fmt: skip

    def _watch(self) -> Watch:
        return Watch(
            catalogue=self.catalogue, committer=self.committer, work=self.settings.work, executor=workers,
            time=stamp(self.now()), agent=self.agent, new_id=lambda: _new_id(self.now), progress=self.progress,
            sources=self.packages,
        )  # fmt: skip


def _new_id(now: Callable[[], datetime]) -> UUID:
    return uuid7(now(), os.urandom(10))
