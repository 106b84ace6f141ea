"""One ledger entry → what the catalogue says: the only code that writes into it, in ingest and in rebuild alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlite_utils import Database

from ingest import describe
from ingest.errors import NotMetadata
from storage import bag
from storage.aip import Record, parse_aip
from storage.digest import Digest, sha256
from storage.errors import StorageError
from storage.event import Event
from storage.manifest import Line
from storage.premis import File
from storage.premis_read import read
from storage.vault import Vault

Row = dict[str, Any]


def project(db: Database, vault: Vault, entry: int, raw: bytes, event: Event) -> None:
    """Take one entry into the catalogue; raise StorageError where the vault lacks what it names."""
    detail = json.dumps(event.detail, ensure_ascii=False)
    told = {"entry": entry, "time": event.time, "type": event.type, "agent": event.agent, "object": event.object}
    db.table("events").insert({**told, "outcome": event.outcome, "detail": detail, "raw": raw}, replace=True)
    if known := _PROJECTIONS.get(event.type):
        known(db, vault, entry, event)


def _founding(db: Database, vault: Vault, entry: int, event: Event) -> None:
    for key, digest in _mapping(event, "files").items():
        size = vault.first_size(key)
        db.table("fixed").insert({"key": key, "digest": str(digest), "size": size}, replace=True)


def _accession(db: Database, vault: Vault, entry: int, event: Event) -> None:
    row = {"accession": event.object, "received": event.time, "outcome": "received", "aip": "", "because": ""}
    db.table("accessions").insert({**row, "entry": entry}, replace=True)


def _refusal(db: Database, vault: Vault, entry: int, event: Event) -> None:
    _settle_accession(db, event.object, event.outcome, "", event)


def _settle_accession(db: Database, accession: str, outcome: str, aip: str, event: Event) -> None:
    because = json.dumps(event.detail.get("because", []), ensure_ascii=False)
    db.execute(
        "update accessions set outcome = ?, aip = ?, because = ? where accession = ?",
        (outcome, aip, because, accession),
    )


def _commit(db: Database, vault: Vault, entry: int, event: Event) -> None:
    version = event.detail["version"]
    assert isinstance(version, int)
    record = vault.record(parse_aip(event.object), version)
    project_version(db, vault, record, entry)
    if record.reason == "ingestion":
        _settle_accession(db, record.accession, "accepted", record.aip, event)


def project_version(db: Database, vault: Vault, record: Record, entry: int) -> None:
    """Take one version into the catalogue, from its bag alone."""
    tags = dict(vault.tag_files(record))
    described = _Described(vault, record)
    for line in vault.payload(record):
        described.line(line)
    _put_files(db, vault, record, tags, described)
    if described.happenings:
        db.table("happenings").insert_all(described.happenings, replace=True)
    data = record.to_bytes()
    db.table("versions").insert(
        {
            "aip": record.aip, "version": record.version, "created": record.created, "reason": record.reason,
            "agent": record.agent, "files": record.files, "bytes": record.size, "record": str(record.digest),
            "file_digest": str(sha256(data)), "file_size": len(data), "entry": entry,
        },
        replace=True,
    )  # fmt: skip
    _put_aip(db, vault, record, tags, described)


class _Described:
    """What a version's own payload says of it: PREMIS that the version added, and descriptive metadata."""

    def __init__(self, vault: Vault, record: Record) -> None:
        self._vault, self._record = vault, record
        self._premis = f"{bag.PRESERVATION}premis-v{record.version}-"
        self.lines: list[tuple[str, str]] = []
        self.files: dict[str, File] = {}
        self.happenings: list[Row] = []
        self.core: dict[str, list[str]] = {}

    def line(self, line: Line) -> None:
        self.lines.append((line.path, str(line.digest)))
        if line.path.startswith(self._premis):
            self._read_premis(line.digest)
        elif line.path.startswith(f"{bag.DESCRIPTIVE}dc."):
            self._read_core(line)

    def _read_premis(self, digest: Digest) -> None:
        with self._vault.open(digest) as stream:
            for found in read(stream):
                if isinstance(found, File):
                    self.files[found.path] = found
                else:
                    told = {"id": found.id, "aip": self._record.aip, "version": self._record.version}
                    told |= {"time": found.time, "type": found.type, "agents": json.dumps(found.agents)}
                    self.happenings.append(
                        {**told, "outcome": found.outcome, "detail": found.detail, "note": found.note}
                    )

    def _read_core(self, line: Line) -> None:
        try:
            core = describe.parse(self._vault.read(line.digest), line.path)
        except NotMetadata:
            return  # checked at ingest; an older reader's leniency must not stop a rebuild
        self.core = {element: list(values) for element, values in core.items()}


