"""The table of cases: what runs beside what, on which shapes, and what the comparison means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from benchmarks import ours, peers
from benchmarks.sides import Side, shell

ALL = ("small", "large", "mixed")


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison. `goals` holds, by shape, the ratio of times (ours ÷ peer) that we want or better."""

    name: str
    shapes: tuple[str, ...]
    ours: Side
    peer: Side
    compared: str
    goals: Mapping[str, float] = field(default_factory=dict)

    def space(self, pairs: int = 0) -> int:
        """How many times the shape's bytes lie on disk at once at most, the source not counted, where so many pairs'
        outputs stay until the case ends; 0: each goes before the next run."""
        out = pairs * (self.ours.copies + self.peer.copies) or max(self.ours.copies, self.peer.copies)
        return self.ours.keeps + self.peer.keeps + out


VAULT_COPY = replace(
    peers.COPY_DURABLY,
    label="cp -a of the copy, sync",
    command=lambda at: shell('cp -a "$1" "$2"; sync -f "$2"', at.kept / "repository/vault", at.out),
    once=lambda at: ours.filled(at.kept / "repository", at.source),
    keeps=1,
)
CASES = (
    Case("ingest-cp", ALL, ours.INGEST, peers.COPY_DURABLY,
         "a complete, durable ingest against a plain copy made durable: what preserving costs above copying",
         goals={"large": 1.15}),
    Case("ingest-floor", ALL, ours.INGEST, peers.FLOOR,
         "the same, against two processes that only read, hash, write, rename and sync once", goals={"small": 1.8}),
    Case("ingest-sequence", ("small",), ours.INGEST, peers.SEQUENCE,
         "the same, against three tools one after the other that do part of it: a copy made durable, siegfried on two "
         "cores, a bag made in place by two processes", goals={"small": 1.0}),
    Case("store-floor", ALL, ours.STORE, peers.FLOOR,
         "storing alone (hashed, durable, named by digest; no identification, no metadata) against the same floor",
         goals={"small": 1.4}),
    Case("store-cp", ALL, ours.STORE, peers.COPY_DURABLY,
         "storing alone against a plain copy made durable", goals={"large": 1.1}),
    Case("replicate-cp", ALL, ours.REPLICATE, VAULT_COPY,
         "filling a second, empty copy, each blob hashed on its way and all of it durable, against a plain copy of the "
         "first copy's folder made durable", goals={"small": 1.2, "large": 1.2}),
    Case("ingest-bagit", ALL, ours.INGEST, peers.BAGIT_MAKE,
         "ingest against bagging in place: bagit reads and hashes, but copies nothing and syncs nothing"),
    Case("ingest-restic", ALL, ours.INGEST, peers.RESTIC_BACKUP,
         "ingest against a first backup: restic also compresses and encrypts, and knows no formats"),
    Case("ingest-ocfl", ALL, ours.INGEST, peers.OCFL,
         "ingest against making a new OCFL object (SHA-256) and syncing it"),
    Case("audit-openssl", ALL, ours.AUDIT, peers.OPENSSL,
         "reading and hashing all that is held against OpenSSL hashing the source in two processes, "
         "which compares nothing and records nothing; both from memory", goals={"large": 1.05}),
    Case("audit-again-openssl", ("large",), ours.AUDIT_AGAIN, peers.OPENSSL,
         "the same in a process that is there, as the scheduler's is: only our reading, judging and recording is timed",
         goals={"large": 1.05}),
    Case("audit-cold", ("large",), ours.AUDIT_COLD, peers.OPENSSL_COLD,
         "the same, both from the disk: what memory has of the files is dropped before", goals={"large": 1.05}),
    Case("audit-bagit", ALL, ours.AUDIT, peers.BAGIT_VALIDATE,
         "an audit of the repository against validating a bag of the same files", goals={"small": 0.5}),
    Case("audit-again-bagit", ("small",), ours.AUDIT_AGAIN, peers.BAGIT_VALIDATE,
         "the same in a process that is there, as the scheduler's is; bagit's start of a tenth of a second counts",
         goals={"small": 0.5}),
    Case("audit-restic", ALL, ours.AUDIT, peers.RESTIC_CHECK,
         "an audit of the repository against reading and checking all of a restic repository"),
    Case("export-cp", ALL, ours.EXPORT, peers.COPY,
         "giving the tree back as it came, against a plain copy that is not synced", goals={"small": 1.3}),
    Case("export-bagit", ALL, ours.EXPORT_BAG, peers.BAGIT_MAKE,
         "giving a bag out against bagging a tree in place (bagit copies nothing)"),
    Case("validate-bagit", ALL, ours.VALIDATE, peers.BAGIT_VALIDATE,
         "validating the same bag"),
    Case("identify-fido", ("small", "mixed"), ours.IDENTIFY, peers.FIDO,
         "naming the formats of every file on one core, both by the same PRONOM signatures and both through "
         "their libraries", goals={"small": 0.01},),
    Case("identify-siegfried", ALL, ours.IDENTIFY, peers.SIEGFRIED,
         "naming the formats of every file on one core, both PRONOM, both through their libraries (siegfried's is "
         "pygfried)", goals={"small": 0.1}),
    Case("floor-cp", ALL, peers.FLOOR, peers.COPY_DURABLY,
         "the floor against cp: nothing of ours; it says how the machine is today"),
    Case("noise", ("small", "large"), peers.FLOOR, peers.FLOOR,
         "the floor against itself: a difference within this spread means nothing"),
)  # fmt: skip


def chosen(only: Iterable[str], shape: str) -> list[Case]:
    """Return a shape's cases whose names begin with one of `only` (all without), in the table's order."""
    prefixes = tuple(only) or ("",)
    return [case for case in CASES if case.name.startswith(prefixes) and shape in case.shapes]


def space(cases: Iterable[Case], size: int, pairs: int = 0) -> int:
    """Return the bytes needed at once for a shape of `size` bytes; the cases come one after another. `pairs`: as
    `Case.space`."""
    return size * (1 + max((case.space(pairs) for case in cases), default=0))
