"""The façade's verbs for keeping: copies, audits, repairs, scans for viruses, and the catalogue made again."""

from __future__ import annotations

from datetime import timedelta

from fixity.audit import Audit
from fixity.schedule import Coverage
from repository import copies, holdings, in_force, packages, replication, rescan, scanners
from repository.agreement import agrees
from repository.catalogue import counts
from repository.config import Copy
from repository.copies import CopyState
from repository.errors import NoScanner
from repository.facade_browse import Browsing
from repository.project_scan import Window
from repository.rescan import Scanned
from repository.workers import workers
from storage.aip import stamp
from storage.canonical import Json
from storage.event import Event
from storage.replicate import Replicated


class Keeping(Browsing):
    """Copies, and what keeps them whole."""

    def copy_states(self) -> list[CopyState]:
        """How each copy stands, in their order, by listings."""
        return copies.states(self.settings, self.vault, self.packages, self.catalogue, self.seal)

    def replicate(self, copy: str = "") -> list[Replicated]:
        """Bring every copy, or the one named, up to what the others have; raise UnknownCopy.

        A copy that does not answer, or that fails midway, is told by what it still lacks.
        """
        stores, packed = self._named(copy)
        self.note_changes()
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
        self.note_changes()
        with self.committer.lock():
            copies.add(self.settings, self.vault, copy)
        self._note(
            "configuration", copy.name, "added", {"form": copy.form, "settings": in_force.of_file(self.settings)}
        )

    def retire_copy(self, name: str) -> None:
        """Declare a copy no longer; what is in it stays. Raises UnknownCopy, or BadRequest for the first."""
        self.note_changes()
        copies.check_spared(name, self.copy_states(), self.policies().copies.names())
        with self.committer.lock():
            copy = copies.retire(self.settings, name)
        self._note_copies("retired", copy)

    def _note_copies(self, outcome: str, copy: Copy) -> None:
        detail: dict[str, Json] = {"form": copy.form, "settings": in_force.of_file(self.settings)}
        self._note("configuration", copy.name, outcome, detail)

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

    def coverage(self) -> list[Coverage]:
        """How the promises of reading everything again stand, copy by copy, its collections after it."""
        return []

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

    def rebuild(self) -> dict[str, int]:
        """Make the catalogue again from the vault alone; return how many AIPs, versions and files it knows."""
        with self.committer.lock():
            self.catalogue.clear()
            self.catalogue.follow(self.vault)
            self.catalogue.complete(self.vault)
        return counts(self.catalogue)