def _put_files(db: Database, vault: Vault, record: Record, tags: Mapping[str, Digest], described: _Described) -> None:
    """The version's bag beside the one before: what is new gets a row, what is gone is closed."""
    lines = [*described.lines, *((path, str(digest)) for path, digest in tags.items())]
    before = {
        (path, digest)
        for path, digest in db.execute(
            "select path, digest from files where aip = ? and until is null", (record.aip,)
        ).fetchall()
    }
    gone = before.difference(lines)
    db.conn.executemany(
        "update files set until = ? where aip = ? and path = ? and digest = ? and until is null",
        [(record.version - 1, record.aip, path, digest) for path, digest in gone],
    )
    new = (line for line in lines if line not in before)
    db.table("files").insert_all(_file_rows(vault, record, new, described), batch_size=1_000)


def _file_rows(vault: Vault, record: Record, lines: Iterator[tuple[str, str]], described: _Described) -> Iterator[Row]:
    for path, digest in lines:
        file = described.files.get(path)
        yield {
            "aip": record.aip, "path": path, "digest": digest, "since": record.version, "until": None,
            "size": file.size if file else vault.size(Digest.parse(digest)),
            "original_name": file.original_name if file else "",
            "puids": json.dumps([known.puid for known in file.formats] if file else []),
            "mime": file.mime if file else "", "basis": file.basis if file else "",
            "derived_from": file.derived_from if file else "", "content": int(bool(file)),
        }  # fmt: skip


def _put_aip(db: Database, vault: Vault, record: Record, tags: Mapping[str, Digest], described: _Described) -> None:
    info = dict(bag.parse_info(vault.read(tags[bag.INFO]).decode()))
    count, size = db.execute(
        "select count(*), coalesce(sum(size), 0) from files where aip = ? and content and until is null", (record.aip,)
    ).fetchone()
    first = db.execute("select created from versions where aip = ? order by version", (record.aip,)).fetchone()
    core = " ".join(value for values in described.core.values() for value in values)
    db.table("aips").upsert(
        {
            "aip": record.aip, "title": info.get("External-Description", ""), "accession": record.accession,
            "producer": info.get("Source-Organization", ""), "created": first[0], "description": core,
            "versions": record.version, "files": count, "bytes": size,
        },
        pk="aip",
    )  # fmt: skip


def _audit(db: Database, vault: Vault, entry: int, event: Event) -> None:
    """What an audit found in a copy replaces what was known of it, where the audit read it."""
    db.table("audits").insert({"copy": event.object, "time": event.time, "entry": entry}, replace=True)
    db.execute("delete from damage where copy = ?", (event.object,))
    if report := event.detail.get("findings"):
        digest = Digest.parse(str(report))
        _evidence(db, vault, digest, entry)
        for line in _lines(vault, digest):
            found = json.loads(line)
            row = {name: found.get(name) or "" for name in ("copy", "key", "outcome", "expected", "found")}
            db.table("damage").insert({**row, "time": event.time, "entry": entry}, replace=True)


def _lines(vault: Vault, digest: Digest) -> list[bytes]:
    try:
        return vault.read(digest).splitlines()
    except StorageError:
        return []  # the list is lost with its blob; the counts stay in the entry


def _repair(db: Database, vault: Vault, entry: int, event: Event) -> None:
    keys = event.detail.get("repaired", [])
    assert isinstance(keys, list)
    db.conn.executemany("delete from damage where copy = ? and key = ?", [(event.object, str(key)) for key in keys])


def _evidence(db: Database, vault: Vault, digest: Digest, entry: int) -> None:
    db.table("evidence").insert({"digest": str(digest), "size": vault.size(digest), "entry": entry}, ignore=True)


def _mapping(event: Event, name: str) -> Mapping[str, Any]:
    value = event.detail.get(name)
    return value if isinstance(value, Mapping) else {}


_PROJECTIONS: dict[str, Callable[[Database, Vault, int, Event], None]] = {
    "founding": _founding,
    "accession": _accession,
    "refusal": _refusal,
    "commit": _commit,
    "audit": _audit,
    "repair": _repair,
}
