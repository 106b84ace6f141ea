"""One version's bag → rows of the catalogue. Streamed through temporary tables: a million files need no more memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from sqlite3 import Connection

from ingest import describe
from ingest.errors import NotMetadata
from repository import project_correction, project_judged
from repository.rows import put, put_new, update
from storage import bag
from storage.aip import Record
from storage.digest import Digest, sha256
from storage.errors import StorageError
from storage.event import Event
from storage.premis import File, FormatName, Happening
from storage.premis_read import read
from storage.vault import Vault

_TEMPORARY = """
create temp table if not exists bagged (path text primary key, digest text) without rowid;
create temp table if not exists described (path text primary key, size integer, original_name text, puids text,
    mime text, basis text, derived_from text) without rowid;
"""
_CLOSE = """
update files set until = ?2 where aip = ?1 and until is null
and not exists (select 1 from bagged b where b.path = files.path and b.digest = files.digest)
"""
_ADD = """
insert into files (aip, path, digest, since, until, size, original_name, puids, mime, basis, derived_from, content)
select ?1, b.path, b.digest, ?2, null, coalesce(d.size, stored_size(b.digest)), coalesce(original_name, ''),
       coalesce(puids, '[]'), coalesce(mime, ''), coalesce(basis, ''), coalesce(derived_from, ''),
       d.path is not null or substr(b.path, 1, 21) = 'data/representations/'
from bagged b left join described d on d.path = b.path
where not exists (select 1 from files f where f.aip = ?1 and f.path = b.path and f.digest = b.digest
                  and f.until is null)
order by b.path
"""


def project_version(db: Connection, vault: Vault, record: Record, entry: int) -> None:
    """Take one version into the catalogue, from its bag alone.

    Of a bag that is damaged in every copy, what is left is taken in: one lost blob must not hide the other holdings,
    and an audit tells of it. Where later versions are known, since the entry of this one came after theirs, they are
    taken in again on top of it.
    """
    later = _take_back(db, record)
    _take_in(db, vault, record, entry)
    for version, digest, known in later:
        with suppress(StorageError):
            _take_in(db, vault, vault.record(record.uuid, version, Digest.parse(digest)), known)


def _take_back(db: Connection, record: Record) -> list[tuple[int, str, int]]:
    """Make the files of an AIP what they were before a version; return the later ones: version, record and entry."""
    query = "select version, record, entry from versions where aip = ? and version >= ? order by version"
    known = db.execute(query, (record.aip, record.version)).fetchall()
    if known:
        for table, column in (("files", "since"), ("judged", "version")):
            db.execute(f"delete from {table} where aip = ? and {column} >= ?", (record.aip, record.version))
        back = "update files set until = null where aip = ? and until >= ?"
        db.execute(back, (record.aip, record.version - 1))
    return [row for row in known if row[0] > record.version]


def _take_in(db: Connection, vault: Vault, record: Record, entry: int) -> None:
    for statement in filter(str.strip, _TEMPORARY.split(";")):
        db.execute(statement)
    db.execute("delete from bagged")
    db.execute("delete from described")
    db.executemany("insert into bagged values (?, ?)", _bagged(vault, record))
    _read_premis(db, vault, record)
    db.create_function("stored_size", 1, lambda digest: size_of(vault, Digest.parse(digest)))
    db.execute(_CLOSE, (record.aip, record.version - 1))
    db.execute(_ADD, (record.aip, record.version))
    project_correction.apply(db, record.aip)
    _put_version(db, record, entry)
    _put_aip(db, vault, record, _info(db, vault))


def size_of(vault: Vault, digest: Digest) -> int:
    """A blob's bytes; 0 where no copy has it."""
    try:
        return vault.size(digest)
    except StorageError:
        return 0


def _bagged(vault: Vault, record: Record) -> Iterator[tuple[str, str]]:
    """Path and digest of every file of the bag, so far as its manifests can be read."""
    try:
        tags = vault.tag_files(record)
    except StorageError:
        yield bag.TAGMANIFEST, str(record.tagmanifest)
        return
    yield from ((line.path, str(line.digest)) for line in tags)
    with suppress(StorageError):
        yield from ((line.path, str(line.digest)) for line in vault.payload(record))


def _info(db: Connection, vault: Vault) -> dict[str, str]:
    for digest in _parts(db, bag.INFO):
        with suppress(StorageError):
            return dict(bag.parse_info(vault.read(digest).decode()))
    return {}


def _read_premis(db: Connection, vault: Vault, record: Record) -> None:
    """What the version added to the AIP's PREMIS: files into `described`, events into `happenings`."""
    for digest in _parts(db, f"{bag.PRESERVATION}premis-v{record.version}-"):
        with suppress(StorageError), vault.open(digest) as stream:
            db.executemany(
                "insert or replace into described values (?, ?, ?, ?, ?, ?, ?)", _rows(db, record, read(stream))
            )


