"""An accession as a value, and how one lives, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RECEIVED, HELD, APPROVED = "received", "held", "approved"
ACCEPTED, REJECTED, RETURNED, DELETED = "accepted", "rejected", "returned", "deleted"
CANCELLED = "cancelled"
INTERRUPTED = "interrupted"

NEXT: Mapping[tuple[str, str], str] = {
    (RECEIVED, "hold"): HELD,
    (RECEIVED, "reject"): REJECTED,
    (RECEIVED, "commit"): ACCEPTED,
    (RECEIVED, "return"): RETURNED,
    (RECEIVED, "cancel"): CANCELLED,
    (HELD, "accept"): APPROVED,
    (HELD, "return"): RETURNED,
    (APPROVED, "accept"): APPROVED,
    (APPROVED, "commit"): ACCEPTED,
    (APPROVED, "reject"): REJECTED,
    (APPROVED, "return"): RETURNED,
    (APPROVED, "cancel"): CANCELLED,
    (ACCEPTED, "delete"): DELETED,
}
"""What an accession becomes by what happens to it. A received one that nobody is at work on is seen as `interrupted`.
An approved one is held no more, and is to be taken in."""

ENDS = {ACCEPTED, *NEXT.values()} - {state for state, _ in NEXT if state != ACCEPTED}
"""The states in which nothing is in work."""

DECIDED = {"acceptance": APPROVED, "return": RETURNED, "cancellation": CANCELLED}
"""What the ledger's entries of an officer's decisions lead to."""

_STEPS = {
    INTERRUPTED: 'tianyi ingest --resume, or tianyi cancel {0} --reason "…"',
    HELD: 'tianyi accept {0} --reason "…", or tianyi return {0} --reason "…"',
    APPROVED: 'tianyi accept {0} --reason "…"',
    REJECTED: "send the report to the producer: {1}",
}
_AGAIN = 'tianyi cancel {0} --reason "…", then ingest it again'
"""What to do of one that was interrupted, where nobody knows where its delivery lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accession:
    """`state` is one of NEXT's, or `interrupted`; `aip` is "" where there is none. `received` is when it got its number
    (UTC with a Z); `terms` are those of ingest.terms that were told; `content` is the digest of the list of the files
    that were held, "" where none were; `report` is where the page for its producer lies; `entry` the path (escaped)
    that it had in a drop folder, "" where it came otherwise, or nobody knows any more; `title` is the AIP's, else what
    the delivery is or was called, so far as that is known here; `placed` whether it may be known where it lies."""

    accession: str
    state: str
    aip: str
    received: str
    because: tuple[str, ...]
    terms: Mapping[str, str]
    content: str
    report: str
    entry: str = ""
    title: str = ""
    placed: bool = True

    @property
    def is_stranded(self) -> bool:
        """Whether it was interrupted, and nobody knows where to go on."""
        return self.state == INTERRUPTED and not self.placed

    @property
    def next(self) -> str:
        """What somebody has to do now, "" where nothing."""
        step = _AGAIN if self.is_stranded else _STEPS.get(self.state, "")
        return step.format(self.accession, self.report)

    def allows(self, act: str) -> bool:
        """Whether the table has the act."""
        return (RECEIVED if self.state == INTERRUPTED else self.state, act) in NEXT
