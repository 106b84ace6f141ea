"""What every copy has to have, by key, as questions to the catalogue: all of it, what came with some entries of the
ledger, or what some producers' AIPs are made of. Ascending by key, from any key on, in a time that does not grow with
what lies before it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import chain

from fixity.audit import Expected
from fixity.reading import END, START
from repository.catalogue import Catalogue, Row
from repository.schema import RECORD_KEY, TOMBSTONE_KEY
from storage import layout
from storage.digest import Digest

_FILES = """
select digest, max(size) as size from files where digest > ? and digest <= ? group by digest order by digest
"""
_EVIDENCE = "select digest, size from evidence where digest > ? and digest <= ? order by digest"
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
select files.digest, max(files.size) as size from versions
join files on files.aip = versions.aip and files.since = versions.version
where versions.entry >= ?3 and versions.entry < ?4 and files.digest > ?1 and files.digest <= ?2
group by files.digest order by files.digest
"""
_CAME_EVIDENCE = """
select digest, size from evidence where entry >= ?3 and entry < ?4 and digest > ?1 and digest <= ?2 order by digest
"""
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
    files = _FILES.replace("group by", f"and {theirs} group by")
    yield from map(_expected, catalogue.rows(records, after, last, *producers))
    yield from _blobs(catalogue, (files,), after, last, *producers)


def _blobs(
    catalogue: Catalogue, queries: Sequence[str], after: str, last: str, *arguments: int | str
) -> Iterator[Expected]:
    """Blobs that any of the queries gives, each once. Their digests have the order of their keys."""
    if not _meets(layout.BLOBS, after, last):
        return
    low = str(layout.blob_digest(after) or "") if after.startswith(layout.BLOBS) else ""
    high = str(layout.blob_digest(last) or "") if last.startswith(layout.BLOBS) else "sha256;"
    before = ""
    for row in heapq.merge(*(catalogue.rows(query, low, high, *arguments) for query in queries), key=_digest):
        if row["digest"] != before:
            before = row["digest"]
            digest = Digest.parse(before)
            yield Expected(layout.blob_key(digest), digest, row["size"])


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


def _digest(row: Row) -> str:
    return str(row["digest"])


def _expected(row: Row) -> Expected:
    return Expected(row["key"], Digest.parse(row["digest"]), row["size"])
