"""The ledger's Merkle tree as it lies in copies: tiles read, made again from what is below them, and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from storage import merkle, tiles
from storage.durable import told
from storage.errors import Damaged, NotFound, StorageError
from storage.store import Opens, Store
from storage.tiles import Edge, Tile

Entries = Callable[[int, int], list[bytes]]
"""The first entries of a bundle, by its number and how many."""
_FEW = 2  # files; more become durable together
_RUN = "log"  # names the scratch space; under the commit lock there is only one


class Tree:
    """Hashes of the tree, from the tiles of some copies and, where none has them, from the entries."""

    def __init__(self, stores: Sequence[Store], entries: Entries) -> None:
        self._stores, self._entries = stores, entries
        self._rows: dict[Tile, list[bytes]] = {}

    def row(self, tile: Tile) -> list[bytes]:
        """The first hashes of a tile, `width` many; raise StorageError where there are no entries for them."""
        if tile not in self._rows:
            self._rows[tile] = self._read(tile)
        return self._rows[tile]

    def _read(self, tile: Tile) -> list[bytes]:
        for store in self._stores:
            with suppress(StorageError):
                return read_tile(store, tile)
        if not tile.level:
            return [merkle.leaf(entry) for entry in self._entries(tile.number, tile.width)]
        first = tile.number * tiles.WIDTH
        return [self._whole(Tile(tile.level - 1, number)) for number in range(first, first + tile.width)]

    def _whole(self, tile: Tile) -> bytes:
        return merkle.root(tiles.WIDTH, merkle.over(self._read(tile)))

    def nodes(self, level: int, index: int) -> bytes:
        """As `merkle.Nodes`."""
        tile, start = tiles.holding(level, index)
        row = self.row(tile)[start:]
        return merkle.root(len(row), merkle.over(row))

    def edge(self, size: int) -> Edge:
        """The right edge over the first `size` entries."""
        rows: list[list[bytes]] = []
        for tile in tiles.partial(size):
            rows.extend([] for _ in range(tile.level - len(rows)))
            rows.append(list(self.row(tile)))
        return Edge(size, rows)

    def root(self, size: int) -> bytes:
        return self.edge(size).root()


def read_tile(store: Store, tile: Tile) -> list[bytes]:
    """The first hashes of a tile in one copy, from its own file, or a wider one; raise NotFound or Damaged."""
    for width in dict.fromkeys((tile.width, tiles.WIDTH)):
        with suppress(NotFound):
            return _read(store, tile._replace(width=width))[: tile.width]
    wider = (tiles.parse_key(key) for key in store.listing(f"{tile._replace(width=tiles.WIDTH).key}.p/"))
    if found := max((one for one in wider if one and one.width > tile.width), default=None):
        return _read(store, found)[: tile.width]
    raise NotFound(tile.key, store.name)


def _read(store: Opens, tile: Tile) -> list[bytes]:
    with told(store.name), store.open(tile.key) as stream:
        data = stream.read()
    if len(data) != tile.width * tiles.HASH:
        raise Damaged(f"{tile.key} in {store.name}")
    return tiles.hashes(data)


def write(store: Store, made: Iterable[tuple[Tile, bytes]], *sizes: int) -> None:
    """Tiles into a copy, durable on return; narrower ones of when there were so many entries go."""
    grown = dict(made)
    if len(grown) <= _FEW:
        for tile, data in grown.items():
            store.replace(tile.key, data)
    else:
        _write_together(store, grown.items())
    wider = {(tile.level, tile.number) for tile in grown}
    for tile in {tile for size in sizes for tile in tiles.partial(size)}:
        if tile[:2] in wider and tile not in grown:
            with suppress(StorageError):  # it does no harm
                store.drop(tile.key)


def _write_together(store: Store, made: Iterable[tuple[Tile, bytes]]) -> None:
    with store.batch(_RUN) as batch:
        pending = []
        for tile, data in made:
            incoming = store.incoming(_RUN)
            incoming.write(data)
            pending.append(incoming.finish(tile.key))
        batch.flush()
        batch.place(pending)
        batch.flush()


def complete(store: Store, tree: Tree, size: int) -> int:
    """Make the tiles that a copy lacks of a log of so many entries, durable on return; return how many."""
    missing = [tile for tile in tiles.all_of(size) if not _has(store, tile)]
    write(store, ((tile, b"".join(tree.row(tile))) for tile in missing))
    return len(missing)


def _has(store: Opens, tile: Tile) -> bool:
    with suppress(NotFound):
        return store.size(tile.key) > 0
    return False
