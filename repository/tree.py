"""The tree of a version as it came, put together on disk from its maps of names: no memory for a million files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO

from repository.tree_settled import settle
from storage import bag
from storage.aip import Record
from storage.digest import Digest
from storage.namemap import Kind, Named, parse_lines
from storage.receive import lines
from storage.vault import Vault

_SCHEMA = """
create table bagged (path text primary key, digest text) without rowid;
create table named (name blob, path text, kind text, mode integer, mtime text, target blob, first integer,
    last integer, was blob, primary key (name, path)) without rowid;
"""
_INSERT = """
insert into named values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, null) on conflict do update set kind = excluded.kind,
    mode = excluded.mode, mtime = excluded.mtime, target = excluded.target, last = excluded.last
"""


class Tree:
    """Items by the bytes of their original names."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def entries(self, *kinds: Kind, backwards: bool = False) -> Iterator[tuple[Named, Digest | None]]:
        """Yield items of these kinds (all, where none is named), and a file's digest: folders before what is in them,
        or after it."""
        order = "desc" if backwards else "asc"
        wanted = ", ".join(f"'{kind}'" for kind in kinds or Kind)
        rows = self._db.execute(
            "select name, kind, n.path, mode, mtime, target, digest from named n left join bagged b on b.path = n.path"
            f" where kind in ({wanted}) and (kind != 'file' or digest is not null) order by name {order}"
        )
        for name, kind, path, mode, mtime, target, digest in rows:
            item = Named(
                kind=Kind(kind),
                name=name,
                path=path,
                mode=mode,
                mtime=None if mtime is None else int(mtime),
                target=target,
            )
            yield item, Digest.parse(digest) if digest else None

    def moved(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the name that a file came by, and the one that it has here, where another file had that one first."""
        yield from self._db.execute("select was, name from named where was is not null order by name")

    def nameless(self) -> Iterator[str]:
        """Yield the bag paths of originals that no map of names knows: they have no place here."""
        query = (
            "select path from bagged where substr(path, 1, ?) = ?"
            " and path not in (select path from named where kind = 'file') order by path"
        )
        for (path,) in self._db.execute(query, (len(bag.ORIGINAL), bag.ORIGINAL)):
            yield path


@contextmanager
def tree(vault: Vault, record: Record) -> Iterator[Tree]:
    """A version's tree; of what has the same name and place, a later version's map of names wins over an earlier's."""
    with closing(sqlite3.connect("", isolation_level=None)) as db:  # a temporary file that SQLite removes
        db.executescript(_SCHEMA)
        db.execute("begin")
        lines = ((line.path, str(line.digest)) for line in vault.payload(record))
        db.executemany("insert into bagged values (?, ?)", lines)
        maps = _maps(db)
        for version, digest in maps:
            with vault.open(digest) as stream:
                db.executemany(_INSERT, _rows(stream, version))
        if len({version for version, _ in maps}) > 1:
            settle(db, vault, record)
        yield Tree(db)


def _maps(db: sqlite3.Connection) -> list[tuple[int, Digest]]:
    """The version and the blob of each map of names, in their order."""
    query = "select path, digest from bagged where substr(path, 1, ?) = ? order by path"
    found = db.execute(query, (len(bag.PRESERVATION), bag.PRESERVATION))
    maps = [(version, path, Digest.parse(digest)) for path, digest in found if (version := bag.names_version(path))]
    return [(version, digest) for version, _, digest in sorted(maps)]


def _rows(stream: BinaryIO, version: int) -> Iterator[tuple[object, ...]]:
    for item in parse_lines(lines(stream)):
        path = item.path if item.kind is Kind.FILE else ""
        mtime = None if item.mtime is None else str(item.mtime)
        yield item.name, path, item.kind.value, item.mode, mtime, item.target, version
