"""One copy's ledger read in full: what is wrong in it by itself, and the tree over its entries."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from storage import bundle, merkle
from storage.errors import Damaged, NotFound, StorageError
from storage.ledger import Ledger
from storage.store import Store
from storage.tiles import Edge, Tile
from storage.tree import read_tile
from storage.vault import Vault

DAMAGE, INCOMPLETE, INFO = "damage", "incomplete", "info"


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """Something that `ledger verify` has found, in a copy or ("") outside all; `weight` says how bad it is."""

    code: str
    what: str
    copy: str = ""
    weight: str = DAMAGE


@dataclass(slots=True)
class Scanned:
    """A copy's ledger: how many entries it has, the root of the tree at the sizes that were asked for and at its end,
    and the hash over each bundle."""

    size: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)
    bundles: list[bytes] = field(default_factory=list)
    faults: list[LedgerFault] = field(default_factory=list)


def scan(store: Store, vault: Vault, sizes: Container[int]) -> Scanned:
    """Read all entries of a copy that are to be believed, and compare its tiles with the tree over them; where a bundle
    cannot be read, that of another copy is taken. Raises Unreachable."""
    found = Scanned(size=Ledger(store).size())
    if (believed := vault.ledger.vouched(store, found.size)) < found.size:
        strange = f"{found.size - believed} entries after the first {believed} are not this repository's"
        found.faults.append(LedgerFault("entries-unsigned", strange, store.name))
        found.size = believed
    edge = Edge()
    for number in range(-(-found.size // bundle.WIDTH)):
        width = min(bundle.WIDTH, found.size - number * bundle.WIDTH)
        leaves = [merkle.leaf(entry) for entry in _entries(store, vault, number, width, found)]
        found.bundles.append(merkle.root(len(leaves), merkle.over(leaves)))
        for leaf in leaves:
            _compare(store, edge.add(leaf), found)
            if edge.size in sizes:
                found.roots[edge.size] = edge.root()
    _compare(store, edge.rest(-1), found)
    found.roots[0], found.roots[found.size] = merkle.EMPTY, edge.root()
    return found


def _entries(store: Store, vault: Vault, number: int, width: int, found: Scanned) -> list[bytes]:
    first = number * bundle.WIDTH
    try:
        return [raw for _, raw, _ in Ledger(store).read(first, first + width)]
    except NotFound:
        found.faults.append(LedgerFault("entries-missing", f"bundle {number} of its entries is not there", store.name))
    except Damaged:
        found.faults.append(
            LedgerFault("entries-damaged", f"bundle {number} of its entries cannot be read", store.name)
        )
    return [raw for _, raw, _ in vault.ledger.read(first, first + width)]


def _compare(store: Store, made: Iterator[tuple[Tile, bytes]], found: Scanned) -> None:
    for tile, data in made:
        try:
            if b"".join(read_tile(store, tile)) != data:
                found.faults.append(
                    LedgerFault("tile-altered", f"{tile.key} is not the tree over its entries", store.name)
                )
        except NotFound:
            found.faults.append(LedgerFault("tile-missing", f"{tile.key} is not there", store.name))
        except StorageError:
            found.faults.append(LedgerFault("tile-altered", f"{tile.key} cannot be read", store.name))
