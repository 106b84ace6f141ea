"""Checkpoints given to witnesses, and time stamps of them: what is due by policy, and doing it.

Both write entries, and with them the ledger grows: so only what others have written since makes one due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from uuid import UUID

from fixity.time_stamps import Wrong
from policies.evidence import EvidencePolicy
from repository.catalogue import Catalogue
from repository.config import Config
from repository.publishing_newest import GIVEN, STAMP, Newest
from repository.publishing_newest import Handed as Handed
from repository.publishing_stamps import Stamps
from repository.publishing_witnesses import Witnesses
from storage.commit import Committer


class Publisher:
    """Does it for one repository, at one moment."""

    def __init__(
        self, settings: Config, committer: Committer, catalogue: Catalogue, asked: EvidencePolicy, now: datetime,
        new_id: Callable[[], UUID],
    ) -> None:  # fmt: skip
        newest = Newest(catalogue, committer.vault, settings.vault_id)
        self._stamps = Stamps(settings, committer, catalogue, newest, asked, now, new_id)
        self._witnesses = Witnesses(settings, committer.disk, newest, asked)

    def plan(self) -> list[Handed]:
        """What is due, and why; nobody is asked and nothing is changed. Raises NothingSigned."""
        return [*self._stamps.plan(), *self._witnesses.plan()]

    def carry_out(self) -> Iterator[Handed]:
        """Get a time stamp, then give the checkpoint to witnesses, each where it is due, yielding what became of it."""
        if stamped := self._stamps.obtain():
            yield stamped
        yield from self._witnesses.give()

    def remember(self, done: Iterable[Handed]) -> None:
        """Which witnesses have the checkpoint now; call when entries tell of it."""
        self._witnesses.remember(one.to for one in done if one.outcome == GIVEN and one.kind != STAMP)

    def check(self) -> list[Wrong]:
        """What is wrong with the time stamps that are kept, and with the checkpoints that witnesses got; raise
        NothingSigned, or Damaged for the ledger."""
        return [*self._stamps.check(), *self._witnesses.check()]