def _rows(db: Connection, record: Record, found: Iterable[File | Happening]) -> Iterator[tuple[str | int, ...]]:
    """Rows for the files; the events among them are put where they belong on the way."""
    for one in found:
        if isinstance(one, File):
            yield _row(one)
        elif project_judged.is_judgement(one):
            project_judged.put(db, record, one)
        else:
            _put_happening(db, record, one)


def _row(file: File) -> tuple[str | int, ...]:
    puids = _puids(tuple(file.formats))
    return (file.path, file.size, file.original_name, puids, file.mime, file.basis, file.derived_from)


@lru_cache(1024)  # a collection has some dozens
def _puids(formats: tuple[FormatName, ...]) -> str:
    return json.dumps([known.puid for known in formats])


def _put_happening(db: Connection, record: Record, found: Happening) -> None:
    db.execute(
        "insert or replace into happenings (id, aip, version, time, type, agents, outcome, detail, note,"
        " objects) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (found.id, record.aip, record.version, found.time, found.type, json.dumps(found.agents), found.outcome,
         found.detail, found.note, json.dumps(found.objects)),
    )  # fmt: skip


def _put_version(db: Connection, record: Record, entry: int) -> None:
    data = record.to_bytes()
    query = "select coalesce(sum(size), 0) from files where aip = ? and since = ?"
    added = db.execute(query, (record.aip, record.version)).fetchone()[0] + len(data)
    put(
        db, "versions", {
            "aip": record.aip, "version": record.version, "created": record.created, "reason": record.reason,
            "agent": record.agent, "files": record.files, "bytes": record.size, "added": added,
            "record": str(record.digest),
            "file_digest": str(sha256(data)), "file_size": len(data), "entry": entry,
        },
    )  # fmt: skip


def put_lost(db: Connection, event: Event, version: int, entry: int) -> None:
    """Take in a version whose record no copy has whole: that it was committed, so that an audit misses it."""
    told = {name: str(event.detail.get(name, "")) for name in ("accession", "reason", "record")}
    put(
        db, "versions", {
            "aip": event.object, "version": version, "created": event.time, "reason": told["reason"],
            "agent": event.agent, "files": 0, "bytes": 0, "added": 0, "record": told["record"],
            "file_digest": told["record"], "file_size": 0, "entry": entry,
        },
    )  # fmt: skip
    lost = {"aip": event.object, "title": "", "accession": told["accession"], "producer": "", "created": event.time}
    put_new(db, "aips", {**lost, "description": "", "versions": version, "files": None, "bytes": None})
    query = "update aips set versions = ?2, files = null, bytes = null where aip = ?1 and versions < ?2"
    db.execute(query, (event.object, version))  # what was known is of the version before


def _put_aip(db: Connection, vault: Vault, record: Record, info: dict[str, str]) -> None:
    count, size = _content(db, record)
    first = db.execute("select created from versions where aip = ? order by version", (record.aip,)).fetchone()
    update(
        db, "aips", "aip", {
            "aip": record.aip, "title": info.get("External-Description", ""), "accession": record.accession,
            "producer": info.get("Source-Organization", ""), "created": first[0],
            "description": " ".join(_description(db, vault)), "versions": record.version, "files": count, "bytes": size,
        },
    )  # fmt: skip


def _content(db: Connection, record: Record) -> tuple[int | None, int | None]:
    """Files and bytes of an AIP's content; None where its manifest cannot be read. Every version has a payload."""
    if not db.execute("select 1 from bagged where path >= 'data/' and path < 'data0'").fetchone():
        return None, None
    query = "select count(*), coalesce(sum(size), 0) from files where aip = ? and content and until is null"
    count, size = db.execute(query, (record.aip,)).fetchone()
    return count, size


def _description(db: Connection, vault: Vault) -> Iterator[str]:
    """The values of the bag's Dublin Core, for the search."""
    for digest in _parts(db, bag.DUBLIN_CORE):
        try:
            core = describe.parse(vault.read(digest), _path_of(db, digest))
        except (NotMetadata, StorageError):
            continue  # it was checked at ingest; a reader that has become stricter must not stop a rebuild
        for values in core.values():
            yield from values


def _parts(db: Connection, prefix: str) -> list[Digest]:
    """The bag's files whose paths begin so, by path."""
    query = "select digest from bagged where substr(path, 1, ?) = ? order by path"
    return [Digest.parse(row[0]) for row in db.execute(query, (len(prefix), prefix)).fetchall()]


def _path_of(db: Connection, digest: Digest) -> str:
    row = db.execute("select path from bagged where digest = ? order by path", (str(digest),)).fetchone()
    return str(row[0])
