"""Requests to delete and legal holds, as values; how a request lives, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from repository.errors import BadStep

REQUESTED, APPROVED, WITHDRAWN, DELETED = "requested", "approved", "withdrawn", "deleted"
DUE, HELD = "due", "held"
OPEN = frozenset({REQUESTED, APPROVED})

NEXT: Mapping[tuple[str, str], str] = {
    (REQUESTED, "approve"): APPROVED,
    (REQUESTED, "withdraw"): WITHDRAWN,
    (APPROVED, "withdraw"): WITHDRAWN,
    (APPROVED, "delete"): DELETED,
}
"""What a request becomes by what is done with it; anything else is refused. An open request is seen as `held` while
its AIP is under a legal hold, and an approved one that has waited as `due`: both pass by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to delete an AIP. `state` is one of NEXT's; `due` is when it may be carried out, "" before it is
    approved; `held` says whether a legal hold is in force. Times are UTC with a Z; `requested_user` is the system's
    user, as "uid-1000"; `policy` is the digest of the policies under which it was approved; `behind` are the copies
    that could not follow a step that was taken just now."""

    request: str
    aip: str
    accession: str
    state: str
    due: str
    reason: str
    requested: str
    requested_by: str
    requested_user: str
    approved: str
    approved_by: str
    policy: str
    held: bool
    behind: frozenset[str] = frozenset()

    def seen(self, now: datetime) -> str:
        """Its state at a moment: NEXT's, held or due."""
        if self.held and self.state in OPEN:
            return HELD
        if self.state == APPROVED and datetime.fromisoformat(self.due) <= now:
            return DUE
        return self.state

    def check(self, act: str) -> None:
        """Raise BadStep where the table does not have the act."""
        if (self.state, act) not in NEXT:
            raise BadStep(self.request, act, self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A legal hold: while it is in force its AIP is not deleted. There may be several on one AIP. `behind` are the
    copies that could not follow when it was put or released just now."""

    hold: str
    aip: str
    accession: str
    reason: str
    since: str
    agent: str
    behind: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the deletion of an AIP takes away: `blobs` and `bytes` that only it refers to. The `shared_blobs` stay,
    since other AIPs have them (the first ones are `shared_with`), or an entry of the ledger names them as evidence;
    `copies` says of each copy that keeps everything why."""

    aip: str
    accession: str
    title: str
    versions: int
    blobs: int
    bytes: int
    shared_blobs: int
    shared_bytes: int
    shared_with: tuple[str, ...]
    shared_with_total: int
    copies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Done:
    """A deletion that was carried out, and the copies that keep the AIP's records for now or for ever."""

    request: str
    aip: str
    behind: frozenset[str]

    def kept_by(self, copies: Iterable[str]) -> Done:
        """The same, with further copies that keep it."""
        return replace(self, behind=self.behind.union(copies))
