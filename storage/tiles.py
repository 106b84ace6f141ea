"""Tiles of the Merkle tree over the ledger's entries, pure (c2sp.org/tlog-tiles): which there are, and how they grow.

A tile of level L has up to 256 hashes, each over 256^L entries. All follow from the entries: one that is missing or
damaged is made again from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from storage import bundle, merkle

WIDTH = bundle.WIDTH  # hashes of a full tile
HASH = 32  # bytes
PREFIX = "log/tile/"
_KEY = re.compile(PREFIX + r"(0|[1-9][0-9]?)/" + bundle.PLACE)


class Tile(NamedTuple):
    level: int
    number: int
    width: int = WIDTH

    @property
    def key(self) -> str:
        """`log/tile/<level>/<number>`, and `….p/<width>` for one that is not full."""
        return f"{PREFIX}{self.level}/{bundle.place(self.number, self.width)}"


def parse_key(key: str) -> Tile | None:
    """The tile that a key names; None for any other key."""
    match = _KEY.fullmatch(key)
    place = bundle.parse_place(match[2], match[3]) if match else None
    return Tile(int(match[1]), *place) if match and place else None


def hashes(data: bytes) -> list[bytes]:
    """Those of a tile's bytes; raise ValueError where one is cut."""
    if len(data) % HASH:
        raise ValueError("a tile is cut")
    return [data[start : start + HASH] for start in range(0, len(data), HASH)]


def partial(size: int) -> Iterator[Tile]:
    """The tiles that are not full in a log of so many entries, by level: its right edge."""
    level = 0
    while size:
        if width := size % WIDTH:
            yield Tile(level, size // WIDTH, width)
        size, level = size // WIDTH, level + 1


def holding(level: int, index: int) -> tuple[Tile, int]:
    """The narrowest tile from which the hash over 2**level leaves at `index` follows, and where in it they begin."""
    tall, within = divmod(level, 8)
    start, count = (index << within) % WIDTH, 1 << within
    return Tile(tall, (index << within) // WIDTH, start + count), start


class Edge:
    """The right edge of a tree: by level, the hashes of the tile that is not full. It grows leaf by leaf."""

    def __init__(self, size: int = 0, levels: Sequence[Sequence[bytes]] = ()) -> None:
        self.size = size
        self._levels = [list(level) for level in levels] or [[]]

    def add(self, leaf: bytes) -> Iterator[tuple[Tile, bytes]]:
        """Take the hash of the next entry; yield the tiles that it fills, with their bytes."""
        self.size += 1
        for level in range(len(self._levels)):
            (row := self._levels[level]).append(leaf)
            if len(row) < WIDTH:
                return
            yield Tile(level, (self.size >> 8 * (level + 1)) - 1), b"".join(row)
            leaf = merkle.root(WIDTH, merkle.over(row))
            self._levels[level] = []
        self._levels.append([leaf])

    def rest(self, since: int) -> Iterator[tuple[Tile, bytes]]:
        """The tiles that are not full and were not so wide when there were `since` entries (-1: all), with their
        bytes."""
        for tile in partial(self.size):
            if self.size >> 8 * tile.level != since >> 8 * tile.level:
                yield tile, b"".join(self._levels[tile.level])

    def last_row(self) -> list[bytes]:
        """The hashes of the entries that fill no tile yet."""
        return self._levels[0]

    def root(self) -> bytes:
        """Of the tree over all entries so far."""
        found = b""
        for row in self._levels:
            for start, stop in reversed(list(_wholes(len(row)))):
                whole = merkle.root(stop - start, merkle.over(row[start:stop]))
                found = merkle.node(whole, found) if found else whole
        return found or merkle.EMPTY


def grown(edge: Edge, leaves: Iterable[bytes]) -> Iterator[tuple[Tile, bytes]]:
    """Yield the tiles that further leaves make, with their bytes; the edge grows with it."""
    since = edge.size
    for leaf in leaves:
        yield from edge.add(leaf)
    yield from edge.rest(since)


def _wholes(count: int) -> Iterator[tuple[int, int]]:
    """A row of hashes as subtrees of a power of two, the largest first."""
    start = 0
    while start < count:
        size = 1 << (count - start).bit_length() - 1
        yield start, start + size
        start += size


def all_of(size: int) -> Iterator[Tile]:
    """Every tile of a log of so many entries, in the order of their keys."""
    level = 0
    while size:
        yield from (Tile(level, number) for number in range(size // WIDTH))
        if width := size % WIDTH:
            yield Tile(level, size // WIDTH, width)
        size, level = size // WIDTH, level + 1
