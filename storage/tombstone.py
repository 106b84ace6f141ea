"""What stays of a deleted AIP, as a value: what it was, why it was deleted, who asked and who approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from storage.aip import parse_aip
from storage.canonical import Json, canonical, parse_canonical
from storage.digest import Digest, sha256
from storage.errors import BrokenRecord, Deleted

FORMAT = "1"
_TEXTS = (
    "aip", "accession", "request", "reason", "requested", "requested_by", "approved", "approved_by", "deleted",
    "policy",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """One AIP's deletion. `versions` maps each version's number to the digest of its record.

    `requested`, `approved` and `deleted` are UTC with a Z; `policy` is the digest of the policies under which it was
    approved, "" where none is on record.
    """

    aip: str
    accession: str
    request: str
    reason: str
    requested: str
    requested_by: str
    approved: str
    approved_by: str
    deleted: str
    policy: str
    versions: Mapping[int, Digest]

    @property
    def uuid(self) -> UUID:
        return parse_aip(self.aip)

    @property
    def digest(self) -> Digest:
        """The tombstone's own digest: over its canonical JSON without the member `digest`."""
        return sha256(canonical(self._members()))

    def to_bytes(self) -> bytes:
        """The tombstone's file: canonical JSON with its digest, and a newline."""
        return canonical({**self._members(), "digest": str(self.digest)}) + b"\n"

    def as_error(self) -> Deleted:
        """What to say to whoever asks for the AIP."""
        return Deleted(self.aip, self.deleted, self.reason, f"tombstones/{self.uuid}.json")

    def _members(self) -> dict[str, Json]:
        members: dict[str, Json] = {name: getattr(self, name) for name in _TEXTS}
        versions = {str(number): str(record) for number, record in self.versions.items()}
        return {**members, "tombstone": FORMAT, "versions": versions}


def parse_tombstone(data: bytes, key: str) -> Tombstone:
    """The tombstone in a file's bytes; raise BrokenRecord (naming `key`) unless it is whole and agrees with itself."""
    try:
        members = parse_canonical(data.removesuffix(b"\n"))
        if members["tombstone"] != FORMAT:
            raise BrokenRecord(key, "it is of a newer format")
        found = Tombstone(**{name: str(members[name]) for name in _TEXTS}, versions=_versions(members["versions"]))
        own_name = f"{found.uuid}.json"
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BrokenRecord(key, f"not a tombstone ({error})") from error
    if found.to_bytes() != data or key.rpartition("/")[2] != own_name:
        raise BrokenRecord(key, "its digest or its name is not its own")
    return found


def _versions(said: Json) -> Mapping[int, Digest]:
    if not isinstance(said, Mapping):
        raise ValueError("no versions")
    return {int(number): Digest.parse(str(record)) for number, record in said.items()}
