"""A DIP as a BagIt 1.0 bag: the AIP's own bag, or the same with names that the `bagit` library can check."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from repository.dip import Out
from repository.dip_contents import Content
from storage import bag, manifest
from storage.aip import Record
from storage.digest import Digest
from storage.manifest import Line
from storage.names import portable_path

MAP = "portable-names.jsonl"


def write(out: Out, record: Record, *, portable: bool) -> None:
    """Write the bag; `portable` renames what some tools cannot check and adds the map of what was renamed."""
    if portable and any(portable_path(line.path) != line.path for line in out.vault.payload(record)):
        _write_portable(out, record)
        return
    contents = (Content(line.digest, line.path.encode()) for line in out.vault.bag(record))
    out.blobs(contents, record.files, record.size)


def _write_portable(out: Out, record: Record) -> None:
    """The payload under its portable names; manifest and tag manifest made anew, the other tag files as they were."""
    with closing(sqlite3.connect("", isolation_level=None)) as db:  # sorts on disk, in a temporary file
        db.execute("create table lines (here text primary key, path text, digest text) without rowid")
        db.execute("begin")
        lines = ((portable_path(line.path), line.path, str(line.digest)) for line in out.vault.payload(record))
        db.executemany("insert into lines values (?, ?, ?)", lines)
        out.blobs(_contents(db), record.files, record.size)
        listed = [(bag.MANIFEST, out.stream(_manifest(db), bag.MANIFEST)), (MAP, out.stream(_map(db), MAP))]
    for line in out.vault.tag_files(record):
        if line.path in (bag.BAGIT, bag.INFO):
            out.blob(line.digest, line.path.encode())
            listed.append((line.path, line.digest))
    out.stream([bag.tag_manifest(listed)], bag.TAGMANIFEST)


def _contents(db: sqlite3.Connection) -> Iterator[Content]:
    for here, digest in db.execute("select here, digest from lines order by here"):
        yield Content(Digest.parse(digest), here.encode())


def _manifest(db: sqlite3.Connection) -> Iterator[bytes]:
    for here, digest in db.execute("select here, digest from lines order by here"):
        yield manifest.format_line(Line(here, Digest.parse(digest)))


def _map(db: sqlite3.Connection) -> Iterator[bytes]:
    """Which name here stands for which path of the AIP's bag."""
    for here, path in db.execute("select here, path from lines where here != path order by here"):
        yield json.dumps({"here": here, "aip": path}, ensure_ascii=False).encode() + b"\n"
