"""A spool is a list that does not stay in memory: the same values in the same order, however many there are."""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from storage import spool
from storage.spool import Spool


@given(st.lists(st.text()), st.integers(0, 200))
def test_it_gives_back_what_was_put_in(values: list[str], in_memory: int) -> None:
    with_file: Spool[str] = Spool()
    with_file._file._max_size = in_memory  # type: ignore[attr-defined]  # beyond it a file takes over
    with_file.extend(values)
    assert (list(with_file), list(with_file), len(with_file)) == (values, values, len(values))


def test_it_may_grow_while_it_is_read_and_be_read_by_two() -> None:
    numbers = Spool(range(3))
    first, second = iter(numbers), iter(numbers)
    assert [next(first), next(second), next(first)] == [0, 0, 1]
    numbers.append(3)
    assert (list(first), list(second)) == ([2, 3], [1, 2, 3])


@given(st.lists(st.integers(0, 3 * spool._PIECE), max_size=8))
def test_it_may_be_written_while_it_is_read(grown: list[int]) -> None:
    """What was given before a piece is written does not come again, and nothing is left out."""
    numbers = Spool([0])
    reading, seen = iter(numbers), 0
    for more in grown:
        numbers.extend(range(len(numbers), len(numbers) + more))
        for _ in range(min(more // 2, len(numbers) - seen)):
            assert next(reading) == seen
            seen += 1
    assert list(reading) == list(range(seen, len(numbers)))


def test_what_is_long_lies_in_a_file() -> None:
    long = Spool(bytes(1000) for _ in range(2 * spool._IN_MEMORY // 1000))
    assert long._file._rolled  # type: ignore[attr-defined]
    assert list(islice(long, 1)) == [bytes(1000)]
