"""The façade's verbs for deletion as archives do it: requests, holds, and the sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from repository import packages
from repository.facade_browse import Browsing

if TYPE_CHECKING:
    from repository.deletions import Deletions
    from repository.disposal import Done, Hold, Plan, Request
    from storage.sweep import Swept


class Deleting(Browsing):
    """What goes away, and what must not."""

    def deletion_plan(self, aip: str) -> Plan:
        """What the deletion of an AIP would take away; nothing is changed."""
        return self._deletions().plan(aip)

    def delete(self, aip: str, reason: str) -> Request:
        """Ask for the deletion of an AIP; raise UndeclaredAgent, NotYourAgent or AlreadyRequested."""
        self.note_changes()
        return self._deletions().ask(aip, reason)

    def approve(self, request: str) -> Request:
        """Approve what somebody else has asked for; raise UnknownRequest, BadStep or SameApprover."""
        self.note_changes()
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

    def due(self) -> list[Plan]:
        """What the deletions that are due would take away."""
        deletions = self._deletions()
        return [deletions.plan(request.aip) for request in deletions.due()]

    def blocked(self) -> list[tuple[Request, list[Hold]]]:
        """The deletions that would be due, but for the holds beside them."""
        from repository import requests

        return [(one, requests.holds(self.catalogue, one.aip)) for one in self._deletions().blocked()]

    def sweep_plan(self) -> Swept:
        """What `sweep` would remove now, not counting what the deletions that are due set free; raise SweepStopped."""
        return self._deletions().sweep_plan()

    def sweep(self, planned: Callable[[Swept], None] = lambda _: None) -> tuple[list[Done], Swept]:
        """Carry out the deletions that are due, then remove what nothing needs, of which `planned` hears before.

        What a deletion could not be carried out in yet is told: in `behind` of each, and in `copies` of the sweep where
        a copy keeps packages. Raises SweepStopped or Locked; what was done before stays done, and is on record.
        """
        self.note_changes()
        deletions = self._deletions()
        done = deletions.carry_out()
        late = self._bury_packages()  # what was deleted before, and by a recovery, among it
        swept = deletions.sweep(self.settings.vault_id, planned)
        return [one.kept_by(late) for one in done], replace(swept, copies={**swept.copies, **late})

    def _bury_packages(self) -> dict[str, str]:
        """What was deleted goes from package copies too; return those that may keep something of it, and why: it goes
        when they are brought up next."""
        late = {}
        for one in self.packages:
            if why := packages.bury(one, self.vault, self.settings, f"packages-{self._new_id()}"):
                late[one.name] = why
        return late

    def _deletions(self) -> Deletions:
        from repository.deletions import Deletions

        return Deletions(
            catalogue=self.catalogue, committer=self.committer, policies=self.policies(), agents=self.settings.agents,
            agent=self.agent, user=self.user, now=self.now(), new_id=self._new_id,
        )  # fmt: skip
