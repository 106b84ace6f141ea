"""Where a thing lies in a copy: arithmetic on keys, without a disk. Keys are relative, "/"-separated, ASCII."""

from __future__ import annotations

import re
from uuid import UUID

from storage.digest import Digest

README = "README.txt"
RESTORE = "restore.py"
VAULT = "tianyi-vault.json"
FIXED = (README, RESTORE, VAULT)
BLOBS = "blobs/"
AIPS = "aips/"
TOMBSTONES = "tombstones/"
LOG = "log/"
CHECKPOINT = "log/checkpoint"

_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{3})/(\1[0-9a-f]{61})")
_TOMBSTONE = re.compile(r"tombstones/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json")
_RECORD = re.compile(r"aips/([0-9a-f]{2})/([0-9a-f]{2})/([0-9a-f-]{32}\1\2)/v([1-9][0-9]*)\.json")


def blob_key(digest: Digest) -> str:
    """`blobs/sha256/abc/abcd…`: 4,096 folders: few to make, and a hundred million blobs are 24,000 in each."""
    return _blob_key(digest.algorithm, digest.hexadecimal)


def blob_key_of(told: str) -> str:
    """The key of the blob whose digest was written down so (`sha256:abcd…`): for lists of many."""
    algorithm, _, name = told.partition(":")
    return _blob_key(algorithm, name)


def _blob_key(algorithm: str, name: str) -> str:
    return f"blobs/{algorithm}/{name[:3]}/{name}"


def blob_digest(key: str) -> Digest | None:
    """The digest that a blob's key names; None for any other key."""
    match = _BLOB.fullmatch(key)
    return Digest("sha256", match[2]) if match else None


def aip_prefix(aip: UUID) -> str:
    """`aips/ef/01/<uuid>/`: by the last four digits, which are random (the first are a UUIDv7's time)."""
    name = str(aip)
    return f"{AIPS}{name[-4:-2]}/{name[-2:]}/{name}/"


def record_key(aip: UUID, version: int) -> str:
    return f"{aip_prefix(aip)}v{version}.json"


def record_name(key: str) -> tuple[UUID, int] | None:
    """The AIP and version that a record's key names; None for any other key."""
    match = _RECORD.fullmatch(key)
    return (UUID(match[3]), int(match[4])) if match else None


def tombstone_key(aip: UUID) -> str:
    """`tombstones/<uuid>.json`."""
    return f"{TOMBSTONES}{aip}.json"


def tombstone_name(key: str) -> UUID | None:
    """The AIP that a tombstone's key names; None for any other key."""
    match = _TOMBSTONE.fullmatch(key)
    return UUID(match[1]) if match else None
