"""What a file must hold for an expression to fit: runs of literal bytes, read off the expression's text.

The syntax is that of `re` over bytes as far as signatures use it; where more is used, nothing is required. A file that
lacks an expression's literals needs no `re` to know that it does not fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MOST: Final = 16  # ways to write one run: `(?:E|e)(?:N|n)(?:D|d)` has eight
_BYTE: Final = rb"(?:\\x[0-9a-fA-F]{2}|\\[^0-9a-zA-Z]|\\[nrtfv]|[^][\\().|^$*+?{])"
_REPEAT: Final = rb"(?:\{(?:(?P<times>\d+)|\d*,(?P<most>\d*))\}|(?P<once>\?)|[*+])"
_TOKEN: Final = re.compile(
    rb"(?s)(?P<nothing>\\A|\\Z)"
    rb"|\((?:\?:)?(?P<choice>(?:%(byte)b|\|)+)\)(?!\{|[*+?])"
    rb"|(?P<open>\((?:\?:|\?!|(?!\?)))|(?P<close>\)(?:\{\d*,?\d*\}|[*+?])?)"
    rb"|(?:(?P<literal>%(byte)b)|(?P<any>\.|\\[dDsSwW]|\[\^?\]?(?:\\.|[^]\\])*\]))(?P<repeat>%(repeat)b)?"
    rb"|(?P<other>\(\?|.)" % {b"byte": _BYTE, b"repeat": _REPEAT}
)
_SEPARATED: Final = re.compile(rb"(?s)\||" + _BYTE)
_ESCAPED: Final = {rb"\n": b"\n", rb"\r": b"\r", rb"\t": b"\t", rb"\f": b"\f", rb"\v": b"\v"}
_FLAG: Final = b"(?s)"  # the one flag that changes no literal


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes that must be there, one way or another of `ways`: so many bytes after where the match begins, or anywhere
    where `offset` is None."""

    ways: tuple[bytes, ...]
    offset: int | None


def literals(expression: bytes) -> list[Literal]:
    """Return the runs that every match holds, in their order; none of an expression that is not understood."""
    reading = _Reading()
    for token in _TOKEN.finditer(expression.removeprefix(_FLAG)):
        if token["other"] and (token["other"] == b"(?" or not reading.deep):
            return []  # a group of another kind, an alternative, an anchor
        reading.take(token)
    reading.end()
    return reading.found


def reach(expression: bytes) -> int | None:
    """Return how far before the end of a file a match may begin, in bytes, for an expression that ends there.

    None for one that does not, that has no bound, or that is not understood. `re` tries to begin everywhere, which
    takes quadratic time for `\\xff\\xd9.{0,65536}\\Z` unless it is told where.
    """
    total, last = 0, b""
    for token in _TOKEN.finditer(expression.removeprefix(_FLAG)):
        if token["other"] or token["open"] or token["close"]:
            return None
        if token["choice"]:
            total += max(map(len, _ways(token["choice"])))
        elif not token["nothing"]:
            most = token["times"] or token["most"] or ("1" if token["once"] or not token["repeat"] else "")
            if not most:
                return None
            total += int(most)
        last = token[0]
    return total if last == rb"\Z" else None


class _Reading:
    """How far an expression was read: the run before, where it began, and how many groups deep."""

    def __init__(self) -> None:
        self.found: list[Literal] = []
        self.deep = 0
        self._ways: tuple[bytes, ...] = (b"",)
        self._offset: int | None = 0

    def take(self, token: re.Match[bytes]) -> None:
        if token["open"] or token["close"]:
            self.end()
            self.deep += 1 if token["open"] else -1
            self._offset = None  # such a group has no length that we know
        elif self.deep or token["nothing"]:
            pass
        elif token["choice"]:
            self._go_on(_ways(token["choice"]))
        elif token["literal"] and not token["repeat"]:
            self._go_on([_byte(token["literal"])])
        else:
            self._gap(None if token["repeat"] and not token["times"] else int(token["times"] or 1))

    def _go_on(self, ways: list[bytes]) -> None:
        if len(self._ways) * len(ways) > MOST:
            self.end()
        if len(ways) > MOST:
            self._offset = None
            return
        self._ways = tuple(dict.fromkeys(before + way for before in self._ways for way in ways))

    def _gap(self, length: int | None) -> None:
        self.end()
        self._offset = None if length is None or self._offset is None else self._offset + length

    def end(self) -> None:
        """The run ends here."""
        if all(self._ways):
            self.found.append(Literal(self._ways, self._offset))
        lengths = {len(way) for way in self._ways}
        self._offset = None if self._offset is None or len(lengths) > 1 else self._offset + lengths.pop()
        self._ways = (b"",)


def _ways(choice: bytes) -> list[bytes]:
    """Return what the alternatives stand for; an escaped `|` does not separate them."""
    found = [b""]
    for token in _SEPARATED.findall(choice):
        if token == b"|":
            found.append(b"")
        else:
            found[-1] += _byte(token)
    return found


def _byte(token: bytes) -> bytes:
    """Return what a literal token stands for."""
    if token.startswith(rb"\x"):
        return bytes.fromhex(token[2:].decode())
    return _ESCAPED.get(token, token[-1:])
