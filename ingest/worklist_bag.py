"""What the bag of a new version will hold: what was delivered, what is made for it, and what an AIP has already."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from ingest.worklist_facts import Facts
from ingest.worklist_names import as_time
from storage.digest import Digest
from storage.namemap import Kind, Named
from storage.names import escape_path
from storage.premis import File, FormatName


class Placed(NamedTuple):
    """A file of the new version's bag: bag path, SHA-256, bytes."""

    place: str
    digest: Digest
    size: int


class Bagged(Facts):
    """Places (bag paths) in the order of manifests."""

    def made(self, placed: Placed) -> None:
        """Add a file that Tianyi made for the version, or that an earlier version has."""
        self._db.execute(
            "insert or replace into made values (?, ?, ?)", (placed.place, str(placed.digest), placed.size)
        )

    def made_all(self, blobs: Iterable[tuple[Digest, int]]) -> None:
        """Add SHA-256 and bytes of blobs that no bag path is known of."""
        rows = ((str(digest), size) for digest, size in blobs)
        self._db.executemany("insert or ignore into made values (?1, ?1, ?2)", rows)

    def all_made(self) -> Iterator[Placed]:
        """Yield what `made` was told, by bag path."""
        for place, digest, size in self._db.execute("select place, digest, size from made order by place"):
            yield Placed(place, Digest.parse(digest), size)

    def sizes(self) -> Iterator[tuple[Digest, int]]:
        """Yield SHA-256 and bytes of what `made` was told."""
        return ((placed.digest, placed.size) for placed in self.all_made())

    def blobs(self) -> Iterator[tuple[Digest, int]]:
        """Yield SHA-256 and bytes of every payload file of the version's bag, each blob once."""
        query = "select digest, size from items where kind = 'file' union select digest, size from made"
        for digest, size in self._db.execute(query):
            yield Digest.parse(digest), size

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
            read = tuple(map(Digest.parse, json.loads(digests)))
            yield File(place, size, read, _formats(formats), mime, basis, escape_path(name))

    def named(self) -> Iterator[Named]:
        """Yield every item for the map of names, by name."""
        rows = self._db.execute("select kind, name, place, mode, mtime, target from items order by name")
        for kind, name, place, mode, mtime, target in rows:
            yield Named(kind=Kind(kind), name=name, path=place or "", mode=mode, mtime=as_time(mtime), target=target)

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


@lru_cache(1024)
def _formats(kept: str) -> tuple[FormatName, ...]:
    return tuple(FormatName(*fields) for fields in json.loads(kept))
