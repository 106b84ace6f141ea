"""The Merkle tree over the ledger's entries, pure: roots and proofs (RFC 9162 §2.1; RFC 6962 §2.1 is the same tree)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

Nodes = Callable[[int, int], bytes]
"""The hash over the 2**level leaves that begin at leaf index * 2**level, by level and index: only whole subtrees."""

EMPTY = sha256(b"").digest()
"""The root over no leaves."""


def leaf(entry: bytes) -> bytes:
    """The hash of an entry (§2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def over(leaves: Sequence[bytes]) -> Nodes:
    """The subtrees over hashes of leaves that are in memory."""

    def nodes(level: int, index: int) -> bytes:
        return node(nodes(level - 1, 2 * index), nodes(level - 1, 2 * index + 1)) if level else leaves[index]

    return nodes


def root(size: int, nodes: Nodes) -> bytes:
    """The root over the first `size` leaves (§2.1.1)."""
    return _hash(0, size, nodes) if size else EMPTY


def inclusion(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves, lowest first (§2.1.3.1)."""
    return _path(index, 0, size, nodes)


def consistency(first: int, second: int, nodes: Nodes) -> list[bytes]:
    """The proof that the tree of `first` leaves is how that of `second` began (§2.1.4.1); none is needed where `first`
    is 0 or `second`."""
    return _subproof(first, 0, second, nodes, known=True) if 0 < first < second else []


def includes(entry: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that the leaf hash `entry` is leaf `index` of the tree with that root (§2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, entry
    for other in proof:
        if not last:
            return False
        if position & 1 or position == last:
            found = node(other, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node(found, other)
        position, last = position >> 1, last >> 1
    return not last and found == root


def continues(first: int, before: bytes, second: int, after: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree `after` of `second` leaves began as `before`, of `first` (§2.1.4.2)."""
    if first in (0, second):
        return not proof and (before == EMPTY if first == 0 else before == after)
    if not 0 < first < second or not proof:
        return False
    hashes = list(proof) if first & (first - 1) else [before, *proof]
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = hashes[0]
    for other in hashes[1:]:
        if not last:
            return False
        if position & 1 or position == last:
            old, new = node(other, old), node(other, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node(new, other)
        position, last = position >> 1, last >> 1
    return not last and old == before and new == after


def _hash(start: int, stop: int, nodes: Nodes) -> bytes:
    """The root over leaves that begin at a multiple of a power of two no smaller than their number."""
    count = stop - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(count)
    return node(_hash(start, middle, nodes), _hash(middle, stop, nodes))


def _path(index: int, start: int, stop: int, nodes: Nodes) -> list[bytes]:
    if stop - start == 1:
        return []
    middle = start + _split(stop - start)
    if index < middle:
        return [*_path(index, start, middle, nodes), _hash(middle, stop, nodes)]
    return [*_path(index, middle, stop, nodes), _hash(start, middle, nodes)]


def _subproof(first: int, start: int, stop: int, nodes: Nodes, *, known: bool) -> list[bytes]:
    """`known`: whether who verifies has this subtree's hash already, as the root of the earlier tree."""
    if first == stop:
        return [] if known else [_hash(start, stop, nodes)]
    middle = start + _split(stop - start)
    if first <= middle:
        return [*_subproof(first, start, middle, nodes, known=known), _hash(middle, stop, nodes)]
    return [*_subproof(first, middle, stop, nodes, known=False), _hash(start, middle, nodes)]


def _split(count: int) -> int:
    """The largest power of two below a count over 1."""
    return 1 << (count - 1).bit_length() - 1
