"""Many things, a portion at a time: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

C = TypeVar("C")


def portions(items: Iterable[C], most: int) -> Iterator[list[C]]:
    """Cut into lists of at most so many; none is empty."""
    remaining = iter(items)
    while portion := list(islice(remaining, most)):
        yield portion


def cut(items: Iterable[C], octets: Callable[[C], int], most: int, most_bytes: int) -> Iterator[list[C]]:
    """Cut into lists of at most so many; one ends also where it has come to so many bytes. None is empty."""
    some: list[C] = []
    size = 0
    for item in items:
        some.append(item)
        size += octets(item)
        if len(some) >= most or size >= most_bytes:
            yield some
            some, size = [], 0
    if some:
        yield some
