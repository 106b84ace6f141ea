"""The work on one delivery, on disk and not in memory: its items, what the producer claims, and what we found.

A SQLite file of one run, thrown away at its end; sets are compared by SQL, so that a million files need no more
memory than one. It is no catalogue: nothing here outlives the ingest.
"""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from ingest.examine import Task
from ingest.examined import Found
from ingest.finding import Finding, Severity
from ingest.item import Item
from ingest.source import open_source
from storage.digest import Digest
from storage.namemap import Kind, Named
from storage.names import escape_path
from storage.premis import File, FormatName

_SCHEMA = """
create table items (
    id integer primary key, kind text, name blob unique, place text, source blob, size integer, mode integer,
    mtime text, target blob, watched integer, digest text, digests text, formats text, mime text, basis text,
    opinion text, new integer default 0, scan text, scan_told text);
create table claims (name blob, algorithm text, hexadecimal text, origin text, line integer);
create table made (place text primary key, digest text, size integer);
create table held (place text primary key, digest text) without rowid;
create table held_names (name blob primary key, kind text) without rowid;
create table findings (code text, severity text, path text, message text);
"""


def fold(name: bytes) -> str:
    """A name without regard to case and normalization: twins on some file systems fold to the same."""
    text = unicodedata.normalize("NFC", name.decode("utf-8", "backslashreplace"))
    return unicodedata.normalize("NFC", text.casefold())


def _nfc(name: bytes) -> bytes:
    text = unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape"))
    return text.encode("utf-8", "surrogateescape")


class Placed(NamedTuple):
    """A file of the new version's bag: bag path, SHA-256, bytes."""

    place: str
    digest: Digest
    size: int


class Known(NamedTuple):
    """What examination found of a file, as it is kept: the columns of the items' table."""

    name: bytes
    size: int
    mtime: str | None
    digest: str
    digests: str
    formats: str
    mime: str
    basis: str
    opinion: str
    new: int
    scan: str | None
    scan_told: str | None


