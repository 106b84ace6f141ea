"""The Merkle tree: roots known from RFC 6962's implementations, and proofs that hold for their tree alone."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import merkle

_KNOWN = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", bytes(range(0x40, 0x44)), bytes(range(0x50, 0x58)),
          bytes(range(0x60, 0x70))]  # fmt: skip
_LEAVES = [merkle.leaf(str(n).encode()) for n in range(300)]
_NODES = merkle.over(_LEAVES)


@pytest.mark.parametrize(
    ("size", "root"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_known_roots(size: int, root: str) -> None:
    assert merkle.root(size, merkle.over([merkle.leaf(data) for data in _KNOWN])).hex() == root


@given(st.integers(1, 300), st.data())
def test_an_inclusion_proof_holds_for_its_leaf_alone(size: int, data: st.DataObject) -> None:
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    root, proof = merkle.root(size, _NODES), merkle.inclusion(index, size, _NODES)
    assert merkle.includes(_LEAVES[index], index, size, proof, root)
    assert merkle.includes(_LEAVES[other], other, size, proof, root) is (other == index)
    assert not merkle.includes(_LEAVES[index], index, size, [*proof, root], root)
    for n in range(len(proof)):
        wrong = [*proof[:n], sha256(proof[n]).digest(), *proof[n + 1 :]]
        assert not merkle.includes(_LEAVES[index], index, size, wrong, root)
        assert not merkle.includes(_LEAVES[index], index, size, proof[:n], root)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_consistency_proof_holds_for_its_trees_alone(one: int, other: int) -> None:
    first, second = sorted((one, other))
    before, after = merkle.root(first, _NODES), merkle.root(second, _NODES)
    proof = merkle.consistency(first, second, _NODES)
    assert merkle.continues(first, before, second, after, proof)
    if 0 < first < second:
        forged = merkle.over([merkle.leaf(b"another"), *_LEAVES[1:]])
        assert not merkle.continues(first, merkle.root(first, forged), second, after, proof)
        assert not merkle.continues(first, before, second, merkle.root(second, forged), proof)
        assert not merkle.continues(first, before, second, after, proof[:-1])
