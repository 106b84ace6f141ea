"""Entries of the ledger as values: canonical JSON, versioned, small, without personal data (agents are identifiers)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.canonical import Json, canonical, parse_canonical

LARGEST = 65_535  # bytes of an entry (C2SP tlog-tiles: a 16-bit length)
VERSION = 1
SCHEDULER = "scheduler"  # the agent of jobs that nobody started
EVIDENCE = (
    "findings", "policy", "list", "signature_file", "container_file",
    "checkpoint", "token", "certificates", "revocation",
)  # fmt: skip
"""Members of an entry's detail that name a blob by its digest: it is kept with the entry, in every copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to the repository.

    `time` is UTC with a Z; `type` one of docs/vault-format.md, "Entries"; `object` what it happened to (an AIP, a
    copy, an accession); `outcome` one word.
    """

    time: str
    type: str
    agent: str
    object: str
    outcome: str
    detail: Mapping[str, Json] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The entry (RFC 8785); raise ValueError where it is over LARGEST bytes: long lists belong in a blob."""
        data = canonical({
            "v": VERSION, "time": self.time, "type": self.type, "agent": self.agent, "object": self.object,
            "outcome": self.outcome, "detail": self.detail,
        })  # fmt: skip
        if len(data) > LARGEST:
            raise ValueError(f"an entry of {len(data)} bytes is over {LARGEST}")
        return data


def parse_event(data: bytes) -> Event:
    """The event of an entry's bytes; raise ValueError for anything that is not canonical JSON of version 1."""
    members = parse_canonical(data)
    detail = members.pop("detail", None)
    if members.pop("v", None) != VERSION or not isinstance(detail, Mapping):
        raise ValueError("not an entry of version 1")
    if set(members) != {"time", "type", "agent", "object", "outcome"}:
        raise ValueError("not the members of an entry")
    return Event(**{name: str(value) for name, value in members.items()}, detail=detail)
