"""A DIP as a BagIt 1.0 bag: the AIP's own bag, or the same with names that the `bagit` library can check."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

from repository import dip_proof
from repository.dip import Out
from repository.dip_contents import Content
from storage import bag, manifest
from storage.aip import Record
from storage.digest import Digest
from storage.manifest import Line
from storage.names import portable_path

if TYPE_CHECKING:
    from repository.proving import Proof

MAP = "portable-names.jsonl"


def write(out: Out, record: Record, *, portable: bool, proof: Proof | None = None) -> None:
    """Write the bag; `portable` renames what some tools cannot check, adds the map of what was renamed, and the proof;
    else it is the AIP's own, byte for byte."""
    if not portable:
        contents = (Content(line.digest, line.path.encode()) for line in out.vault.bag(record))
        out.blobs(contents, record.files, record.size)
        return
    renamed = any(portable_path(line.path) != line.path for line in out.vault.payload(record))
    listed = (_write_renamed if renamed else _write_as_it_is)(out, record)
    if proof:
        listed += dip_proof.write(out, proof, dip_proof.IN_BAG)
    out.stream([bag.tag_manifest(listed)], bag.TAGMANIFEST)


def _write_as_it_is(out: Out, record: Record) -> list[tuple[str, Digest]]:
    """Payload and tag files; return what the tag manifest has to list."""
    tags = [line for line in out.vault.tag_files(record) if line.path != bag.TAGMANIFEST]
    contents = (Content(line.digest, line.path.encode()) for line in chain(tags, out.vault.payload(record)))
    out.blobs(contents, record.files, record.size)
    return [(line.path, line.digest) for line in tags]


def _write_renamed(out: Out, record: Record) -> list[tuple[str, Digest]]:
    """The payload under its portable names, the manifest made anew, the other tag files as they were; return what the
    tag manifest has to list."""
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
    return listed


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
