"""Matching by literals says what `re` says of every pattern, whichever finder looks for them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ingest import finder as plain
from ingest.bounded import TookTooLong
from ingest.finder import Finder
from ingest.identify import Format
from ingest.identify_fido import load_signatures
from ingest.literals import literals
from ingest.matcher import LiteralMatcher
from ingest.matcher_re import Patterns, ReMatcher
from ingest.needs import needed, numbered, wanted
from ingest.signatures import Pattern, Rule, Signatures, settle

SIGNATURES = load_signatures()
NEEDS = needed(SIGNATURES)
PIECES = sorted(
    {one for pattern in numbered(SIGNATURES) for found in literals(pattern.expression) for one in found.ways}
)


def by_literals(patience: float = 20) -> LiteralMatcher:
    return LiteralMatcher(SIGNATURES, NEEDS, plain.finder(wanted(NEEDS), b""), patience)


EVERY = [signature for rule in SIGNATURES.rules for signature in rule.signatures]
REFERENCE, PLAIN = ReMatcher(SIGNATURES), by_literals()


@st.composite
def stitched(draw: st.DrawFn) -> bytes:
    """Bytes as signatures want them: pieces of theirs, some cut, with gaps between, and perhaps a last newline."""
    piece = st.sampled_from(PIECES)
    cut = st.builds(lambda data, end: data[:end], piece, st.integers(1, 12))
    gap = st.integers(0, 40).map(bytes)
    parts = draw(st.lists(st.one_of(piece, piece, cut, gap, st.binary(max_size=6)), max_size=12))
    return b"".join(parts) + draw(st.sampled_from([b"", b"\n", b"\r\n"]))


def skeleton(pattern: Pattern) -> bytes:
    """The literals of a pattern where it wants them, and zeros between: most patterns fit."""
    data = b""
    for literal in literals(pattern.expression):
        data = data.ljust(literal.offset or 0, b"\0") + literal.ways[-1]
    return data


@st.composite
def skeletons(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Head and tail as one signature wants them, or nearly so."""
    signature = draw(st.sampled_from(EVERY))
    head = b"".join(skeleton(one) for one in signature if one.position != "EOF")
    tail = b"".join(skeleton(one) for one in signature if one.position == "EOF")
    noise = st.one_of(st.just(b""), st.just(b""), st.sampled_from([b"\n", b"\0"]), st.binary(max_size=5))
    return draw(noise) + head + draw(noise), draw(noise) + tail + draw(noise)


@settings(max_examples=400)
@given(st.one_of(skeletons(), skeletons(), st.tuples(stitched(), stitched())))
def test_it_says_what_re_says(ends: tuple[bytes, bytes]) -> None:
    head, tail = ends
    assume(head)  # a file without bytes has no signature to be looked for
    whole = head + tail
    assert PLAIN.rules(head, tail) == REFERENCE.rules(head, tail)
    assert PLAIN.rules(whole, whole) == REFERENCE.rules(whole, whole)


PARTS = [b"a", b"ab", b"c", b"abcd", b"\0\0\0\0", b"abcdef", b"<?xml v", b"z" * 70]
parts = st.one_of(
    st.sampled_from(PARTS).map(re.escape),
    st.sampled_from([b".*", b".{2}", b".{0,3}", b"[ab]", b"a?", b"(?:ab|c)", b"(?:abcd|bcde)", b"(?:abcd)?"]),
)
patterns = st.builds(
    lambda position, several: Pattern(position, (rb"(?s)\A" if position == "BOF" else b"(?s)") + b"".join(several)),
    st.sampled_from(["BOF", "EOF", "VAR"]), st.lists(parts, max_size=4),
)  # fmt: skip


@given(st.data(), st.lists(patterns, min_size=1, max_size=6, unique=True))
def test_so_it_does_of_any_table(data: st.DataObject, several: list[Pattern]) -> None:
    """Signatures that share patterns, have none, or short ones alone."""
    signature = st.lists(st.sampled_from(several), max_size=3).map(tuple)
    made = data.draw(st.lists(st.lists(signature, min_size=1, max_size=3).map(tuple), min_size=1, max_size=5))
    rules = tuple(Rule(Format(f"fmt/{n}", "", "", ""), one, frozenset(), frozenset(), "") for n, one in enumerate(made))
    table, text = Signatures("1", rules, {}), st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map(b"".join)
    head, tail = data.draw(text), data.draw(text)
    every = needed(table)
    matcher = LiteralMatcher(table, every, plain.finder(wanted(every), b""))
    assert matcher.rules(head, tail) == ReMatcher(table).rules(head, tail)


def test_most_skeletons_fit() -> None:
    """What the property above is worth."""
    assert sum(Patterns()(one, skeleton(one), skeleton(one)) for one in numbered(SIGNATURES)) > 1300


@pytest.fixture(scope="module")
def fast() -> Finder:
    hyperscan = pytest.importorskip("ingest.finder_hyperscan")
    database = hyperscan.compiled(wanted(NEEDS))
    assert database, "Hyperscan refuses the literals, or misses one: the plain finder would be used"
    return hyperscan.finder(wanted(NEEDS), database)


@settings(max_examples=500)
@given(data=stitched())
def test_hyperscan_finds_what_is_there(fast: Finder, data: bytes) -> None:
    assert sorted(fast(data)) == sorted(plain.finder(wanted(NEEDS), b"")(data))


def test_bytes_made_to_backtrack_are_given_up() -> None:
    hostile = b'<?xml version="1.0"?><svg version="1.1" ' * 3_000  # fmt/92 has three gaps without bound
    before = time.monotonic()
    with suppress(TookTooLong):
        by_literals(0.5).rules(hostile, hostile)
    assert time.monotonic() - before < 10  # without the bound, over a minute


def test_what_ends_a_file_is_sought_near_its_end() -> None:
    """Where `re` is left to begin everywhere, each of the 30,000 ends of a JPEG (fmt/43) is followed to no avail."""
    jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0"
    before = time.monotonic()
    for zeros, puids in ((65_000, ["fmt/43"]), (66_000, [])):
        hostile = jpeg + b"\xff\xd9" * 30_000 + bytes(zeros)
        assert [rule.format.puid for rule in PLAIN.rules(hostile, hostile)] == puids
    assert time.monotonic() - before < 5


rules = st.lists(st.integers(0, 9), unique=True).flatmap(
    lambda numbers: st.tuples(
        *(st.frozensets(st.integers(0, 9)).map(lambda beats, number=number: _rule(number, beats)) for number in numbers)
    )
)


def _rule(number: int, beats: Iterable[int]) -> Rule:
    return Rule(Format(f"fmt/{number}", "", "", ""), (), frozenset(), frozenset(f"fmt/{one}" for one in beats), "")


@given(rules, st.sets(st.integers(0, 9)))
def test_to_settle_what_fits_is_to_try_in_order(table: tuple[Rule, ...], fitting: set[int]) -> None:
    """Fido.match_formats: a format that one found before has priority over is not tried."""
    fits = {f"fmt/{number}" for number in fitting}
    found: list[Rule] = []
    for rule in table:
        beaten = any(rule.format.puid in other.beats for other in found)
        if not beaten and rule.format.puid in fits:
            found.append(rule)
    found = [rule for rule in found if not any(rule.format.puid in other.beats for other in found)]
    assert settle(rule for rule in table if rule.format.puid in fits) == found
