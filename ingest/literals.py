"""What a file must hold for an expression to fit: runs of literal bytes, read off the expression's text.

The syntax is that of `re` over bytes as far as signatures use it; where more is used, nothing is required. A file that
lacks an expression's literals needs no `re` to know that it does not fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    rb"(?s)(?P<nothing>\\A|\\Z)|(?P<open>\((?:\?:|\?!|(?!\?)))|(?P<close>\)(?:\{\d*,?\d*\}|[*+?])?)"
    rb"|(?:(?P<literal>\\x[0-9a-fA-F]{2}|\\[^0-9a-zA-Z]|\\[nrtfv]|[^][\\().|^$*+?{])"
    rb"|(?P<any>\.|\\[dDsSwW]|\[\^?\]?(?:\\.|[^]\\])*\]))(?P<repeat>\{(?:(?P<times>\d+)|\d*,\d*)\}|[*+?])?"
    rb"|(?P<other>\(\?|.)"
)
_ESCAPED: Final = {rb"\n": b"\n", rb"\r": b"\r", rb"\t": b"\t", rb"\f": b"\f", rb"\v": b"\v"}
_FLAG: Final = b"(?s)"  # the one flag that changes no literal


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes that must be there: so many bytes after where the match begins, or anywhere where `offset` is None."""

    data: bytes
    offset: int | None


def literals(expression: bytes) -> list[Literal]:
    """Return the runs outside of groups, in their order; none of an expression that is not understood."""
    reading = _Reading()
    for token in _TOKEN.finditer(expression.removeprefix(_FLAG)):
        if token["other"] and (token["other"] == b"(?" or not reading.deep):
            return []  # a group of another kind, an alternative, an anchor
        reading.take(token)
    reading.end()
    return reading.found


class _Reading:
    """How far an expression was read: the run of literals before, where it began, and how many groups deep."""

    def __init__(self) -> None:
        self.found: list[Literal] = []
        self.deep = 0
        self._run = b""
        self._offset: int | None = 0

    def take(self, token: re.Match[bytes]) -> None:
        if token["open"] or token["close"]:
            self.end()
            self.deep += 1 if token["open"] else -1
            self._offset = None  # groups have no length that we know
        elif self.deep or token["nothing"]:
            pass
        elif token["literal"] and not token["repeat"]:
            self._run += _byte(token["literal"])
        else:
            self._gap(None if token["repeat"] and not token["times"] else int(token["times"] or 1))

    def _gap(self, length: int | None) -> None:
        self.end()
        self._offset = None if length is None or self._offset is None else self._offset + length

    def end(self) -> None:
        """The run ends here."""
        if self._run:
            self.found.append(Literal(self._run, self._offset))
            self._offset = None if self._offset is None else self._offset + len(self._run)
            self._run = b""


def _byte(token: bytes) -> bytes:
    """Return what a literal token stands for."""
    if token.startswith(rb"\x"):
        return bytes.fromhex(token[2:].decode())
    return _ESCAPED.get(token, token[-1:])
