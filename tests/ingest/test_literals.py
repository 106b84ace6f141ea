"""What must be there for an expression to fit: read off examples, and never more than what `re` needs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.identify_fido import load_signatures
from ingest.literals import Literal, literals, reach
from ingest.needs import numbered

EXPRESSIONS = [pattern.expression for pattern in numbered(load_signatures())]
SHORT = [one for one in EXPRESSIONS if not re.search(rb"\*|\d{3}|\{\d\d,", one)]  # matches are made up quickly


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (rb"(?s)\A%PDF-1\.4", [(b"%PDF-1.4", 0)]),
        (rb"(?s)\ARIFF.{4}WAVE.*fmt ", [(b"RIFF", 0), (b"WAVE", 8), (b"fmt ", None)]),
        (rb"(?s)\A.{2}[ab]\x00\n", [(b"\0\n", 3)]),
        (rb"(?s)ab{2}c?d", [(b"a", 0), (b"d", None)]),
        (rb"(?s)\A(?:ab|cd)ef(g|h){2}i", [(b"abef,cdef", 0), (b"i", None)]),
        (rb"(?s)\A(?:a|)b(?:c|de)f.g", [(b"abcf,abdef,bcf,bdef", 0), (b"g", None)]),
        (
            rb"(?s)\A<(E|e)(N|n)(D|d)(O|o)(F|f)",
            [
                (b"<ENDO,<ENDo,<ENdO,<ENdo,<EnDO,<EnDo,<EndO,<Endo,<eNDO,<eNDo,<eNdO,<eNdo,<enDO,<enDo,<endO,<endo", 0),
                (b"F,f", 5),
            ],
        ),
        (rb"(?s)(?:a\||\x2c.|c)d", [(b"d", None)]),
        (rb"(?s)(?:a\||c)d(?:e|f)?g", [(b"a|d,cd", 0), (b"g", None)]),
        (rb"(?s)a(?:(?:b|c)d|e)f", [(b"a", 0), (b"f", None)]),
        (rb"(?s)a(?!bc)d\Z", [(b"a", 0), (b"d", None)]),
        (rb"(?s)\A\[a\]\{\(", [(b"[a]{(", 0)]),
        (rb"(?s)\A[]a]b[^]]c", [(b"b", 1), (b"c", 3)]),
        (rb"\A\Z", []),
        (rb"(?s)ab|cd", []),
        (rb"(?i)ab", []),
        (rb"(?s)a(?i:b)c", []),
        (rb"(?s)(a)\1", []),
        (rb"(?s)ab\bcd", []),
    ],
)
def test_examples(expression: bytes, expected: list[tuple[bytes, int | None]]) -> None:
    re.compile(expression)
    assert literals(expression) == [Literal(tuple(ways.split(b",")), offset) for ways, offset in expected]


@given(st.data())
def test_what_an_expression_matches_holds_its_literals(data: st.DataObject) -> None:
    expression = data.draw(st.sampled_from(SHORT))
    found = re.search(expression, data.draw(st.from_regex(expression)))
    assert found
    for literal in literals(expression):
        if literal.offset is None:
            assert any(way in found[0] for way in literal.ways)
        else:
            assert found[0][literal.offset :].startswith(literal.ways)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (rb"(?s)\xff\xd9.{0,65536}\Z", 65538),
        (rb"(?s)a{3}(?:bc|d|\x0a\|)[ef]{2,4}g?\Z", 10),
        (rb"(?s)\x00\Z", 1),
        (rb"(?s)ab", None),
        (rb"(?s)a\\Z", None),
        (rb"(?s)a.*\Z", None),
        (rb"(?s)a.{2,}\Z", None),
        (rb"(?s)a(?:b(?:c|d))\Z", None),
        (rb"(?s)a|b\Z", None),
    ],
)
def test_how_far_from_the_end_a_match_begins(expression: bytes, expected: int | None) -> None:
    assert reach(expression) == expected


def test_all_but_one_of_pronoms_expressions_need_something() -> None:
    assert [one for one in EXPRESSIONS if not literals(one)] == [rb"\A\Z"]
