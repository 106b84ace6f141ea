"""Many values in the order in which they came: a list that goes to a temporary file when it is long."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import Generic, TypeVar

T = TypeVar("T")
_IN_MEMORY = 1 << 20  # bytes


class Spool(Generic[T]):
    """Grows at its end alone; may be iterated often, also while it grows. Not for several threads."""

    def __init__(self, values: Iterable[T] = ()) -> None:
        self._file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # it lives as long as we
        self._count = 0
        self.extend(values)

    def __del__(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        at = seen = 0
        while seen < self._count:
            self._file.seek(at)
            value: T = pickle.load(self._file)
            at, seen = self._file.tell(), seen + 1
            yield value

    def append(self, value: T) -> None:
        self._file.seek(0, os.SEEK_END)
        pickle.dump(value, self._file)
        self._count += 1

    def extend(self, values: Iterable[T]) -> None:
        for value in values:
            self.append(value)
