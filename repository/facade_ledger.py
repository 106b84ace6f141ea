"""The façade's verbs for the ledger: whether it is what it was, and the keys that sign it."""

from __future__ import annotations

from repository import ledger
from repository.facade import Opened
from repository.ledger_check import Verification, Verified
from storage.aip import stamp
from storage.signed_note import VerifierKey


class Recording(Opened):
    """The ledger as evidence."""

    def verify_ledger(self) -> Verified:
        """Read the ledger in every copy, and hold it against every checkpoint that was kept; raise Unreachable for the
        first copy. Who appends waits meanwhile."""
        with self.committer.lock():
            return Verification(self.vault, self.seal).carry_out()

    def rotate_key(self) -> VerifierKey:
        """Sign with a new key from now on; raise KeyLost where the one that signs is not there."""
        with self.committer.lock():
            key = ledger.rotate(self.committer.scribe, stamp(self.now()), self.agent)
        self.catalogue.follow(self.vault)
        return key

    def replace_lost_key(self, reason: str) -> VerifierKey:
        """Sign with a new key, where the one before is lost; raise KeyThere where it is not."""
        with self.committer.lock():
            key = ledger.replace_lost(self.committer.scribe, stamp(self.now()), self.agent, reason)
        self.catalogue.follow(self.vault)
        return key
