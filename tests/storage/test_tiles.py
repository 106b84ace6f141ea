"""Tiles: whatever they grew by, they are those of the tree, and every hash of it follows from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import merkle, tiles
from storage.bundle import encode
from storage.checkpoint import Checkpoint
from storage.errors import HistoryChanged
from storage.ledger import Ledger
from storage.memory import Memory
from storage.tiles import Edge, Tile
from tests.storage.test_ledger import events

LEAVES = [merkle.leaf(b"%d" % n) for n in range(70_000)]


@pytest.mark.parametrize(
    ("tile", "key"),
    [(Tile(0, 0), "log/tile/0/000"), (Tile(1, 1234067, 7), "log/tile/1/x001/x234/067.p/7"),
     (Tile(63, 5, 256), "log/tile/63/005")],
)  # fmt: skip
def test_keys(tile: Tile, key: str) -> None:
    assert (tile.key, tiles.parse_key(key)) == (key, tile)


@pytest.mark.parametrize("key", ["log/tile/00/000", "log/tile/0/0", "log/tile/0/000.p/257", "log/tile/entries/000"])
def test_what_is_no_tile(key: str) -> None:
    assert tiles.parse_key(key) is None


@given(st.lists(st.integers(0, 900), max_size=6))
def test_they_grow_to_the_same_tree(steps: list[int]) -> None:
    edge, kept = Edge(), {}
    for step in steps:
        kept.update(tiles.grown(edge, LEAVES[edge.size : edge.size + step]))
    size = sum(steps)
    assert edge.root() == merkle.root(size, merkle.over(LEAVES))
    for tile in tiles.all_of(size):
        each = 256**tile.level
        first = tile.number * tiles.WIDTH * each
        wanted = (LEAVES[first + n * each : first + (n + 1) * each] for n in range(tile.width))
        assert kept[tile] == b"".join(merkle.root(each, merkle.over(row)) for row in wanted)


def test_three_levels() -> None:
    edge = Edge()
    kept = dict(tiles.grown(edge, LEAVES))
    assert {tile for tile in kept if tile.level} >= set(tiles.partial(70_000)) - {Tile(0, 273, 112)}
    assert edge.root() == merkle.root(70_000, merkle.over(LEAVES))
    levels = [tiles.hashes(kept[tile]) for tile in tiles.partial(70_000)]
    assert Edge(70_000, levels).root() == edge.root()


def test_any_proof_can_be_made_from_the_tiles_of_a_ledger() -> None:
    ledger = Ledger(Memory())
    for start in range(0, 700, 70):
        ledger.append(events(70, start))
    nodes, leaves = ledger.nodes(), [merkle.leaf(raw) for _, raw, _ in ledger.read()]
    root = merkle.root(700, nodes)
    for index in (0, 255, 256, 511, 699):
        assert merkle.includes(leaves[index], index, 700, merkle.inclusion(index, 700, nodes), root)
    for size in (1, 255, 256, 300, 512, 699):
        before = merkle.root(size, merkle.over(leaves))
        assert merkle.continues(size, before, 700, root, merkle.consistency(size, 700, nodes))


def test_lost_tiles_are_made_again_from_the_entries() -> None:
    store = Memory()
    ledger = Ledger(store)
    ledger.append(events(600))
    before = dict(store.kept)
    for tile in tiles.all_of(600):
        store.drop(tile.key)
    assert merkle.root(600, ledger.nodes())
    assert ledger.complete() == len(list(tiles.all_of(600)))
    assert store.kept == before


def test_a_damaged_tile_or_entry_is_not_built_upon() -> None:
    store = Memory()
    ledger = Ledger(store)
    grown = ledger.add(events(300))
    trusted = Checkpoint("o", grown.size, grown.root)
    right = dict(store.kept)
    store.kept["log/tile/1/000.p/1"] = bytes(32)
    assert ledger.add(events(1, 300), trusted).root == merkle.root(301, merkle.over(_leaves(ledger)))
    store.kept = {**right, "log/tile/entries/000": encode([one.to_bytes() for one in events(256, 1)])}
    assert ledger.add(events(1, 300), trusted).size == 301, "the tiles are right: an audit tells of the bundle"
    del store.kept["log/tile/1/000.p/1"]
    del store.kept["log/tile/0/000"]
    with pytest.raises(HistoryChanged):
        ledger.add(events(1, 301), trusted)


def _leaves(ledger: Ledger) -> list[bytes]:
    return [merkle.leaf(raw) for _, raw, _ in ledger.read()]
