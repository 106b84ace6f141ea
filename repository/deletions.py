"""Deletion as archives do it: one asks, another approves, a time passes, nothing is on hold; then it is carried out.

Every step is an entry of the ledger, taken under the commit lock; what was asked and approved is known from there
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from policies.effective import Policies
from repository import evidence, holdings, requests
from repository.agents import deciding, on_record
from repository.catalogue import Catalogue
from repository.config import Agent
from repository.disposal import DUE, Done, Hold, Plan, Request
from repository.errors import AlreadyRequested, SameApprover, UnknownHold
from storage.aip import stamp
from storage.canonical import Json
from storage.commit import Committer
from storage.digest import Digest
from storage.event import Event
from storage.sweep import Sweep, Swept, sweeping
from storage.tombstone import Tombstone


@dataclass(frozen=True, slots=True)
class Deletions:
    """What the steps work with. `user` is the system's, as "uid-1000"; `now` is UTC."""

    catalogue: Catalogue
    committer: Committer
    policies: Policies
    agents: Sequence[Agent]
    agent: str
    user: str
    now: datetime
    new_id: Callable[[], UUID]

    def plan(self, aip: str) -> Plan:
        """What a deletion would take away; nothing is changed. Raises BadIdentifier, NotFound or Deleted."""
        return requests.plan(self.catalogue, holdings.resolve(self.catalogue, aip), self.committer.vault.copies)

    def ask(self, aip: str, reason: str) -> Request:
        """Ask for a deletion; raise AlreadyRequested where that was done."""
        why = self._deciding(reason)
        with self._locked():
            found = holdings.aip(self.catalogue, holdings.resolve(self.catalogue, aip))
            if before := requests.open_request(self.catalogue, found.aip):
                raise AlreadyRequested(found.aip, before.request)
            name = requests.next_number(self.catalogue, "D", self.now.year)
            detail: dict[str, Json] = {"request": name, "accession": found.accession, "why": why}
            behind = self._note("deletion-request", found.aip, "requested", detail)
            return replace(requests.request(self.catalogue, name), behind=behind)

    def approve(self, name: str) -> Request:
        """Approve another's request; raise UnknownRequest, BadStep or SameApprover."""
        deciding(self.agents, self.agent, self.user)
        self._approvable(name)  # asked again under the lock: nothing is kept of what is refused
        policy = evidence.keep(self.committer, self.new_id, [self.policies.to_bytes()])
        with self._locked():
            request = self._approvable(name)
            due = stamp(self.now + self.policies.retention.waiting)
            detail: dict[str, Json] = {"request": request.request, "due": due, "policy": str(policy)}
            behind = self._note("deletion-approval", request.aip, "approved", detail)
            return replace(requests.request(self.catalogue, name), behind=behind)

    def withdraw(self, name: str, reason: str) -> Request:
        """End a request that was not carried out, one's own or another's; raise UnknownRequest or BadStep."""
        why = self._deciding(reason)
        with self._locked():
            request = requests.request(self.catalogue, name)
            request.check("withdraw")
            detail: dict[str, Json] = {"request": request.request, "why": why}
            behind = self._note("deletion-withdrawal", request.aip, "withdrawn", detail)
            return replace(requests.request(self.catalogue, name), behind=behind)

    def hold(self, aip: str, reason: str) -> Hold:
        """Put an AIP under a legal hold, beside others that it may be under."""
        why = self._deciding(reason)
        with self._locked():
            found = holdings.aip(self.catalogue, holdings.resolve(self.catalogue, aip))
            name = requests.next_number(self.catalogue, "H", self.now.year)
            detail: dict[str, Json] = {"hold": name, "accession": found.accession, "why": why}
            behind = self._note("hold", found.aip, "held", detail)
            return replace(requests.hold(self.catalogue, name), behind=behind)

    def release(self, name: str, reason: str) -> Hold:
        """End a hold, named by its number, or by its AIP where that has one alone; raise UnknownHold."""
        why = self._deciding(reason)
        with self._locked():
            hold = self._named(name)
            behind = self._note("release", hold.aip, "released", {"hold": hold.hold, "why": why})
            return replace(hold, behind=behind)

    def due(self) -> list[Request]:
        """The requests that would be carried out now."""
        return [one for one in requests.requests(self.catalogue) if one.seen(self.now) == DUE]

    def blocked(self) -> list[Request]:
        """The requests that would be carried out now, but for a hold."""
        held = (one for one in requests.requests(self.catalogue) if one.held)
        return [one for one in held if replace(one, held=False).seen(self.now) == DUE]

    def carry_out(self) -> list[Done]:
        """Delete what is due; what an earlier try left undone is finished first."""
        if self.due():
            self.committer.recover()
            self.catalogue.follow(self.committer.vault)
        return [done for request in self.due() if (done := self._carry_out(request.request))]

    def sweep_plan(self) -> Swept:
        """What a sweep would remove now; nothing is changed. Raises SweepStopped."""
        with self._sweeping() as sweep:
            return sweep.plan()

    def sweep(self, vault_id: str, planned: Callable[[Swept], None]) -> Swept:
        """Remove what nothing needs, of which `planned` hears before, and write down what was removed, also where the
        sweep was stopped halfway; raise SweepStopped or Locked."""
        with self._sweeping() as sweep:
            planned(sweep.plan())
            try:
                return sweep.carry_out()
            finally:
                self._note_sweep(sweep, vault_id)

    def _carry_out(self, name: str) -> Done | None:
        """Delete one AIP with all versions that it has by now; None where it is not due after all."""
        with self._locked():
            request = requests.request(self.catalogue, name)
            if request.seen(self.now) != DUE:
                return None
            behind = self.committer.delete(self._tombstone(request), self.agent)
            self.catalogue.follow(self.committer.vault)
            return Done(request.request, request.aip, behind)

    def _tombstone(self, request: Request) -> Tombstone:
        return Tombstone(
            aip=request.aip, accession=request.accession, request=request.request, reason=request.reason,
            requested=request.requested, requested_by=request.requested_by, approved=request.approved,
            approved_by=request.approved_by, deleted=stamp(self.now), policy=request.policy,
            versions=dict(self._versions(request.aip)),
        )  # fmt: skip

    def _versions(self, aip: str) -> Iterator[tuple[int, Digest]]:
        """Every version that was committed, those whose records are lost among them."""
        for row in self.catalogue.rows("select version, record from versions where aip = ? order by version", aip):
            with suppress(ValueError):  # an entry that was forged
                yield row["version"], Digest.parse(row["record"])

    def _note_sweep(self, sweep: Sweep, vault_id: str) -> None:
        swept = sweep.done()
        if swept.removed:
            listed = evidence.keep(
                self.committer, self.new_id, evidence.lines(one._asdict() for one in sweep.removed())
            )
            detail: dict[str, Json] = {"removed": swept.removed, "bytes": swept.size, "kept": swept.kept}
            with self._locked():
                self._note("sweep", vault_id, "success", {**detail, "list": str(listed)})

    def _sweeping(self) -> AbstractContextManager[Sweep]:
        return sweeping(self.committer, self.now, self.policies.retention.grace)

    def _deciding(self, reason: str) -> str:
        """Check who acts; return the reason as it goes on record."""
        deciding(self.agents, self.agent, self.user)
        return on_record(reason)

    def _approvable(self, name: str) -> Request:
        """The request, if it waits for an approval and this agent may give it."""
        request = requests.request(self.catalogue, name)
        request.check("approve")
        if request.requested_by == self.agent:
            raise SameApprover(request.request, "the same agent", self.agent)
        if self.policies.retention.approver_is_another_user and request.requested_user == self.user:
            raise SameApprover(request.request, "the same user of the system", self.user)
        return request

    def _named(self, name: str) -> Hold:
        if name.strip().upper().startswith("H-"):
            return requests.hold(self.catalogue, name)
        found = requests.holds(self.catalogue, holdings.resolve(self.catalogue, name))
        if len(found) != 1:
            raise UnknownHold(name, [one.hold for one in found])
        return found[0]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The commit lock, and a catalogue that knows everything: what is decided depends on what was."""
        with self.committer.lock():
            self.catalogue.follow(self.committer.vault)
            yield

    def _note(self, kind: str, about: str, outcome: str, detail: dict[str, Json]) -> frozenset[str]:
        """One entry of the ledger; return the copies that could not follow."""
        detail = {**detail, "user": self.user}
        event = Event(time=stamp(self.now), type=kind, agent=self.agent, object=about, outcome=outcome, detail=detail)
        behind = self.committer.note_locked(event)
        self.catalogue.follow(self.committer.vault)
        return behind
