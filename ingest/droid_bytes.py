"""A signature of DROID's XML → patterns: its byte sequences, of which all have to fit.

The meaning is DROID's own: each sub-sequence has an anchor and fragments left and right of it, numbered away from the
anchor; those with one number are alternatives. The offset of the first sub-sequence counts from the beginning of the
file, in sequences from the end that of the last one from there; every other counts from its neighbour, and reaches as
far as the bytes do: a maximum that is named there has no effect, as in DROID.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from lxml import etree

from ingest.droid_expression import expression, gap
from ingest.droid_sets import BadExpression
from ingest.signatures import Pattern

_POSITIONS: Final = {"BOFoffset": "BOF", "EOFoffset": "EOF", "Variable": "VAR"}


def patterns(signature: etree._Element) -> tuple[Pattern, ...]:
    """Return what an InternalSignature asks for; raise BadExpression."""
    found = tuple(_pattern(sequence) for sequence in signature.iterfind("{*}ByteSequence"))
    if not found:
        raise BadExpression("it has no byte sequence")
    return found


def _pattern(sequence: etree._Element) -> Pattern:
    reference = sequence.get("Reference", "Variable")
    if reference not in _POSITIONS:
        raise BadExpression(f"offsets of the kind {reference} are not known")
    position = _POSITIONS[reference]
    subs = sequence.findall("{*}SubSequence")
    if not subs:
        raise BadExpression("a byte sequence has no sub-sequence")
    return Pattern(position, b"(?s)" + b"".join(_from_end(subs) if position == "EOF" else _from_start(position, subs)))


def _from_start(position: str, subs: list[etree._Element]) -> Iterator[bytes]:
    """From the left: each sub-sequence after its offset. One that may be anywhere is sought without an anchor."""
    first, *later = subs
    if position == "BOF":
        yield rb"\A" + gap(*_window(first, "SubSeqMinOffset", "SubSeqMaxOffset"))
    elif least := _number(first, "SubSeqMinOffset"):
        yield rb"\A" + gap(least, None)
    yield _body(first)
    for sub in later:
        yield gap(_number(sub, "SubSeqMinOffset"), None) + _body(sub)


def _from_end(subs: list[etree._Element]) -> Iterator[bytes]:
    """Each sub-sequence before its offset, which counts to the left from the one that follows."""
    for sub, _ in pairwise(subs):
        yield _body(sub) + gap(_number(sub, "SubSeqMinOffset"), None)
    yield _body(subs[-1]) + gap(*_window(subs[-1], "SubSeqMinOffset", "SubSeqMaxOffset")) + rb"\Z"


def _body(sub: etree._Element) -> bytes:
    left = _fragments(sub, "{*}LeftFragment")
    right = _fragments(sub, "{*}RightFragment")
    before = [_either([expression(_text(one)) + _space(one) for one in left[place]]) for place in sorted(left)[::-1]]
    after = [_either([_space(one) + expression(_text(one)) for one in right[place]]) for place in sorted(right)]
    return b"".join([*before, expression(sub.findtext("{*}Sequence") or ""), *after])


def _fragments(sub: etree._Element, name: str) -> dict[int, list[etree._Element]]:
    found = defaultdict(list)
    for fragment in sub.iterfind(name):
        found[_number(fragment, "Position")].append(fragment)
    return found


def _either(choices: list[bytes]) -> bytes:
    return choices[0] if len(choices) == 1 else b"(?:" + b"|".join(choices) + b")"


def _space(fragment: etree._Element) -> bytes:
    return gap(*_window(fragment, "MinOffset", "MaxOffset"))


def _window(element: etree._Element, least: str, most: str) -> tuple[int, int]:
    """The offsets; a maximum that is missing, or less than the minimum, is the minimum."""
    start = _number(element, least)
    return start, max(start, _number(element, most))


def _number(element: etree._Element, name: str) -> int:
    """An attribute as a number of bytes, 0 where it is missing."""
    said = element.get(name, "0")
    if not (said.isascii() and said.isdigit() and len(said) <= 10):
        raise BadExpression(f"{name} is {said!r}, which is no number of bytes")
    return int(said)


def _text(element: etree._Element) -> str:
    return element.text or ""
