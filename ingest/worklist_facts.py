"""What is to be examined of a delivery, and what examination found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ingest.examine import Task
from ingest.examined import Found
from ingest.worklist_names import Names, as_time
from storage.digest import Digest
from storage.portions import portions

_TASKS = """
select id, name, source, size, mtime, watched,
    (select group_concat(distinct algorithm) from claims c where c.name = i.name)
from items i where kind = 'file' and digest is null and name > ? order by name limit 1000
"""


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


class Facts(Names):
    """Files with what is known of their bytes."""

    def tasks(self) -> Iterator[Task]:
        """Yield the files that are to be examined yet, by name, each with the algorithms that were claimed for it.

        Asked for page by page, so that what is found can be written down meanwhile.
        """
        last = b""
        while rows := self._db.execute(_TASKS, (last,)).fetchall():
            yield from map(_task, rows)
            last = rows[-1][1]

    def spread(self) -> Iterator[Task]:
        """Yield the files in an order that goes here and there, the same each time: the first are a fair sample.

        Each has the algorithms that were claimed for it.
        """
        rows = self._db.execute(
            "select id, name, source, size, mtime, watched,"
            " (select group_concat(distinct algorithm) from claims c where c.name = i.name)"
            " from items i where kind = 'file' order by (id * 2654435761) & 4294967295"  # Knuth's hashing
        )
        yield from map(_task, rows)

    def found(self, facts: Iterable[Found]) -> None:
        """Keep what examination found."""
        self._db.executemany(
            "update items set size = ?, digest = ?, digests = ?, formats = ?, mime = ?, basis = ?, opinion = ?,"
            " new = ?, scan = ?, scan_told = ? where id = ?",
            facts,
        )

    def known(self, numbers: Iterable[int]) -> Iterator[Known]:
        """Yield what was found of files."""
        for some in portions(numbers, 500):
            query = f"select {', '.join(Known._fields)} from items where id in ({', '.join('?' * len(some))})"
            yield from map(Known._make, self._db.execute(query, some))

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

    def adopt(self, source: Facts, there: bytes, name: bytes) -> None:
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

    def totals(self) -> tuple[int, int]:
        """How many regular files were delivered, and their bytes."""
        row = self._db.execute("select count(*), coalesce(sum(size), 0) from items where kind = 'file'").fetchone()
        return int(row[0]), int(row[1])

    def lengths(self, least: int, most: int) -> Iterator[int]:
        """Yield how many bytes the files have that are to be examined yet, each number once, from the largest down: no
        more than `most`, and none below `least`."""
        query = "select size from items where kind = 'file' and digest is null and size >= ? group by size"
        yield from (size for (size,) in self._db.execute(f"{query} order by size desc limit ?", (least, most)))

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


def _task(row: tuple[Any, ...]) -> Task:
    number, name, source, size, mtime, watched, algorithms = row
    wanted = tuple(sorted(set((algorithms or "").split(",")) - {"", "sha256"}))
    return Task(number, name, source, size, as_time(mtime) if watched else None, wanted)
