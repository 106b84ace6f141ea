"""Which of many literals are in some bytes: looked for one after the other, which is right everywhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

Finder = Callable[[bytes], Collection[int]]  # the places, in the list that it was made of, of those that are there


def machine() -> str:
    """Return what a compiled database is bound to: nothing."""
    return "plain"


def compiled(literals: Sequence[bytes]) -> bytes:
    """Return a database of them: none is needed."""
    return b""


def finder(literals: Sequence[bytes], database: bytes) -> Finder:
    """Return what finds the literals that the database was compiled of."""

    def find(data: bytes) -> list[int]:
        return [number for number, literal in enumerate(literals) if literal in data]

    return find
