"""What every copy has to have below `log/`: bundles and tiles follow from the entries that the catalogue knows, and the
checkpoint is the one that is remembered outside the vault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

from fixity.audit import Expected, Finding
from fixity.reading import END, START
from repository.catalogue import Catalogue
from storage import bundle, layout, tiles
from storage.checkpoint import Checkpoint
from storage.digest import Digest, sha256
from storage.errors import MarkDamaged, NotFound, StorageError
from storage.event import parse_event
from storage.seal import Seal, is_signed
from storage.store import Opens
from storage.tiles import Edge, Tile
from storage.tree import Tree
from storage.vault import Vault

STRANGE = "It is a bundle of entries that are not the ledger's."


def full(
    catalogue: Catalogue, begin: int = 0, end: int | None = None, after: str = START, last: str = END
) -> Iterator[Expected]:
    """Yield the bundles and tiles that are full, and so never change, ascending by key: those that entries [begin, end)
    filled, with keys above `after` and up to `last`."""
    size = catalogue.position if end is None else min(end, catalogue.position)
    for tile in _full_tiles(begin, size):
        if after < tile.key <= last:
            yield _expected(tile.key, b"".join(_tree(catalogue).row(tile)))
    for number in range(begin // bundle.WIDTH, size // bundle.WIDTH):
        if after < (key := bundle.bundle_key(number)) <= last:
            yield _expected(key, bundle.encode(_entries(catalogue, number, bundle.WIDTH)))


def _full_tiles(begin: int, size: int) -> Iterator[Tile]:
    level, each = 0, tiles.WIDTH
    while size >= each:
        yield from (Tile(level, number) for number in range(begin // each, size // each))
        level, each = level + 1, each * tiles.WIDTH


def ends(catalogue: Catalogue, vault: Vault, seal: Seal) -> list[Expected]:
    """What the next entry replaces, ascending by key: the checkpoint, and the tiles and the bundle that are not full.
    Ask under the commit lock."""
    found, size, mark = [], catalogue.position, None
    with suppress(MarkDamaged):
        mark = seal.mark()
    if mark and mark[0].size == size and is_signed(mark[1]):
        found.append(_expected(layout.CHECKPOINT, mark[1]))
    edge = _edge(catalogue, vault, mark[0].root if mark and mark[0].size == size else b"")
    found += [_expected(tile.key, data) for tile, data in edge.rest(-1)]
    return [*found, *filter(None, [last_bundle(catalogue)])]


def last_bundle(catalogue: Catalogue) -> Expected | None:
    """The ledger's right-most bundle where it is not full. Ask under the commit lock."""
    number, width = divmod(catalogue.position, bundle.WIDTH)
    if not width:
        return None
    return _expected(bundle.bundle_key(number, width), bundle.encode(_entries(catalogue, number, width)))


def remembered(catalogue: Catalogue) -> tuple[str, Digest] | None:
    """Key and digest of the ledger's right-most bundle. Ask under the commit lock."""
    last = last_bundle(catalogue)
    return (last.key, last.digest) if last else None


def _edge(catalogue: Catalogue, vault: Vault, root: bytes) -> Edge:
    """The tree's right edge, from tiles where they have the root that is known, else from all entries."""
    with suppress(StorageError):
        if root and (edge := Tree(vault.copies, _no_entries).edge(catalogue.position)).root() == root:
            return edge
    return _tree(catalogue).edge(catalogue.position)


class Made:
    """Stands beside the copies as one that has what is below `log/` (`storage.store.Opens`): made from the entries that
    the catalogue knows, so long as they are those of the newest checkpoint."""

    name, at_once = "the catalogue", 1

    def __init__(self, catalogue: Catalogue, seal: Seal) -> None:
        self._catalogue, self._seal = catalogue, seal
        self._proved: tuple[int, bool] = (-1, False)

    def open(self, key: str) -> BinaryIO:
        return BytesIO(self._bytes(key))

    def size(self, key: str) -> int:
        return len(self._bytes(key))

    def _bytes(self, key: str) -> bytes:
        data = None
        if key.startswith(layout.LOG) and (mark := self._seal.mark()) and self._is_proved(mark[0]):
            data = mark[1] if key == layout.CHECKPOINT else self._made(key)
        if data is None:
            raise NotFound(key, self.name)
        return data

    def _made(self, key: str) -> bytes | None:
        if tile := tiles.parse_key(key):
            return b"".join(_tree(self._catalogue).row(tile)) if _covers(self._catalogue, tile) else None
        place = bundle.parse_key(key)
        return bundle.encode(_entries(self._catalogue, *place)) if place else None

    def _is_proved(self, mark: Checkpoint) -> bool:
        """Whether the catalogue's entries are those of the mark: asked once for each size."""
        if self._proved[0] != mark.size:
            known = mark.size <= self._catalogue.position
            self._proved = mark.size, known and _tree(self._catalogue).root(mark.size) == mark.root
        return self._proved[1]


def judged(catalogue: Catalogue, store: Opens, extra: Finding, signed: int | None) -> Finding | None:
    """What nobody expects below `log/`: None for what an append left behind, damage for entries that are not the
    ledger's and beyond those that the copy's own checkpoint covers, else as it is: another history is for a person."""
    if extra.key == layout.CHECKPOINT:
        return None
    if tile := tiles.parse_key(extra.key):
        return None if tile.width < tiles.WIDTH and _covers(catalogue, tile) else extra
    place = bundle.parse_key(extra.key)
    known = None if place == divmod(catalogue.position, bundle.WIDTH) else extra  # the ledger's end is read by itself
    try:
        with store.open(extra.key) as stream:
            data = stream.read()
        entries = bundle.decode(data)
        for entry in entries:
            parse_event(entry)
    except (ValueError, StorageError, OSError):
        return known
    if not place or not entries or len(entries) != place[1]:
        return known
    if _entries(catalogue, *place) == entries:
        return None
    if signed is None or place[0] * bundle.WIDTH + place[1] <= signed:
        return known
    return replace(extra, outcome="altered", found=sha256(data), why=STRANGE)


def _covers(catalogue: Catalogue, tile: Tile) -> bool:
    """Whether the ledger has come to where a tile was so wide."""
    return (tile.number * tiles.WIDTH + tile.width) << 8 * tile.level <= catalogue.position


def _tree(catalogue: Catalogue) -> Tree:
    return Tree([], lambda number, width: _entries(catalogue, number, width))


def _no_entries(number: int, width: int) -> list[bytes]:
    raise StorageError("no tile has it")


def _entries(catalogue: Catalogue, number: int, width: int) -> list[bytes]:
    """The first entries of a bundle; fewer where there are not so many."""
    first = number * bundle.WIDTH
    query = "select raw from events where entry >= ? and entry < ? order by entry"
    return [row["raw"] for row in catalogue.rows(query, first, first + width)]


def _expected(key: str, data: bytes) -> Expected:
    return Expected(key, sha256(data), len(data))
