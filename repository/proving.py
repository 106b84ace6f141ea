"""Proofs of what is held: gathered from catalogue, ledger and vault, and checked once before anybody gets them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fixity import verify_proof
from fixity.proof import Claim, Logged, Stamped, bundle, worth
from fixity.verify_proof import FAILED, Options
from repository.catalogue import Catalogue, Row
from repository.errors import NothingSigned
from storage import key_entries
from storage.aip import Record, parse_aip
from storage.checkpoint import parse_checkpoint
from storage.digest import Digest
from storage.errors import Damaged
from storage.event import parse_event
from storage.signed_note import Note, VerifierKey
from storage.vault import Vault

_EARLIER = 8  # checkpoints that witnesses have, of which a proof tells


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof of an AIP: the file's name and bytes; how many entries were signed; its versions, and those of them that
    no signed checkpoint covers yet; how many time stamps it has."""

    aip: str
    name: str
    data: bytes
    size: int
    versions: Sequence[int]
    unsigned: Sequence[int]
    stamps: int


def prove(catalogue: Catalogue, vault: Vault, vault_id: str, aip: str, version: int | None = None) -> Proof:
    """Prove an AIP's versions, or one of them; raise NothingSigned, or Damaged where the tree does not hold."""
    text, size, key, changes = signed(catalogue, vault, vault_id)
    rows = [row for row in _rows(catalogue, aip, "commit") if version in (None, json.loads(row["detail"])["version"])]
    commits = {int(json.loads(row["detail"])["version"]): row for row in rows}
    covered = {number: row for number, row in commits.items() if row["entry"] < size}
    if not covered:
        raise NothingSigned(f"the commit of {aip}")
    records = [_record(vault, row) for row in covered.values()]
    stamps = worth(time_stamps(catalogue, vault_id, size), [row["entry"] for row in covered.values()])
    data = bundle(Claim(
        aip, key.text, text, size, list(map(_logged, covered.values())), records,
        [with_blobs(vault, one) for one in stamps], _witnessed(catalogue, vault_id, size), changes,
    ), vault.ledger.nodes())  # fmt: skip
    _check(data)
    name = f"proof-{records[0].accession}.json"
    return Proof(aip, name, data, size, list(covered), sorted(commits.keys() - covered.keys()), len(stamps))


def signed(catalogue: Catalogue, vault: Vault, vault_id: str) -> tuple[str, int, VerifierKey, list[Logged]]:
    """The newest checkpoint with one signature, by a key that the ledger tells of; its size; that key; and the entries
    of keys up to there. Raises NothingSigned."""
    if not (data := vault.ledger.checkpoint()):
        raise NothingSigned("anything")
    try:
        checkpoint, note = parse_checkpoint(data)
    except ValueError as error:
        raise Damaged("The ledger's checkpoint") from error
    rows = [row for kind in ("founding", "key") for row in _rows(catalogue, vault_id, kind)]
    told = key_entries.told((row["entry"], parse_event(row["raw"])) for row in rows)
    known = {one.entry: one.key for one in told if not one.wrong and one.entry < checkpoint.size}
    for entry, key in reversed(known.items()):
        for signature in note.signatures:
            if key.has_signed(alone := Note(note.text, (signature,))):
                changes = [_logged(row) for row in rows if row["type"] == "key" and row["entry"] in known]
                return alone.to_bytes().decode(), checkpoint.size, key, [one for one in changes if one.index <= entry]
    raise NothingSigned("anything, by a key that the ledger tells of")


def time_stamps(catalogue: Catalogue, vault_id: str, size: int) -> list[Stamped]:
    """The time stamps that the first so many entries tell of, in their order, without their blobs."""
    rows = (row for row in _rows(catalogue, vault_id, "time-stamp") if row["entry"] < size)
    return [_stamped(row, json.loads(row["detail"])) for row in rows if row["outcome"] == "success"]


def with_blobs(vault: Vault, stamp: Stamped) -> Stamped:
    """A time stamp with what its entry names; raise NotFound or Damaged."""
    detail = parse_event(stamp.entry.raw).detail

    def read(name: str) -> bytes:
        return vault.read(Digest.parse(str(detail[name]))) if name in detail else b""

    return replace(
        stamp, checkpoint=read("checkpoint").decode(), token=read("token"), certificates=read("certificates").decode(),
        revocation=read("revocation").decode(),
    )  # fmt: skip


def _stamped(row: Row, detail: dict[str, str]) -> Stamped:
    return Stamped(_logged(row), int(detail["size"]), detail["time"], detail["until"], "", b"", "", "")


def _witnessed(catalogue: Catalogue, vault_id: str, size: int) -> list[int]:
    """The sizes of the newest checkpoints that witnesses have."""
    given = {int(json.loads(row["detail"])["size"]) for row in _rows(catalogue, vault_id, "witness")
             if row["outcome"] == "success"}  # fmt: skip
    return sorted(one for one in given if one <= size)[-_EARLIER:]


def _rows(catalogue: Catalogue, about: str, kind: str) -> Iterator[Row]:
    query = "select entry, type, outcome, detail, raw from events where object = ? and type = ? order by entry"
    return catalogue.rows(query, about, kind)


def _logged(row: Row) -> Logged:
    return Logged(row["entry"], bytes(row["raw"]))


def _record(vault: Vault, row: Row) -> Record:
    event = parse_event(row["raw"])
    number = event.detail["version"]
    assert isinstance(number, int)
    return vault.record(parse_aip(event.object), number, Digest.parse(str(event.detail["record"])))


def _check(data: bytes) -> None:
    """Nothing is given out that does not hold: tiles may be damaged."""
    last = list(verify_proof.verify(data, Options()))[-1]
    if last.result == FAILED:
        raise Damaged(f"The ledger's tree ({last.said})")