class Worklist:
    """Items in the order of their names; places (bag paths) in the order of manifests. Not for several threads."""

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
        mtime = _kept(item.mtime)
        row = (item.kind, item.name, item.source, item.size, item.mode, mtime, item.target, item.watched)
        try:
            self._db.execute(
                "insert into items (kind, name, source, size, mode, mtime, target, watched)"
                " values (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        except sqlite3.IntegrityError as error:
            raise KeyError(item.name) from error

    def tell(self, findings: Iterable[Finding]) -> None:
        rows = ((f.code, f.severity, f.path, f.message) for f in findings)
        self._db.executemany("insert into findings values (?, ?, ?, ?)", rows)

    def findings(self) -> Iterator[Finding]:
        """Yield the findings, errors first, then by code and path, each once."""
        order = "case severity when 'error' then 0 when 'warning' then 1 else 2 end, code, path, message"
        for code, severity, path, message in self._db.execute(f"select distinct * from findings order by {order}"):
            yield Finding(code, Severity(severity), path, message)

    def codes(self) -> list[tuple[Severity, str, int]]:
        """How many findings there are of each severity and code, errors first, then by code."""
        counts: Counter[tuple[Severity, str]] = Counter()
        for found in self.findings():
            counts[found.severity, found.code] += 1
        return [(severity, code, count) for (severity, code), count in counts.items()]

    def findings_total(self) -> int:
        return int(self._db.execute("select count(*) from (select distinct * from findings)").fetchone()[0])

    def claim(self, claims: Iterable[tuple[bytes, Digest, str, int]]) -> None:
        """Take in what the producer says: (name, digest, the manifest that says so, its line)."""
        rows = ((name, d.algorithm, d.hexadecimal, origin, line) for name, d, origin, line in claims)
        self._db.executemany("insert into claims values (?, ?, ?, ?, ?)", rows)

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

    def tasks(self) -> Iterator[Task]:
        """Yield the files that are to be examined yet, by name, each with the algorithms that were claimed for it.

        Asked for page by page, so that what is found can be written down meanwhile.
        """
        last = b""
        while rows := self._db.execute(_TASKS, (last,)).fetchall():
            for number, name, source, size, mtime, watched, algorithms in rows:
                wanted = tuple(sorted(set((algorithms or "").split(",")) - {"", "sha256"}))
                yield Task(number, name, source, size, _time(mtime) if watched else None, wanted)
            last = rows[-1][1]

    def spread(self) -> Iterator[Task]:
        """Yield the files in an order that goes here and there, the same each time: the first are a fair sample."""
        rows = self._db.execute(
            "select id, name, source, size, mtime, watched from items where kind = 'file'"
            " order by (id * 2654435761) & 4294967295"  # Knuth's multiplicative hashing
        )
        for number, name, source, size, mtime, watched in rows:
            yield Task(number, name, source, size, _time(mtime) if watched else None)

    def found(self, facts: Iterable[Found]) -> None:
        """Keep what examination found."""
        self._db.executemany(
            "update items set size = ?, digest = ?, digests = ?, formats = ?, mime = ?, basis = ?, opinion = ?,"
            " new = ?, scan = ?, scan_told = ? where id = ?",
            facts,
        )

    def known(self, numbers: Iterable[int]) -> Iterator[Known]:
        """Yield what was found of files."""
        for number in numbers:
            row = self._db.execute(f"select {', '.join(Known._fields)} from items where id = ?", (number,)).fetchone()
            yield Known(*row)

    def recall(self, known: Known) -> bool:
        """Take in what was found of a file before; False where it is not listed as it was then, or where a digest is
        claimed that nobody computed."""
        done = self._db.execute(
            "update items set digest = :digest, digests = :digests, formats = :formats, mime = :mime, basis = :basis,"
            " opinion = :opinion, new = :new, scan = :scan, scan_told = :scan_told"
            " where kind = 'file' and name = :name and size = :size and mtime is :mtime and not exists"
            " (select 1 from claims c where c.name = :name and instr(:digests, c.algorithm || ':') = 0)",
            known._asdict(),
        )
        return done.rowcount == 1

    def made(self, placed: Placed) -> None:
        """Add a file that Tianyi made for the version, or that an earlier version has."""
        self._db.execute(
            "insert or replace into made values (?, ?, ?)", (placed.place, str(placed.digest), placed.size)
        )

    def made_all(self, blobs: Iterable[tuple[Digest, int]]) -> None:
        """Add SHA-256 and bytes of blobs that no bag path is known of."""
        rows = ((str(digest), size) for digest, size in blobs)
        self._db.executemany("insert or ignore into made values (?1, ?1, ?2)", rows)

    def blobs(self) -> Iterator[tuple[Digest, int]]:
        """Yield SHA-256 and bytes of every payload file of the version's bag, each blob once."""
        query = "select digest, size from items where kind = 'file' union select digest, size from made"
        for digest, size in self._db.execute(query):
            yield Digest.parse(digest), size

    def hold(self, lines: Iterable[tuple[str, Digest]]) -> None:
        """Take in the bag paths of the AIP that the delivery is added to, and their SHA-256."""
        rows = ((place, str(digest)) for place, digest in lines)
        self._db.executemany("insert into held values (?, ?)", rows)

    def hold_names(self, names: Iterable[tuple[bytes, Kind]]) -> None:
        """Take in what a map of that AIP's names says, earlier maps before later ones."""
        self._db.executemany("insert or replace into held_names values (?, ?)", names)

    def held(self, prefix: str) -> list[tuple[str, Digest]]:
        """What the AIP has under bag paths that begin so, by path: a few."""
        query = "select place, digest from held where substr(place, 1, ?) = ? order by place"
        return [(place, Digest.parse(digest)) for place, digest in self._db.execute(query, (len(prefix), prefix))]

    def held_still(self) -> Iterator[tuple[str, Digest]]:
        """Yield what the AIP has where no delivered file lies, by bag path; `made` may be told meanwhile."""
        query = "select place, digest from held h where not exists (select 1 from items i where i.place = h.place)"
        for place, digest in self._db.execute(query):
            yield place, Digest.parse(digest)

    def is_held(self, place: str, digest: Digest) -> bool:
        """Whether the AIP has that very file there."""
        row = self._db.execute("select 1 from held where place = ? and digest = ?", (place, str(digest))).fetchone()
        return row is not None

    def held_solid(self, name: bytes) -> bool:
        """Whether the AIP has a file or a link of that name: nothing can lie in it."""
        query = "select 1 from held_names where name = ? and kind in ('file', 'link')"
        return self._db.execute(query, (name,)).fetchone() is not None

    def all_made(self) -> Iterator[Placed]:
        """Yield what `made` was told, by bag path."""
        for place, digest, size in self._db.execute("select place, digest, size from made order by place"):
            yield Placed(place, Digest.parse(digest), size)

    def sizes(self) -> Iterator[tuple[Digest, int]]:
        """Yield SHA-256 and bytes of what `made` was told."""
        return ((placed.digest, placed.size) for placed in self.all_made())

    def adopt(self, source: Worklist, there: bytes, name: bytes) -> None:
        """Take in a file that another worklist has examined under the name `there`."""
        known = "size, digest, digests, formats, mime, basis, opinion, new"
        row = source._db.execute(f"select {known} from items where name = ?", (there,)).fetchone()
        query = f"insert into items (kind, name, {known}) values ('file', ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self._db.execute(query, (name, *row))

    def is_read(self, name: bytes) -> bool:
        """Whether there is a file of that name, and every byte of it was read."""
        query = "select 1 from items where name = ? and kind = 'file' and digest is not null"
        return self._db.execute(query, (name,)).fetchone() is not None

    def read_files(self) -> Iterator[tuple[bytes, Digest, int]]:
        """Yield name, SHA-256 and bytes of every file that was read, by name."""
        query = "select name, digest, size from items where kind = 'file' and digest is not null order by name"
        for name, digest, size in self._db.execute(query):
            yield name, Digest.parse(digest), size

    def digest_at(self, place: str) -> str:
        """The SHA-256 of the delivered file with that bag path, "" where there is none."""
        row = self._db.execute("select digest from items where place = ?", (place,)).fetchone()
        return str(row[0]) if row else ""

    def bag(self) -> Iterator[Placed]:
        """Yield every payload file of the version's bag, sorted by bag path."""
        rows = self._db.execute(
            "select place, digest, size from items where kind = 'file'"
            " union all select place, digest, size from made order by place"
        )
        for place, digest, size in rows:
            yield Placed(place, Digest.parse(digest), size)

    def files(self) -> Iterator[File]:
        """Yield each delivered file, sorted by bag path, as PREMIS describes it."""
        rows = self._db.execute(
            "select name, place, size, digests, formats, mime, basis from items where kind = 'file' order by place"
        )
        for name, place, size, digests, formats, mime, basis in rows:
            read = tuple(Digest.parse(text) for text in json.loads(digests))
            yield File(
                path=place, size=size, digests=read, formats=_formats(formats), mime=mime, basis=basis,
                original_name=escape_path(name),
            )  # fmt: skip

    def named(self) -> Iterator[Named]:
        """Yield every item for the map of names, by name."""
        rows = self._db.execute("select kind, name, place, mode, mtime, target from items order by name")
        for kind, name, place, mode, mtime, target in rows:
            yield Named(kind=Kind(kind), name=name, path=place or "", mode=mode, mtime=_time(mtime), target=target)

    def select(self, query: str, *arguments: object) -> Iterator[tuple[Any, ...]]:
        """Rows of a question that a check asks of the whole delivery."""
        return self._db.execute(query, arguments)

    def totals(self) -> tuple[int, int]:
        """How many regular files were delivered, and their bytes."""
        row = self._db.execute("select count(*), coalesce(sum(size), 0) from items where kind = 'file'").fetchone()
        return int(row[0]), int(row[1])

    def bytes_from(self, least: int) -> int:
        """The bytes of the files that have so many or more."""
        query = "select coalesce(sum(size), 0) from items where kind = 'file' and size >= ?"
        return int(self._db.execute(query, (least,)).fetchone()[0])

    def unpacked_bytes(self) -> int:
        """The bytes of the files that came out of an archive, and cannot be read where they lie in it."""
        query = "select coalesce(sum(size), 0) from items where kind = 'file' and not watched"
        query += " and substr(source, 1, 1) != x'00'"
        return int(self._db.execute(query).fetchone()[0])

    def new_bytes(self) -> int:
        """Bytes that the first copy did not hold, each digest counted once."""
        query = "select coalesce(sum(size), 0) from (select distinct digest, size from items where new)"
        return int(self._db.execute(query).fetchone()[0])


_TASKS = """
select i.id, i.name, source, size, mtime, watched, group_concat(distinct algorithm)
from (select * from items where kind = 'file' and digest is null and name > ? order by name limit 1000) i
left join claims c on c.name = i.name group by i.id order by i.name
"""
_LAST = b"\xff" * 5_000  # greater than any name: Linux knows no path of more than 4,096 bytes
_BELOW = "name > ? and name < ?"
_ITEM = "kind, name, source, size, mode, mtime, target, watched"


@lru_cache(1024)
def _formats(kept: str) -> tuple[FormatName, ...]:
    return tuple(FormatName(*fields) for fields in json.loads(kept))


def _after(folder: bytes) -> bytes:
    """What is greater than every name in a folder: "0" follows "/"."""
    return folder[:-1] + b"0" if folder else _LAST


def _kept(mtime: int | None) -> str | None:
    """A time as text: nanoseconds after 2262 are beyond SQLite's integers."""
    return None if mtime is None else str(mtime)


def _time(kept: str | None) -> int | None:
    return None if kept is None else int(kept)


def _item(row: tuple[str, bytes, bytes, int, int | None, str | None, bytes, int]) -> Item:
    kind, name, source, size, mode, mtime, target, watched = row
    return Item(
        kind=Kind(kind), name=name, source=source, size=size, mode=mode, mtime=_time(mtime), target=target,
        watched=bool(watched),
    )  # fmt: skip
