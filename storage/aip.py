"""An AIP's versions as values: identifiers and records (OAIS AIP; the record is the only thing of our own)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from uuid import UUID

from storage.canonical import Json, canonical, parse_canonical
from storage.digest import Digest, sha256
from storage.errors import BrokenRecord

FORMAT = "1"
SKEW = timedelta(hours=1)
"""By so much the clocks of machines may differ, and all of them count as right."""


def uuid7(now: datetime, random: bytes) -> UUID:
    """A version 7 UUID (RFC 9562 §5.7) of that moment and at least 10 random bytes."""
    milliseconds = int(now.timestamp() * 1000)
    number = (milliseconds & (2**48 - 1)) << 80 | int.from_bytes(random[:10])
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def parse_aip(text: str) -> UUID:
    """The UUID in `urn:uuid:…` or bare; raise ValueError."""
    return UUID(text.removeprefix("urn:uuid:"))


def stamp(moment: datetime) -> str:
    """A UTC time with a Z, to the second: the form of every time that is kept."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One version of one AIP: the bag whose tag manifest has that digest.

    `files` and `size` (bytes) are the payload's (its Payload-Oxum); `previous` is the digest of the record before, None
    for version 1; `created` is UTC with a Z; `reason` is one word like "ingestion" or
    "migration".
    """

    aip: str
    version: int
    accession: str
    created: str
    agent: str
    reason: str
    files: int
    size: int
    tagmanifest: Digest
    previous: Digest | None = None

    @property
    def uuid(self) -> UUID:
        return parse_aip(self.aip)

    @property
    def digest(self) -> Digest:
        """The record's own digest: over its canonical JSON without the member `digest`."""
        return sha256(canonical(self._members()))

    def to_bytes(self) -> bytes:
        """The record's file: canonical JSON with its digest, and a newline."""
        return canonical({**self._members(), "digest": str(self.digest)}) + b"\n"

    def _members(self) -> dict[str, Json]:
        members: dict[str, Json] = {"record": FORMAT}
        for field in fields(self):
            value = getattr(self, field.name)
            members[field.name] = str(value) if isinstance(value, Digest) else value
        return members


def parse_record(data: bytes, key: str) -> Record:
    """The record in a file's bytes; raise BrokenRecord (naming `key`) unless it is whole and agrees with itself."""
    try:
        members = parse_canonical(data.removesuffix(b"\n"))
        claimed = members.pop("digest")
        if members.pop("record") != FORMAT:
            raise BrokenRecord(key, "it is of a newer format")
        record = _from_members(members)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BrokenRecord(key, f"not a record ({error})") from error
    if str(record.digest) != claimed or record.to_bytes() != data:
        raise BrokenRecord(key, "its digest is not its own")
    return record


def _from_members(members: dict[str, Json]) -> Record:
    values: dict[str, object] = dict(members)
    for name in ("tagmanifest", "previous"):
        if (text := values[name]) is not None:
            values[name] = Digest.parse(str(text))
    return Record(**values)  # type: ignore[arg-type]  # the digest over the members proves their kinds
