"""The items of a delivery by name, in an SQLite file of one run: what is listed, and where it is to lie in the bag."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from ingest.item import Item
from ingest.source import open_source
from storage.namemap import Kind

_SCHEMA = """
create table items (
    id integer primary key, kind text, name blob unique, place text, source blob, size integer, mode integer,
    mtime text, target blob, watched integer, digest text, digests text, formats text, mime text, basis text,
    opinion text, new integer default 0, scan text, scan_told text);
create table claims (name blob, algorithm text, hexadecimal text, origin text, line integer);
create table made (place text primary key, digest text, size integer);
create table held (place text primary key, digest text) without rowid;
create table held_names (name blob primary key, kind text) without rowid;
create table findings (severity text, code text, path text, message text,
    primary key (severity, code, path, message)) without rowid;
"""
_LAST = b"\xff" * 5_000  # greater than any name: Linux knows no path of more than 4,096 bytes
_BELOW = "name > ? and name < ?"
_ITEM = "kind, name, source, size, mode, mtime, target, watched"


def fold(name: bytes) -> str:
    """A name without regard to case and normalization: twins on some file systems fold to the same."""
    if name.isascii():
        return name.decode().lower()
    text = unicodedata.normalize("NFC", name.decode("utf-8", "backslashreplace"))
    return unicodedata.normalize("NFC", text.casefold())


def _nfc(name: bytes) -> bytes:
    text = unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape"))
    return text.encode("utf-8", "surrogateescape")


class Names:
    """Items in the order of their names."""

    def __init__(self, path: str = "") -> None:
        self._db = sqlite3.connect(path, isolation_level=None)  # "" is a temporary file that SQLite removes
        self._db.execute("pragma journal_mode = off")
        self._db.execute("pragma synchronous = off")
        self._db.executescript(_SCHEMA)
        self._db.create_function("folded", 1, fold, deterministic=True)
        self._db.create_function("nfc", 1, _nfc, deterministic=True)
        self._db.create_function("lowered", 1, bytes.lower, deterministic=True)
        self._db.execute("create index claimed on claims (name)")
        self._db.execute("create index links on items (lowered(name)) where kind = 'link'")
        self._db.execute("begin")

    def close(self) -> None:
        self._db.close()

    def add(self, item: Item) -> None:
        """Take in an item; raise KeyError (its name) where it is there already."""
        for again in self.add_all([item]):
            raise KeyError(again.name)

    def add_all(self, items: Iterable[Item]) -> Iterator[Item]:
        """Take in items; yield each whose name is there already."""
        last: list[Item] = []
        rows = _rows(items, last)
        while True:
            try:
                self._db.executemany(f"insert into items ({_ITEM}) values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
                return
            except sqlite3.IntegrityError:  # the rest is still to come
                yield last[0]

    def renew(self, item: Item) -> bool:
        """Whether it is a folder that is there as one: then it has the mode and the time that were told last, as where
        an archive is unpacked."""
        query = "update items set mode = ?2, mtime = ?3 where name = ?4 and kind = ?1 and ?1 = 'folder'"
        row = (item.kind.value, item.mode, _kept(item.mtime), item.name)
        return self._db.execute(query, row).rowcount == 1

    def place(self, placer: Callable[[bytes], str]) -> None:
        """Give every file its bag path, from its name."""
        self._db.create_function("placed", 1, placer, deterministic=True)
        self._db.execute("update items set place = placed(name) where kind = 'file'")
        self._db.execute("create unique index places on items (place)")

    def move(self, folder: str, to: str) -> None:
        """Give files whose bag paths begin so others, that begin with `to`."""
        query = "update items set place = ?1 || substr(place, ?2) where substr(place, 1, ?2 - 1) = ?3"
        self._db.execute(query, (to, len(folder) + 1, folder))

    def item(self, name: bytes) -> Item | None:
        row = self._db.execute(f"select {_ITEM} from items where name = ?", (name,)).fetchone()
        return _item(row) if row else None

    def source(self, name: bytes, largest: int) -> bytes | None:
        """Where a file's bytes lie on disk; None where it is none, is not there, or has more than `largest` bytes."""
        item = self.item(name)
        return item.source if item and item.kind is Kind.FILE and item.size <= largest else None

    def read(self, name: bytes, largest: int) -> bytes | None:
        """A small file's bytes; None as `source`, and where it cannot be read: examination says so."""
        if source := self.source(name, largest):
            with suppress(OSError), open_source(source) as stream:
                return stream.read()
        return None

    def everything(self) -> Iterator[bytes]:
        """Yield the name of every item, in the order of listing."""
        for (name,) in self._db.execute("select name from items order by id"):
            yield name

    def solid(self, name: bytes) -> Kind | None:
        """Whether a file has that name, or a link has it, in whatever case: nothing can lie in either."""
        query = "select kind from items where kind = 'link' and lowered(name) = ? union all"
        query += " select kind from items where kind = 'file' and name = ?"
        row = self._db.execute(query, (name.lower(), name)).fetchone()
        return Kind(row[0]) if row else None

    def normalized(self, name: bytes) -> bytes | None:
        """The file that has that name under some Unicode normalization."""
        self._db.execute("create index if not exists nfcs on items (nfc(name)) where kind = 'file'")
        query = "select name from items where kind = 'file' and nfc(name) = ? order by name desc limit 1"
        row = self._db.execute(query, (_nfc(name),)).fetchone()
        return row[0] if row else None

    def alike(self, name: bytes) -> bytes | None:
        """The file whose name differs from that one by case or Unicode normalization at most."""
        self._db.execute("create index if not exists folds on items (folded(name)) where kind = 'file'")
        query = "select name from items where kind = 'file' and folded(name) = ? order by name limit 1"
        row = self._db.execute(query, (fold(name),)).fetchone()
        return row[0] if row else None

    def names(self, prefix: bytes = b"") -> Iterator[bytes]:
        """Yield the names of files that begin with the prefix, ascending."""
        query = "select name from items where kind = 'file' and name >= ? and name < ? order by name"
        for (name,) in self._db.execute(query, (prefix, prefix + _LAST)):
            yield name

    def below(self, folder: bytes) -> Iterator[tuple[bytes, Kind]]:
        """Yield names and kinds of all that lies in a folder (b"" or ending in "/"), ascending."""
        query = f"select name, kind from items where {_BELOW} order by name"
        for name, kind in self._db.execute(query, (folder, _after(folder))):
            yield name, Kind(kind)

    def children(self, folder: bytes) -> list[tuple[bytes, Kind]]:
        """What lies directly in a folder, ascending; folders too that are there by what is in them alone."""
        found: dict[bytes, Kind] = {}
        query = f"select name, kind from items where name >= ? and {_BELOW} order by name limit 1"
        start = folder
        while row := self._db.execute(query, (start, folder, _after(folder))).fetchone():
            own, deeper, _ = row[0].removeprefix(folder).partition(b"/")
            found.setdefault(own, Kind.FOLDER if deeper else Kind(row[1]))
            start = folder + own + (b"0" if deeper else b"\0")  # past all that is in it; past it alone
        return sorted(found.items())

    def empty_folders(self, folder: bytes) -> Iterator[bytes]:
        """Yield the folders in a folder that nothing is in, ascending."""
        for name, kind in self.below(folder):
            if kind is Kind.FOLDER and next(self.below(name + b"/"), None) is None:
                yield name

    def select(self, query: str, *arguments: object) -> Iterator[tuple[Any, ...]]:
        """Rows of a question that a check asks of the whole delivery."""
        return self._db.execute(query, arguments)


def _after(folder: bytes) -> bytes:
    """What is greater than every name in a folder: "0" follows "/"."""
    return folder[:-1] + b"0" if folder else _LAST


def _rows(items: Iterable[Item], last: list[Item]) -> Iterator[tuple[object, ...]]:
    """Columns of plain types: of others SQLite's module asks first how they are to be kept. `last` holds the item that
    came last."""
    for item in items:
        last[:] = (item,)
        kind, name, source, size, mode, mtime, target, watched = item
        yield kind.value, name, source, size, mode, _kept(mtime), target, int(watched)


def _kept(mtime: int | None) -> str | None:
    """A time as text: nanoseconds after 2262 are beyond SQLite's integers."""
    return None if mtime is None else str(mtime)


def as_time(kept: str | None) -> int | None:
    return None if kept is None else int(kept)


def _item(row: tuple[str, bytes, bytes, int, int | None, str | None, bytes, int]) -> Item:
    kind, name, source, size, mode, mtime, target, watched = row
    return Item(
        kind=Kind(kind), name=name, source=source, size=size, mode=mode, mtime=as_time(mtime), target=target,
        watched=bool(watched),
    )  # fmt: skip
