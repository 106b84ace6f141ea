"""What a commit is about to do, written down before it does it, so that a crash can be finished: as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from storage.aip import Record
from storage.canonical import canonical, parse_canonical
from storage.event import Event, parse_event


@dataclass(frozen=True, slots=True)
class Intent:
    """The entry to write once the version's record exists. `size`: the ledger had so many entries before;
    `away`: the copies that lack a blob of the version, and get no record of it."""

    event: Event
    size: int
    away: frozenset[str]

    @property
    def record(self) -> str:
        """The digest of the record that the entry tells of."""
        return str(self.event.detail.get("record"))

    def to_bytes(self) -> bytes:
        return canonical({"away": sorted(self.away), "size": self.size}) + b"\n" + self.event.to_bytes()


def parse_intent(data: bytes) -> Intent:
    """Raise ValueError where it is not one."""
    head, _, entry = data.partition(b"\n")
    said = parse_canonical(head)
    size, away = said.get("size"), said.get("away")
    if not isinstance(size, int) or not isinstance(away, Sequence):
        raise ValueError("not an intent")
    return Intent(parse_event(entry), size, frozenset(map(str, away)))


def intent_name(record: Record) -> str:
    """The intent's file name: which version it is about."""
    return f"{record.uuid}-v{record.version}"


def parse_name(name: str) -> tuple[UUID, int]:
    """Raise ValueError where it is not the name of an intent."""
    aip, _, version = name.rpartition("-v")
    return UUID(aip), int(version)
