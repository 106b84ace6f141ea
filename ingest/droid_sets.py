"""Sets of bytes as PRONOM writes them, and literal ones → expressions in the syntax of Python's `re` over bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

LONGEST: Final = 16  # bytes of one value in a set
LINE: Final = 200  # characters of a reason
EVERY: Final = frozenset(range(256))

_VALUE: Final = r"(?:[0-9A-Fa-f]{2})+|'[^']*'"
_MEMBER: Final = re.compile(rf"\s*(?:([&~])\s*([0-9A-Fa-f]{{2}})|({_VALUE})(?:\s*[:-]\s*({_VALUE}))?)\s*")


class BadExpression(ValueError):
    """A byte sequence that cannot be converted; its text says why, in a line."""

    def __init__(self, why: str) -> None:
        super().__init__(why if len(why) <= LINE else f"{why[: LINE - 1]}…")


def literal(data: bytes) -> bytes:
    """Return the expression that fits these bytes alone."""
    return b"".join(bytes([one]) if chr(one).isalnum() and one < 128 else b"\\x%02x" % one for one in data)


def value(text: str) -> bytes:
    """Return the bytes of a run of hexadecimal digits or of a quoted text; raise BadExpression."""
    try:
        return text[1:-1].encode("latin-1") if text.startswith("'") else bytes.fromhex(text)
    except UnicodeEncodeError:
        raise BadExpression(f"{text} is not Latin-1") from None


def byte_set(text: str) -> bytes:
    """Return what stands for the text between brackets; raise BadExpression.

    It is a set of bytes, or one value or range of values of several bytes each: `[!0000]`, `[0000:1000]`.
    """
    inverted, members = text.startswith("!"), text.removeprefix("!")
    found = list(_members(members))
    if len(found) == 1 and _is_long(found[0], inverted=inverted):
        return _long(value(found[0][3]), value(found[0][4] or found[0][3]), inverted=inverted)
    return _class(EVERY - _bytes(found) if inverted else _bytes(found))


def _is_long(said: re.Match[str], *, inverted: bool) -> bool:
    """Whether a member is about several bytes at once; of a text in a set, each character stands for itself."""
    if not said[3] or len(value(said[3])) == 1:
        return False
    return said[4] is not None or (inverted and not said[3].startswith("'"))


def _members(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        member = _MEMBER.match(text, at)
        if member is None:
            raise BadExpression(f"[{text}] is no set of bytes")
        yield member
        at = member.end()


def _bytes(members: Iterable[re.Match[str]]) -> frozenset[int]:
    return frozenset[int]().union(*map(_member, members))


def _member(said: re.Match[str]) -> frozenset[int]:
    if said[1]:
        mask = int(said[2], 16)
        return frozenset(one for one in EVERY if (one & mask == mask if said[1] == "&" else one & mask))
    first, last = value(said[3]), value(said[4] or said[3])
    if said[4] is None and (said[3].startswith("'") or len(first) == 1):
        return frozenset(first)  # of a text, each of its characters
    if len(first) != 1 or len(last) != 1 or first > last:
        raise BadExpression(f"[{said[0]}] can be read in two ways, or is no range")
    return frozenset(range(first[0], last[0] + 1))


def _class(members: frozenset[int]) -> bytes:
    if not members:
        raise BadExpression("a set of bytes has no member")
    if members == EVERY:
        return b"."
    if len(members) == 1:
        return literal(bytes(members))
    starts = sorted(one for one in members if one - 1 not in members)
    ends = sorted(one for one in members if one + 1 not in members)
    return b"[" + b"".join(_run(start, end) for start, end in zip(starts, ends, strict=True)) + b"]"


def _run(start: int, end: int) -> bytes:
    return literal(bytes([start])) + (b"-" + literal(bytes([end])) if end > start else b"")


def _long(first: bytes, last: bytes, *, inverted: bool) -> bytes:
    """Values of several bytes from `first` to `last` in their order, or all others, without looking ahead."""
    if len(first) != len(last) or first > last or len(first) > LONGEST:
        raise BadExpression("a range of values goes from one to a greater of the same length")
    found = [*_below(first), *_above(last)] if inverted else list(_between(first, last))
    if not found:
        raise BadExpression("a set of values has no member")
    return b"(?:" + b"|".join(found) + b")"


def _below(value: bytes) -> Iterator[bytes]:
    """Yield alternatives for what is less: the same up to a byte, there a smaller one, then anything."""
    for place, one in enumerate(value):
        if one:
            yield literal(value[:place]) + _class(frozenset(range(one))) + b"." * (len(value) - place - 1)


def _above(value: bytes) -> Iterator[bytes]:
    for place, one in enumerate(value):
        if one < 255:
            yield literal(value[:place]) + _class(frozenset(range(one + 1, 256))) + b"." * (len(value) - place - 1)


def _between(first: bytes, last: bytes) -> Iterator[bytes]:
    """Yield alternatives for values from one to the other, both counted in."""
    same = next((place for place, pair in enumerate(zip(first, last, strict=True)) if pair[0] != pair[1]), len(first))
    if same == len(first):
        yield literal(first)
        return
    start, rest = literal(first[:same]), len(first) - same - 1
    lowest, highest = first[same : same + 1], last[same : same + 1]
    yield from (start + literal(lowest) + one for one in (*_above(first[same + 1 :]), literal(first[same + 1 :])))
    if highest[0] - lowest[0] > 1:
        yield start + _class(frozenset(range(lowest[0] + 1, highest[0]))) + b"." * rest
    yield from (start + literal(highest) + one for one in (*_below(last[same + 1 :]), literal(last[same + 1 :])))
