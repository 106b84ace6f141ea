"""What every copy has to have, by key, as questions to the catalogue: all of it, what came with some entries of the
ledger, or what some producers' AIPs are made of. Ascending by key, from any key on, in a time that does not grow with
what lies before it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter

from fixity.audit import Expected
from fixity.reading import END, START
from repository.catalogue import Catalogue, Row
from repository.schema import RECORD_KEY, TOMBSTONE_KEY
from storage import layout
from storage.digest import Digest

_FILES = "select digest, size from files where digest > ?1 and digest <= ?2"
_EVIDENCE = "select digest, size from evidence where digest > ?1 and digest <= ?2"
_RECORDS = f"""
select {RECORD_KEY} as key, file_digest as digest, file_size as size from versions
where key > ? and key <= ? order by key
"""
_TOMBSTONES = f"""
select {TOMBSTONE_KEY} as key, file_digest as digest, file_size as size from deleted
where key > ? and key <= ? order by key
"""
_CAME_RECORDS = f"""
select {RECORD_KEY} as key, file_digest as digest, file_size as size from versions
where entry >= ?3 and entry < ?4 and +key > ?1 and +key <= ?2 order by key
"""  # the plus keeps SQLite to the index of entries
_FIXED = "select key, digest, size from fixed where key > ? and key <= ? order by key"
_CAME_FILES = """
select files.digest, files.size from versions
join files on files.aip = versions.aip and files.since = versions.version
where versions.entry >= ?3 and versions.entry < ?4 and files.digest > ?1 and files.digest <= ?2
"""
_CAME_EVIDENCE = "select digest, size from evidence where entry >= ?3 and entry < ?4 and digest > ?1 and digest <= ?2"
_AMOUNT = """
select count(*) as keys, coalesce(sum(size), 0) as bytes from (
  select max(size) as size from files group by digest union all select size from evidence
  union all select file_size from versions union all select file_size from deleted union all select size from fixed)
"""
_AND_ENTRIES = " and entry >= ?3 and entry < ?4 order by key"


def keys(catalogue: Catalogue, after: str = START, last: str = END) -> Iterator[Expected]:
    """Yield everything but the ledger above `after`, up to and with `last`, once."""
    records = catalogue.rows(_RECORDS, after, last) if _meets(layout.AIPS, after, last) else iter(())
    blobs = _blobs(catalogue, (_FILES, _EVIDENCE), after, last)
    tombstones = catalogue.rows(_TOMBSTONES, after, last)
    yield from heapq.merge(
        chain(map(_expected, records), blobs, map(_expected, tombstones)),
        map(_expected, catalogue.rows(_FIXED, after, last)),
    )


def came(catalogue: Catalogue, begin: int, end: int, after: str = START, last: str = END) -> Iterator[Expected]:
    """Yield what came with the entries [begin, end), but the ledger: what was there before may be among it."""
    within = (after, last, begin, end)
    records = catalogue.rows(_CAME_RECORDS, *within)
    tombstones = catalogue.rows(_TOMBSTONES.replace("order by key", _AND_ENTRIES), *within)
    fixed = catalogue.rows(_FIXED, after, last) if begin == 0 else iter(())
    blobs = _blobs(catalogue, (_CAME_FILES, _CAME_EVIDENCE), after, last, begin, end)
    yield from heapq.merge(chain(map(_expected, records), blobs, map(_expected, tombstones)), map(_expected, fixed))


def of_producers(
    catalogue: Catalogue, producers: Sequence[str], after: str = START, last: str = END
) -> Iterator[Expected]:
    """Yield records and blobs of the AIPs of these producers."""
    theirs = f"aip in (select aip from aips where producer in ({', '.join('?' * len(producers))}))"
    records = _RECORDS.replace("order by key", f"and {theirs} order by key")
    files = f"{_FILES} and {theirs}"
    yield from map(_expected, catalogue.rows(records, after, last, *producers))
    yield from _blobs(catalogue, (files,), after, last, *producers)


def names(catalogue: Catalogue, after: str = START, last: str = END) -> Iterator[str]:
    """Yield the keys alone that `keys` gives."""
    records = (row["key"] for row in catalogue.rows(_RECORDS, after, last)) if _meets(layout.AIPS, after, last) else ()
    blobs = (layout.blob_key_of(digest) for digest, _ in _sized(catalogue, (_FILES, _EVIDENCE), after, last))
    tombstones = (row["key"] for row in catalogue.rows(_TOMBSTONES, after, last))
    fixed = (row["key"] for row in catalogue.rows(_FIXED, after, last))
    yield from heapq.merge(chain(records, blobs, tombstones), fixed)


def _blobs(
    catalogue: Catalogue, queries: Sequence[str], after: str, last: str, *arguments: int | str
) -> Iterator[Expected]:
    """Blobs that any of the queries gives, each once."""
    for told, size in _sized(catalogue, queries, after, last, *arguments):
        digest = Digest.parse(told)
        yield Expected(layout.blob_key(digest), digest, size)


def _sized(
    catalogue: Catalogue, queries: Sequence[str], after: str, last: str, *arguments: int | str
) -> Iterator[tuple[str, int]]:
    """SHA-256 and bytes of blobs that any of the queries gives, each once. Digests have the order of their keys.

    SQLite merges the queries as their indexes have them; `group by` would make it sort all that is left, each time.
    """
    if not _meets(layout.BLOBS, after, last):
        return
    low = str(layout.blob_digest(after) or "") if after.startswith(layout.BLOBS) else ""
    high = str(layout.blob_digest(last) or "") if last.startswith(layout.BLOBS) else "sha256;"
    rows = catalogue.values(f"{' union all '.join(queries)} order by digest", low, high, *arguments)
    for digest, same in groupby(rows, key=itemgetter(0)):
        yield digest, max(size for _, size in same)


def is_wanted(catalogue: Catalogue, key: str) -> bool:
    """Whether a copy still has to have a key that it had to have a while ago."""
    if digest := layout.blob_digest(key):
        query = "select 1 from files where digest = ?1 union all select 1 from evidence where digest = ?1 limit 1"
        return catalogue.one(query, str(digest)) is not None
    if name := layout.record_name(key):
        query = "select 1 from versions where aip = ? and version = ?"
        return catalogue.one(query, f"urn:uuid:{name[0]}", name[1]) is not None
    return True


def amount(catalogue: Catalogue) -> tuple[int, int]:
    """How many keys, the ledger's left out, and how many bytes there are."""
    row = catalogue.one(_AMOUNT)
    assert row is not None  # a count is always there
    return row["keys"], row["bytes"]


def _meets(prefix: str, after: str, last: str) -> bool:
    """Whether keys with a prefix may lie above `after` and up to `last`."""
    return after < f"{prefix}{END}" and last > prefix


def _expected(row: Row) -> Expected:
    return Expected(row["key"], Digest.parse(row["digest"]), row["size"])
