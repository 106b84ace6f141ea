"""One ledger entry → what the catalogue says: the only code that writes into it, in ingest and in rebuild alike."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from sqlite3 import Connection
from typing import Any

from ingest.terms import REASONS
from repository import project_audit, project_correction, project_deletion, project_repair, project_scan
from repository.accession import DECIDED, RECEIVED
from repository.rows import put, put_new
from storage import layout
from storage.aip import Record, parse_aip
from storage.digest import Digest
from storage.errors import StorageError
from storage.event import Event
from storage.references import evidence
from storage.vault import Vault


def project(db: Connection, vault: Vault, entry: int, raw: bytes, event: Event) -> None:
    """Take one entry into the catalogue; raise StorageError where the vault lacks what it names."""
    detail = json.dumps(event.detail, ensure_ascii=False)
    told = {"entry": entry, "time": event.time, "type": event.type, "agent": event.agent, "object": event.object}
    put(db, "events", {**told, "outcome": event.outcome, "detail": detail, "raw": raw})
    for digest in evidence(event):
        _evidence(db, vault, digest, entry)
    if known := _PROJECTIONS.get(event.type):
        known(db, vault, entry, event)


def _founding(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    for key, digest in _mapping(event, "files").items():
        size = _size(vault, key, Digest.parse(str(digest)))
        put(db, "fixed", {"key": key, "digest": str(digest), "size": size})


def _size(vault: Vault, key: str, digest: Digest) -> int:
    try:
        return vault.size(digest, key)
    except StorageError:
        return 0  # lost in every copy: an audit tells of it


def _accession(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    terms = {name: str(said) for name, said in event.detail.items()}
    row = {"accession": event.object, "received": event.time, "outcome": RECEIVED, "aip": "", "because": ""}
    row |= {"terms": json.dumps(terms, ensure_ascii=False)}
    put(db, "accessions", {**row, "entry": entry})


def put_accession(db: Connection, record: Record, entry: int) -> None:
    """The accession of a record that no entry of its own tells of, unless something else became of that number."""
    row = {"accession": record.accession, "received": record.created, "outcome": "accepted", "aip": record.aip}
    put_new(db, "accessions", {**row, "because": "[]", "entry": entry})
    query = "update accessions set outcome = 'accepted', aip = ? where accession = ? and outcome = ?"
    db.execute(query, (record.aip, record.accession, RECEIVED))


def _refusal(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    _settle_accession(db, event.object, event.outcome, "", event)
    content = str(event.detail.get("list", ""))
    db.execute("update accessions set content = ? where accession = ?", (content, event.object))


def _decided(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    """What an officer decided of what was held, or never came to an end."""
    because = json.dumps([str(event.detail.get("why", ""))], ensure_ascii=False)
    row = (DECIDED[event.type], because, event.object)
    db.execute("update accessions set outcome = ?, because = ? where accession = ?", row)


def _settle_accession(db: Connection, accession: str, outcome: str, aip: str, event: Event) -> None:
    because = json.dumps(event.detail.get("because", []), ensure_ascii=False)
    db.execute(
        "update accessions set outcome = ?, aip = ?, because = ? where accession = ?",
        (outcome, aip, because, accession),
    )


def _commit(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    from repository.project_version import project_version, put_lost

    version = event.detail["version"]
    assert isinstance(version, int)
    try:
        record = vault.record(parse_aip(event.object), version, Digest.parse(str(event.detail["record"])))
        with _as_a_whole(db):
            project_version(db, vault, record, entry)
            project_scan.ingested(db, record, entry, event)
    except (StorageError, ValueError, KeyError, sqlite3.IntegrityError):  # lost, forged, or a bag that is none
        put_lost(db, event, version, entry)
        return
    if "why" in event.detail:  # its own entry was lost, and with it what was decided of the accession
        put_accession(db, record, entry)
    elif record.reason in _DELIVERED:
        _settle_accession(db, str(event.detail.get("accession", "")), "accepted", record.aip, event)


@contextmanager
def _as_a_whole(db: Connection) -> Iterator[None]:
    """Within a transaction: what an error leaves half-done is undone, and the rest stays."""
    db.execute("savepoint whole")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # SQLite itself ends one that the disk has no room for
            db.execute("rollback to whole")
            db.execute("release whole")
        raise
    db.execute("release whole")


def _configuration(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    """A copy that is declared begins with nothing known of it, though an earlier one had its name."""
    if event.outcome == "added":
        for table in ("audits", "damage", "beyond", "readings"):
            db.execute(f"delete from {table} where copy = ?", (event.object,))


def _replication(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    """What an audit had missed of a package copy that was then brought up to the others is there: its objects are
    written as a whole. Of a vault's copy it is read first (the scope `restored` of an audit)."""
    if event.outcome == "success":
        folders = (layout.BLOBS, layout.AIPS, layout.LOG, layout.TOMBSTONES)
        vaults = " or ".join(f"key like '{folder}%'" for folder in folders)
        query = f"delete from damage where copy = ? and outcome = 'missing' and not ({vaults})"
        db.execute(f"{query} and key not in (select key from fixed)", (event.object,))


def _evidence(db: Connection, vault: Vault, digest: Digest, entry: int) -> None:
    from repository.project_version import size_of

    put_new(db, "evidence", {"digest": str(digest), "size": size_of(vault, digest), "entry": entry})


def _mapping(event: Event, name: str) -> Mapping[str, Any]:
    value = event.detail.get(name)
    return value if isinstance(value, Mapping) else {}


_DELIVERED = ("ingestion", *REASONS.values())  # why versions are made that deliveries come with
_PROJECTIONS: dict[str, Callable[[Connection, Vault, int, Event], None]] = {
    "founding": _founding,
    "accession": _accession,
    "refusal": _refusal,
    "acceptance": _decided,
    "return": _decided,
    "cancellation": _decided,
    "commit": _commit,
    "audit": project_audit.audited,
    "repair": project_repair.repaired,
    "configuration": _configuration,
    "replication": _replication,
    "scan": project_scan.scanned,
    "identification": project_correction.corrected,
    "deletion-request": project_deletion.requested,
    "deletion-approval": project_deletion.approved,
    "deletion-withdrawal": project_deletion.withdrawn,
    "hold": project_deletion.held,
    "release": project_deletion.released,
    "deletion": project_deletion.deleted,
}
