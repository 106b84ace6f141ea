"""What a commit or a deletion is about to do, written down before it does it, so that a crash can be finished: as a
value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from storage.aip import Record, parse_record
from storage.canonical import Json, canonical, parse_canonical
from storage.event import Event, parse_event

_DELETION = "-deletion"


@dataclass(frozen=True, slots=True)
class Intent:
    """The entry to write once the version's record, or the AIP's tombstone, exists. `size`: the ledger had so many
    entries before; `away`: the copies that lack a blob of the version, and get no record of it. `follows`: the
    version's record, where several are made together and this one has to be made once the one before it exists."""

    event: Event
    size: int
    away: frozenset[str] = frozenset()
    follows: Record | None = None

    @property
    def record(self) -> str:
        """The digest of the record that the entry tells of."""
        return str(self.event.detail.get("record"))

    @property
    def tombstone(self) -> str:
        """The digest of the tombstone that the entry tells of."""
        return str(self.event.detail.get("tombstone"))

    def is_about(self, event: Event) -> bool:
        """Whether an entry tells of the same record or tombstone."""
        return all(event.detail.get(name) == self.event.detail.get(name) for name in ("record", "tombstone"))

    def to_bytes(self) -> bytes:
        said: dict[str, Json] = {"away": sorted(self.away), "size": self.size}
        if self.follows:
            said["follows"] = self.follows.to_bytes().decode()
        return canonical(said) + b"\n" + self.event.to_bytes()


def parse_intent(data: bytes) -> Intent:
    """Raise ValueError where it is not one, BrokenRecord where it holds one that cannot be trusted."""
    head, _, entry = data.partition(b"\n")
    said = parse_canonical(head)
    size, away = said.get("size"), said.get("away")
    if not isinstance(size, int) or not isinstance(away, Sequence):
        raise ValueError("not an intent")
    follows = said.get("follows")
    record = parse_record(str(follows).encode(), "of an intent") if follows else None
    return Intent(parse_event(entry), size, frozenset(map(str, away)), record)


def intent_name(record: Record) -> str:
    """The file name of a commit's intent: which version it is about."""
    return f"{record.uuid}-v{record.version}"


def deletion_name(aip: UUID) -> str:
    """The file name of a deletion's intent."""
    return f"{aip}{_DELETION}"


def deleted_aip(name: str) -> UUID | None:
    """The AIP that a deletion's intent is about, None where the name is another's; raise ValueError for no UUID."""
    return UUID(name.removesuffix(_DELETION)) if name.endswith(_DELETION) else None


def parse_name(name: str) -> tuple[UUID, int]:
    """AIP and version of a commit's intent; raise ValueError where the name is another's."""
    aip, _, version = name.rpartition("-v")
    return UUID(aip), int(version)
