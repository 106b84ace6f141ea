"""Entries about requests, holds and deletions → rows of the catalogue."""

from __future__ import annotations

import json
from contextlib import suppress
from sqlite3 import Connection

from repository.disposal import APPROVED, DELETED, REQUESTED, WITHDRAWN
from repository.rows import put, put_new
from storage import layout
from storage.aip import parse_aip
from storage.digest import sha256
from storage.errors import StorageError
from storage.event import Event
from storage.tombstone import Tombstone
from storage.vault import Vault

_FORGET_DAMAGE = """
delete from damage where outcome != 'extra' and (key like ?1 or key like 'blobs/%'
and not exists (select 1 from files where digest = 'sha256:' || substr(key, -64))
and not exists (select 1 from evidence where digest = 'sha256:' || substr(key, -64)))
"""


def requested(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    row = {
        "state": REQUESTED,
        "due": "",
        "reason": _said(event, "why"),
        "approved": "",
        "approved_by": "",
        "policy": "",
    }
    row |= {"requested": event.time, "requested_by": event.agent, "requested_user": _said(event, "user")}
    names = {"request": _said(event, "request"), "aip": event.object, "accession": _said(event, "accession")}
    put(db, "requests", {**names, **row, "entry": entry})


def approved(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    db.execute(
        "update requests set state = ?, due = ?, approved = ?, approved_by = ?, policy = ? where request = ?",
        (APPROVED, _said(event, "due"), event.time, event.agent, _said(event, "policy"), _said(event, "request")),
    )


def withdrawn(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    db.execute("update requests set state = ? where request = ?", (WITHDRAWN, _said(event, "request")))


def held(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    row = {"hold": _said(event, "hold"), "aip": event.object, "accession": _said(event, "accession")}
    row |= {"reason": _said(event, "why"), "since": event.time, "agent": event.agent, "released": ""}
    put(db, "holds", {**row, "entry": entry})


def released(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    db.execute("update holds set released = ? where hold = ?", (event.time, _said(event, "hold")))


def deleted(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    """The AIP is gone from everything but its accession, its events of the ledger, and the list of what was deleted."""
    file: dict[str, str | int] = {"file_digest": _said(event, "tombstone"), "file_size": 0}
    with suppress(StorageError, ValueError):  # lost or damaged everywhere: an audit misses it by what the entry says
        if tombstone := vault.tombstone(parse_aip(event.object)):
            file = _file(tombstone)
    row = {"request": _said(event, "request"), "accession": _said(event, "accession"), "time": event.time}
    _put_deleted(db, event.object, {**row, "reason": _said(event, "why"), **file, "entry": entry})


def put_tombstone(db: Connection, tombstone: Tombstone, entry: int) -> None:
    """A deletion that no entry tells of: the ledger may have been lost."""
    row = {"request": tombstone.request, "accession": tombstone.accession, "time": tombstone.deleted}
    _put_deleted(db, tombstone.aip, {**row, "reason": tombstone.reason, **_file(tombstone), "entry": entry})


def _put_deleted(db: Connection, aip: str, row: dict[str, str | int]) -> None:
    put(db, "deleted", {"aip": aip, **row})
    for table in ("files", "happenings", "corrections", "versions", "aips"):
        db.execute(f"delete from {table} where aip = ?", (aip,))
    db.execute(_FORGET_DAMAGE, (f"{layout.aip_prefix(parse_aip(aip))}%",))  # what nobody needs cannot be damaged
    db.execute("update requests set state = ? where request = ?", (DELETED, row["request"]))
    because = json.dumps([row["reason"]], ensure_ascii=False)
    accession = {"accession": row["accession"], "received": "", "outcome": DELETED, "aip": aip, "because": because}
    put_new(db, "accessions", {**accession, "entry": row["entry"]})
    db.execute(
        "update accessions set outcome = ?1, aip = ?2, because = ?3 where accession = ?4"
        " or (aip = ?2 and outcome = 'accepted')",  # what was added to it later
        (DELETED, aip, because, row["accession"]),
    )


def _file(tombstone: Tombstone) -> dict[str, str | int]:
    data = tombstone.to_bytes()
    return {"file_digest": str(sha256(data)), "file_size": len(data)}


def _said(event: Event, name: str) -> str:
    return str(event.detail.get(name, ""))
