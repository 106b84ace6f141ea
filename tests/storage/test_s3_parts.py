"""How files are cut for S3 stores: within the limits, whatever their size, and known again by the ETag."""

from __future__ import annotations

from hashlib import md5

from hypothesis import given
from hypothesis import strategies as st

from storage.s3_parts import LIMIT, PART, Tag, part_size, parts_at_once

TIB = 1 << 40


@given(st.integers(1, 5 * TIB))
def test_parts_are_within_what_s3_takes(size: int) -> None:
    part = part_size(size)
    assert 5 << 20 <= part <= 5 << 30
    assert -(-size // part) <= LIMIT
    assert part == PART or -(-size // (part - (1 << 20))) > LIMIT, "no larger than needed"


@given(st.integers(1, 5 * TIB), st.integers(1, 64))
def test_memory_does_not_grow_until_one_part_is_as_large(size: int, most: int) -> None:
    part = part_size(size)
    together = parts_at_once(part, most)
    assert 1 <= together <= most
    assert together * part <= max(part, 128 << 20)


@given(st.lists(st.binary(max_size=40)), st.integers(1, 50))
def test_the_etag_of_parts_does_not_depend_on_how_bytes_came(pieces: list[bytes], part: int) -> None:
    tag, whole = Tag(part), b"".join(pieces)
    for piece in pieces:
        tag.feed(piece)
    cut = [whole[start : start + part] for start in range(0, len(whole), part)]
    wanted = md5(b"".join(md5(one).digest() for one in cut)).hexdigest()
    assert tag.value() == f"{wanted}-{len(cut)}"


def test_the_etag_of_one_put_is_its_md5() -> None:
    tag = Tag()
    tag.feed(b"one ")
    tag.feed(b"put")
    assert tag.value() == md5(b"one put").hexdigest()
