"""Which of many literals are in some bytes: by Hyperscan, all at once. Each name means what it does in finder.py.

It is given literals only, although it takes expressions: 5.4.12 (Vectorscan's, in hyperscan 0.9.1) misses some that
`re` finds, as PRONOM's `fmt .{4}\\x01\\x00.*bext.{350}\\x01\\x00` (fmt/704). Whether it finds the literals is tried out
when they are compiled.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

import hyperscan

from ingest import finder as plain
from ingest.finder import Finder

PADS: Final = (0, 1, 7, 15, 31, 63)  # bytes before and behind: literals lie across what is compared at once


def machine() -> str:
    """Return Hyperscan's version and the processor's features."""
    return str(_database([b"a"]).info())


def compiled(literals: Sequence[bytes]) -> bytes:
    """Return a database of them, in less than a second; b"" when Hyperscan refuses them, or misses one."""
    try:
        database = hyperscan.dumpb(_database(literals))
    except hyperscan.error:
        return b""
    find = finder(literals, database)
    for number, literal in enumerate(literals):
        if not all(number in find(bytes(pad) + literal + bytes(pad)) for pad in PADS):
            return b""
    return database


def finder(literals: Sequence[bytes], database: bytes) -> Finder:
    """Return what finds them, for many threads; the plain one where the database is none of this machine's."""
    try:
        loaded = hyperscan.loadb(database, hyperscan.HS_MODE_BLOCK)
        scan, scratch = loaded.scan, _Scratch(loaded)
    except hyperscan.error:
        return plain.finder(literals, b"")

    def find(data: bytes) -> list[int]:
        found: list[int] = []
        scan(data, _take, 0, found, scratch.own)
        return found

    return find


def _database(literals: Sequence[bytes]) -> hyperscan.Database:
    """Bytes are written as \\xNN: what the interface for literals is given would end at a zero byte."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[b"".join(b"\\x%02x" % byte for byte in literal) for literal in literals],
        ids=range(len(literals)),
        elements=len(literals),
        flags=hyperscan.HS_FLAG_SINGLEMATCH,
    )
    return database


def _take(number: int, start: int, end: int, flags: int, found: Any) -> None:
    """Keep a hit: what Hyperscan calls."""
    found.append(number)


class _Scratch(threading.local):
    """What a scan needs to itself: one a thread."""

    def __init__(self, database: hyperscan.Database) -> None:
        self.own = hyperscan.Scratch(database)
