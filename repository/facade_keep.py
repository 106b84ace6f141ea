"""The façade's verbs for keeping: copies, audits, repairs, scans for viruses, and the catalogue made again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from repository import holdings, in_force, packages
from repository.catalogue import counts
from repository.errors import NoScanner
from repository.facade_browse import Browsing
from storage import layout
from storage.aip import stamp
from storage.canonical import Json
from storage.event import Event

if TYPE_CHECKING:
    from fixity.audit import Audit
    from fixity.schedule import Coverage
    from repository.config import Copy
    from repository.copies import CopyState
    from repository.rescan import Scanned
    from repository.rounds import Rounds
    from repository.status import CopyStatus
    from storage.ocfl_copy import OcflCopy
    from storage.replicate import Replicated


class Keeping(Browsing):
    """Copies, and what keeps them whole."""

    def copy_states(self) -> list[CopyState]:
        """How each copy stands, in their order, by listings."""
        from repository import copies

        return copies.states(self.settings, self.vault, self.packages, self.catalogue, self.seal, self.now())

    def replicate(self, copy: str = "") -> list[Replicated]:
        """Bring every copy, or the one named, up to what the others have; raise UnknownCopy.

        A copy that does not answer, or that fails midway, is told by what it still lacks.
        """
        from repository import replication
        from repository.workers import get_ready, workers

        stores, packed = self._named(copy)
        self.check_mark()
        get_ready(*holdings.roughly(self.catalogue))
        self.note_changes()
        setting = replication.Setting(
            committer=self.committer, work=self.settings.work, executor=workers, now=self.now, new_id=self._new_id,
            agent=self.agent, progress=self.progress,
        )  # fmt: skip
        done = [replication.bring_up(store, setting) for store in stores]
        for one in packed:
            run = f"packages-{setting.new_id()}"
            done.append(packages.bring_up(one, self.vault, self.settings, run, self.progress))
            if done[-1].copied:
                replication.note(done[-1], setting)
        self.catalogue.follow(self.vault)
        if any(one.copied for one in done):
            self.catalogue.complete(self.vault)  # records may have come that no entry tells of
        for store, brought in zip(stores, done, strict=False):
            if not brought.behind:
                self._rounds().restored(store)
        return done

    def replicate_plan(self, copy: str = "") -> list[CopyState]:
        """How the copies stand that `replicate` would work on; nothing is changed."""
        self._named(copy)
        return [state for state in self.copy_states() if copy in ("", state.copy.name)]

    def add_copy(self, copy: Copy) -> None:
        """Declare another copy at an empty place; `replicate` fills it. Raises BadRequest, NotAVault, Unreachable."""
        from repository import copies

        self.note_changes()
        with self.committer.lock():
            copies.add(self.settings, self.vault, copy)
        self._note_copies("added", copy)

    def retire_copy(self, name: str) -> None:
        """Declare a copy no longer; what is in it stays. Raises UnknownCopy, or BadRequest for the first."""
        from repository import copies

        self.note_changes()
        copies.check_spared(name, self.copy_states(), self.policies().copies.names())
        with self.committer.lock():
            copy = copies.retire(self.settings, name)
        self._note_copies("retired", copy)

    def _note_copies(self, outcome: str, copy: Copy) -> None:
        detail: dict[str, Json] = {"form": copy.form, "settings": in_force.of_file(self.settings)}
        self._note("configuration", copy.name, outcome, detail)

    def audit(self, copy: str = "", *, fresh: bool = False, cached: bool = False) -> list[Audit]:
        """Read everything in every copy, or in the one named; raise UnknownCopy.

        What was cut short less than a day ago goes on, unless `fresh`; `cached` is content with what memory has.
        """
        from repository import inventory
        from repository.agreement import agrees
        from repository.workers import READING, get_ready

        stores, packed = self._named(copy)
        get_ready(*inventory.amount(self.catalogue), READING)
        if not agrees(self.catalogue, self.vault):
            self.rebuild()  # it would tell the audit of too little
        results = self._learned(self._rounds().whole(stores, fresh=fresh, cached=cached))
        return [*results, *(self._audit_packages(one) for one in packed)]

    def _learned(self, results: list[Audit]) -> list[Audit]:
        """Take in the records that an audit met and no entry tells of: they are held, whatever became of the ledger."""
        extra = (found.key for result in results for found in result.findings if found.outcome == "extra")
        if any(map(layout.record_name, extra)):
            with self.committer.lock():  # who was between record and entry has come to the entry
                self.catalogue.follow(self.vault)
                self.catalogue.complete(self.vault)
        return results

    def round(self, copy: str = "") -> list[Audit]:
        """One slice of reading what is due by the policy: at most half an hour; raise UnknownCopy or PolicyError."""
        from repository.agreement import agrees

        stores, packed = self._named(copy)
        rounds = self._rounds()
        if rounds.readings.journal.is_time_to_compare(self.now()) and not agrees(self.catalogue, self.vault):
            self.rebuild()
        return [
            *self._learned(rounds.due(stores)),
            *(self._audit_packages(one) for one in packed if self._is_due(one.name)),
        ]

    def closed(self, copy: str = "") -> dict[str, datetime]:
        """The copies of which `round` reads nothing now, since it is outside the hours of the policy, and when these
        begin; raise UnknownCopy or PolicyError."""
        return self._rounds().closed(self._named(copy)[0])

    def sample(self, copy: str = "", *, files: int = 0, seed: int | None = None) -> list[Audit]:
        """Read a few files at random in each copy that is read at all, by default as many as the policy says; raise
        UnknownCopy or PolicyError."""
        import random

        policy, chance = self.policies().audit, random.Random(seed)  # chance, not secrecy
        stores = [store for store in self._named(copy)[0] if policy.every_of(store.name)]
        return [
            result for store in stores for result in self._rounds().sample(store, files or policy.sample.files, chance)
        ]

    def coverage(self) -> list[Coverage]:
        """How the promises of reading everything again stand, copy by copy, its collections after it."""
        from repository import coverage

        copies = [copy.name for copy in self.settings.copies]
        return coverage.coverage(self.catalogue, self.policies().audit, copies, self.now())

    def audit_status(self) -> list[CopyStatus]:
        """Promises, what was read day by day, and what was found and healed by month, copy by copy."""
        from repository import coverage, status

        speeds = {copy.name: coverage.speed(self.catalogue, copy.name) for copy in self.settings.copies}
        return status.status(self.catalogue, self.coverage(), speeds, self.now())

    def _rounds(self) -> Rounds:
        from repository import round_journal
        from repository.reading import Readings
        from repository.rounds import Rounds

        self.check_mark()
        place = round_journal.at(self.settings.work / "rounds.db")
        return Rounds(Readings(self._watch(), place, self.now, self.patience), self.policies().audit)

    def _audit_packages(self, copy: OcflCopy) -> Audit:
        """Package copies are read as a whole: what is in them follows from the bags and not from the catalogue."""
        from fixity.reading import END, START
        from fixity.round import Plan
        from repository.workers import workers

        plan = Plan(copy.name, "full", stamp(self.now()), self.catalogue.position)
        result = packages.audit(copy, self.vault, self.settings, workers, self.progress)
        self._rounds().readings.note(plan, result, START if result.counts["not_checked"] else END, 0)
        return result

    def _is_due(self, copy: str) -> bool:
        from fixity.schedule import SPAN
        from policies import cadence
        from repository import coverage

        if not (every := self.policies().audit.every_of(copy)):
            return False
        return cadence.due(coverage.read_in_full(self.catalogue, copy, self.now()), every * SPAN, self.now())

    def scan(self, aip: str = "", every: timedelta = timedelta(0)) -> Scanned:
        """Scan what is held, or one AIP's files, for viruses, so far as the last scan is older than `every`; one entry
        of the ledger. Raises NoScanner or ScannerAway, and what `show` raises."""
        from repository import rescan, scanners
        from repository.project_scan import Window
        from repository.workers import workers

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

    def rebuild(self) -> dict[str, int]:
        """Make the catalogue again from the vault alone; return how many AIPs, versions and files it knows."""
        with self.committer.lock():
            self.catalogue.renew(self.vault)
        return counts(self.catalogue)
