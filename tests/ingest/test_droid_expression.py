"""Each construct of PRONOM's syntax fits the bytes that it stands for, and no others."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.droid_expression import expression
from ingest.droid_sets import BadExpression

CONSTRUCTS = [
    ("4D5a", [b"MZ"], [b"mz", b"M"]),
    ("4D 5A\n00", [b"MZ\0"], [b"MZ0"]),
    ("'a.b' 00", [b"a.b\0"], [b"axb\0"]),
    ("00'C' 00'o'", [b"\0C\0o"], [b"Co"]),
    ("41??42", [b"A\nB", b"A\xffB"], [b"AB"]),
    ("41{2}42", [b"A\n\nB"], [b"A\nB"]),
    ("41{0-2}42", [b"AB", b"A12B"], [b"A123B"]),
    ("41{1-*}42", [b"A1B", b"A" + b"\n" * 99 + b"B"], [b"AB"]),
    ("41*42", [b"AB", b"A\0\0B"], [b"A"]),
    ("(00|01 02|'x')FF", [b"\0\xff", b"\x01\x02\xff", b"x\xff"], [b"\x01\xff"]),
    ("[30:39]", [b"0", b"9"], [b"/", b":"]),
    ("['6'-'7'] 00", [b"6\0", b"7\0"], [b"8\0"]),
    ("[!61:7A]", [b"`", b"{"], [b"a", b"z"]),
    ("[!00]", [b"\x01", b"\n"], [b"\0"]),
    ("[00 C2 DE 'A'-'C' &80]", [b"\0", b"B", b"\xde", b"\x80", b"\xff"], [b"D", b"\x7f"]),
    ("['aeiou']", [b"a", b"u"], [b"b"]),
    ("[&01]", [b"\x01", b"\xff"], [b"\0", b"\xfe"]),
    ("[!&01]00", [b"\0\0", b"\xfe\0"], [b"\x01\0"]),
    ("[~81]", [b"\x01", b"\x80"], [b"\x7e", b"\0"]),
    ("[!0000]", [b"\0\x01", b"\x01\0", b"\xff\xff"], [b"\0\0"]),
    ("[0000:1000]", [b"\0\0", b"\x0f\xff", b"\x10\0"], [b"\x10\x01", b"\x11\0"]),
    ("[!0102:0304]", [b"\x01\x01", b"\x03\x05"], [b"\x01\x02", b"\x02\xff", b"\x03\x04"]),
    ("[00:FF]", [b"\n"], []),
    ("[']']", [b"]"], [b"'"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fit", "unfit"), CONSTRUCTS)
def test_a_construct_fits_what_it_stands_for(text: str, fit: list[bytes], unfit: list[bytes]) -> None:
    compiled = re.compile(b"(?s)" + expression(text))
    assert [data for data in fit if not compiled.fullmatch(data)] == []
    assert [data for data in unfit if compiled.fullmatch(data)] == []


@pytest.mark.parametrize(
    "text",
    ["", " ", "*", "??{3}", "(00|)", "(|00)", "()", "4", "4G", "(00|01", "00|01", "((00))", "00)", "{2-1}", "{x}",
     "00{99999999999}", "?", "[", "[]", "[30:]", "[39:30]", "[00C2]", "[!00:FF]", "[000000:01]", "'a", "'ж'", "\\x00",
     "[" + "00" * 17 + ":" + "FF" * 17 + "]"],
)  # fmt: skip
def test_what_says_nothing_clear_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        expression(text)


@given(st.binary(min_size=2, max_size=3), st.binary(min_size=2, max_size=3), st.binary(min_size=2, max_size=3))
def test_ranges_of_several_bytes_are_in_their_order(one: bytes, other: bytes, data: bytes) -> None:
    first, last = sorted([one[:2], other[:2]])
    inside = f"{first.hex()}:{last.hex()}"
    within, outside = (re.compile(b"(?s)" + _or_none(text)) for text in (f"[{inside}]", f"[!{inside}]"))
    assert bool(within.fullmatch(data[:2])) is (first <= data[:2] <= last)
    assert bool(outside.fullmatch(data[:2])) is not (first <= data[:2] <= last)


def _or_none(text: str) -> bytes:
    try:
        return expression(text)
    except BadExpression:  # of everything, nothing is left
        return rb"(?!)"


@given(st.text(st.sampled_from("0aF'[]()|!&~:-{}*? 1,"), max_size=30))
def test_any_text_is_converted_or_refused(text: str) -> None:
    with suppress(BadExpression):
        re.compile(b"(?s)" + expression(text))
