"""A proof for outsiders, pure: entries of the ledger, and how they lie in the tree whose root was signed.

`verify_proof.py` checks it without Tianyi; docs/vault-format.md, "Proofs", tells its form.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage import merkle
from storage.aip import Record
from storage.canonical import Json, canonical, parse_canonical
from storage.merkle import Nodes

FORMAT = "1"


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry of the ledger: its number and its bytes."""

    index: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Stamped:
    """A time stamp of an earlier checkpoint over `size` entries: the number of its entry, and what that names.

    `token` is DER (RFC 3161); `certificates` and `revocation` are PEM, the latter "" where none is kept. `time` is when
    it was made and `until` when its certificate ends, both UTC with a Z.
    """

    entry: Logged
    size: int
    time: str
    until: str
    checkpoint: str
    token: bytes
    certificates: str
    revocation: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be proved: that an AIP's records were logged, before each of the time stamps.

    `checkpoint` is one over `size` entries with one signature, `key` the verifier key of that; `keys` are the entries
    of keys before it; `earlier` are sizes of checkpoints that others may hold.
    """

    aip: str
    key: str
    checkpoint: str
    size: int
    commits: Sequence[Logged]
    records: Sequence[Record]
    stamps: Sequence[Stamped] = ()
    earlier: Sequence[int] = ()
    keys: Sequence[Logged] = ()


def bundle(claim: Claim, nodes: Nodes) -> bytes:
    """The proof: canonical JSON and a line feed. `nodes` are those of the tree that the checkpoint is of."""
    sizes = {*claim.earlier, *(stamp.size for stamp in claim.stamps)}
    logged = [*claim.commits, *claim.keys, *(stamp.entry for stamp in claim.stamps)]
    entries = sorted(logged, key=lambda one: one.index)
    proof: dict[str, Json] = {
        "proof": FORMAT, "aip": claim.aip, "key": claim.key, "checkpoint": claim.checkpoint,
        "entries": [_entry(one, claim.size, nodes) for one in entries],
        "records": [parse_canonical(record.to_bytes().rstrip()) for record in claim.records],
        "earlier": [_earlier(size, claim.size, nodes) for size in sorted(sizes) if 0 < size <= claim.size],
        "time_stamps": [_stamp(one) for one in sorted(claim.stamps, key=lambda one: one.entry.index)],
    }  # fmt: skip
    return canonical(proof) + b"\n"


def worth(stamps: Iterable[Stamped], indices: Sequence[int]) -> list[Stamped]:
    """The time stamps that a proof of some entries needs, of those given in the order of their making.

    The first that covers each entry; and from there on those that renew: each was made while the certificate of the
    one before it was valid, and covers that one.
    """
    known = list(stamps)
    firsts = (next((one for one in known if one.size > index), None) for index in indices)
    wanted = {first.entry.index: first for first in firsts if first}
    chosen = max(wanted.values(), key=lambda one: one.entry.index, default=None)
    while chosen and (later := _renewal(chosen, known)):
        wanted[later.entry.index] = chosen = later
    return [wanted[index] for index in sorted(wanted)]


def _renewal(stamp: Stamped, known: Sequence[Stamped]) -> Stamped | None:
    """The last that covers a time stamp, made while its certificate was valid; else the next one, though late."""
    later = [one for one in known if one.size > stamp.entry.index]
    return next((one for one in reversed(later) if one.time < stamp.until), later[0] if later else None)


def _entry(logged: Logged, size: int, nodes: Nodes) -> Json:
    path = merkle.inclusion(logged.index, size, nodes)
    return {"index": logged.index, "entry": parse_canonical(logged.raw), "inclusion": list(map(_text, path))}


def _earlier(size: int, last: int, nodes: Nodes) -> Json:
    path = merkle.consistency(size, last, nodes)
    return {"size": size, "root": _text(merkle.root(size, nodes)), "consistency": list(map(_text, path))}


def _stamp(stamp: Stamped) -> Json:
    return {
        "entry": stamp.entry.index, "checkpoint": stamp.checkpoint, "token": _text(stamp.token),
        "certificates": stamp.certificates, "revocation": stamp.revocation,
    }  # fmt: skip


def _text(data: bytes) -> str:
    return b64encode(data).decode()
