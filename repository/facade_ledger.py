"""The façade's verbs for the ledger: whether it is what it was, and the keys that sign it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from repository import ledger
from repository.errors import NothingSigned
from repository.facade import Opened
from storage.aip import stamp
from storage.errors import StorageError
from storage.lock import locked

if TYPE_CHECKING:
    from repository.ledger_check import Verified
    from repository.ledger_recover import Recovered
    from repository.ledger_scan import LedgerFault
    from repository.publishing import Handed, Publisher
    from storage.signed_note import VerifierKey


class Recording(Opened):
    """The ledger as evidence."""

    def verify_ledger(self) -> Verified:
        """Read the ledger in every copy, and hold it against every checkpoint that was kept, those that witnesses got
        and those that were stamped among them; raise Unreachable for the first copy. Who appends waits meanwhile."""
        from repository.ledger_check import Verification

        with self.committer.lock():
            done = Verification(self.vault, self.seal).carry_out()
        return replace(done, findings=[*done.findings, *self._outside()])

    def _outside(self) -> Iterator[LedgerFault]:
        """What is wrong with time stamps, and with what witnesses got."""
        from repository.ledger_scan import DAMAGE, INFO, LedgerFault

        with suppress(NothingSigned, StorageError):  # what cannot be read is told already
            for wrong in self._publisher().check():
                yield LedgerFault(wrong.code, wrong.what, weight=DAMAGE if wrong.grave else INFO)

    def untold(self) -> list[tuple[str, int]]:
        """The versions that are held and that no entry of the ledger tells of, as the catalogue knows it."""
        from repository import ledger_records

        return ledger_records.untold(self.catalogue)

    def recover_entries(self, reason: str) -> Recovered:
        """Enter the versions that are held and that no entry tells of, as this agent says; the versions that cannot
        be are told. Raises BadRequest where there is none, or no reason, and HistoryChanged."""
        from repository.agents import deciding, on_record
        from repository.errors import BadRequest
        from repository.ledger_recover import entry, recoverable

        why, time = on_record(reason), stamp(self.now())
        if self.settings.agents:
            deciding(self.settings.agents, self.agent, self.user)
        with self.committer.lock():
            self.catalogue.follow(self.vault)
            self.catalogue.complete(self.vault)
            if not (untold := self.untold()):
                raise BadRequest("Every version that is held has its entry.", "`tianyi ledger verify` tells more.")
            done = recoverable(self.vault, untold)
            if events := [entry(record, time, self.agent, self.user, why) for record in done.entered]:
                done = replace(done, behind=self.committer.note_locked(*events))
        self.catalogue.follow(self.vault)
        return done

    def publish_checkpoint(self) -> list[Handed]:
        """Get a time stamp of the ledger's newest checkpoint and give it to witnesses, where it is due by policy.

        What a witness or an authority refuses is told, and tried again the next time. Raises NothingSigned.
        """
        from repository.publishing_newest import STAMP

        with locked(self.settings.work / "publish.lock", "publishing", self.patience):
            publisher = self._publisher()
            done = list(publisher.carry_out())
            for one in done:
                if one.detail and one.outcome != "fail":
                    kind = STAMP if one.kind == STAMP else "witness"
                    self._note(kind, self.settings.vault_id, one.outcome, one.detail)
            publisher.remember(done)
        return done

    def publish_plan(self) -> list[Handed]:
        """What `publish_checkpoint` would do, and why; nobody is asked, and nothing is changed."""
        return self._publisher().plan()

    def _publisher(self) -> Publisher:
        from repository.publishing import Publisher  # with clients for mail and the web

        asked = self.policies().evidence
        return Publisher(self.settings, self.committer, self.catalogue, asked, self.now(), self._new_id)

    def rotate_key(self) -> VerifierKey:
        """Sign with a new key from now on; raise KeyLost where the one that signs is not there."""
        self.check_mark()
        with self.committer.lock():
            key = ledger.rotate(self.committer.scribe, stamp(self.now()), self.agent)
        self.catalogue.follow(self.vault)
        return key

    def replace_lost_key(self, reason: str) -> VerifierKey:
        """Sign with a new key, where the one before is lost; raise KeyThere where it is not."""
        self.check_mark()
        with self.committer.lock():
            key = ledger.replace_lost(self.committer.scribe, stamp(self.now()), self.agent, reason)
        self.catalogue.follow(self.vault)
        return key
