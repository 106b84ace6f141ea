"""The tree of a version as it came, put together on disk from its maps of names: no memory for a million files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO

from storage import bag
from storage.aip import Record
from storage.digest import Digest
from storage.namemap import Kind, Named, parse_lines
from storage.receive import lines
from storage.vault import Vault

_NAMES = f"{bag.PRESERVATION}names-v"
_SCHEMA = """
create table bagged (path text primary key, digest text) without rowid;
create table named (name blob primary key, kind text, path text, mode integer, mtime text, target blob)
    without rowid;
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


@contextmanager
def tree(vault: Vault, record: Record) -> Iterator[Tree]:
    """A version's tree; a later version's map of names wins over an earlier one's."""
    with closing(sqlite3.connect("", isolation_level=None)) as db:  # a temporary file that SQLite removes
        db.executescript(_SCHEMA)
        db.execute("begin")
        lines = ((line.path, str(line.digest)) for line in vault.payload(record))
        db.executemany("insert into bagged values (?, ?)", lines)
        query = "select digest from bagged where substr(path, 1, ?) = ? order by path"
        for (digest,) in db.execute(query, (len(_NAMES), _NAMES)).fetchall():
            with vault.open(Digest.parse(digest)) as stream:
                db.executemany("insert or replace into named values (?, ?, ?, ?, ?, ?)", _rows(stream))
        yield Tree(db)


def _rows(stream: BinaryIO) -> Iterator[tuple[object, ...]]:
    for item in parse_lines(lines(stream)):
        yield (
            item.name,
            item.kind.value,
            item.path,
            item.mode,
            None if item.mtime is None else str(item.mtime),
            item.target,
        )
