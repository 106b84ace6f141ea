"""Byte sequences as PRONOM writes them → expressions in the syntax of Python's `re` over bytes.

The syntax is that of DROID's page "Signature syntax": `4D5A`, `'text'`, `??`, `*`, `{n}`, `{n-m}`, `{n-*}`, `(a|b)`,
and sets in brackets: `[30:39]`, `['0'-'9']`, `[!61:7A]`, `[00 C2]`, `[&01]` (all of these bits), `[~81]` (any of
them). A dot stands for any byte: whoever uses the expressions puts `(?s)` before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ingest.droid_sets import BadExpression, byte_set, literal, value

FARTHEST: Final = 0x7FFFFFFF  # bytes of a gap: more than any that is meant, less than `re` can count
SAYING: Final = frozenset({"hex", "text", "set"})  # what asks for certain bytes

_TOKEN: Final = re.compile(
    r"(?P<blank>\s+)|(?P<hex>(?:[0-9A-Fa-f]{2})+)|'(?P<text>[^']*)'|\[(?P<set>(?:'[^']*'|[^]'])*)\]"
    r"|(?P<any>\?\?)|\{(?P<gap>[^}]*)\}|(?P<rest>\*)|(?P<open>\()|(?P<or>\|)|(?P<close>\))"
)
_GAP: Final = re.compile(r"\s*(\d{1,10})\s*(?:-\s*(\d{1,10}|\*)\s*)?")


def expression(text: str) -> bytes:
    """Return what a byte sequence stands for; raise BadExpression."""
    tokens = list(_tokens(text))
    kinds = [kind for kind, _ in tokens]
    if not SAYING.intersection(kinds):
        raise BadExpression("it asks for no byte")
    _check_alternatives(kinds)
    return b"".join(_part(kind, said) for kind, said in tokens)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind of each part, blanks left out, and what it says."""
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise BadExpression(f"{text[at : at + 20]!r} is no part of a byte sequence")
        if (kind := str(token.lastgroup)) != "blank":
            yield kind, token[kind]
        at = token.end()


def _check_alternatives(kinds: Sequence[str]) -> None:
    """They stand in round brackets, are not empty, and have no alternatives of their own."""
    inside = False
    for kind, following in zip(kinds, [*kinds[1:], ""], strict=True):
        if kind in ("open", "or", "close"):
            if inside is (kind == "open") or (kind != "close" and following in ("or", "close", "")):
                raise BadExpression("its alternatives cannot be told apart")
            inside = kind != "close"
    if inside:
        raise BadExpression("its alternatives have no end")


def gap(least: int, most: int | None) -> bytes:
    """Return what stands for so many bytes, whichever; None: as many as there are. Raise BadExpression."""
    if least < 0 or max(least, most or 0) > FARTHEST or (most is not None and most < least):
        raise BadExpression(f"no gap is of {least} to {most} bytes")
    if most is None:
        return b".{%d,}" % least if least else b".*"
    if least == most:
        return b".{%d}" % least if least else b""
    return b".{%d,%d}" % (least, most)


def _part(kind: str, text: str) -> bytes:
    match kind:
        case "hex" | "text":
            return literal(value(text if kind == "hex" else f"'{text}'"))
        case "set":
            return byte_set(text)
        case "gap":
            return _gap(text)
        case _:
            return {"any": b".", "rest": b".*", "open": b"(?:", "or": b"|", "close": b")"}[kind]


def _gap(text: str) -> bytes:
    said = _GAP.fullmatch(text)
    if said is None:
        raise BadExpression(f"{{{text}}} is no gap")
    least = int(said[1])
    return gap(least, None if said[2] == "*" else int(said[2] or least))
