"""Many values in the order in which they came: a list that goes to a temporary file when it is long."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import Generic, TypeVar

T = TypeVar("T")
_IN_MEMORY = 1 << 20  # bytes
_PIECE = 256  # values that are written at once


class Spool(Generic[T]):
    """Grows at its end alone; may be iterated often, also while it grows. Not for several threads."""

    def __init__(self, values: Iterable[T] = ()) -> None:
        self._file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # it lives as long as we
        self._written = 0
        self._newest: list[T] = []
        self.extend(values)

    def __del__(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._written + len(self._newest)

    def __iter__(self) -> Iterator[T]:
        at = before = seen = 0  # bytes of the pieces that were read, the values in them, the values that were given
        while seen < len(self):
            if before < self._written:
                self._file.seek(at)
                piece: list[T] = pickle.load(self._file)
                some, before, at = piece[seen - before :], before + len(piece), self._file.tell()
            else:
                some = self._newest[seen - before :]
            seen += len(some)
            yield from some

    def append(self, value: T) -> None:
        self._newest.append(value)
        if len(self._newest) == _PIECE:
            self._file.seek(0, os.SEEK_END)
            pickle.dump(self._newest, self._file)
            self._written, self._newest = len(self), []

    def extend(self, values: Iterable[T]) -> None:
        for value in values:
            self.append(value)
