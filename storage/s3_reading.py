"""A seekable stream over one object, which comes in as it is read: its size does not matter to memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from storage.errors import Unreachable
from storage.s3_answers import Exhausted
from storage.s3_line import Line
from storage.store import CHUNK

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from obstore import GetResult

TRIES = 3  # to go on where a connection broke


def reading(line: Line, key: str) -> BinaryIO:
    """The object's stream at its start; raise FileNotFoundError, or Unreachable."""
    return cast(BinaryIO, _Reading(line, key))


class _Reading(io.RawIOBase):
    """Read from the start it is one request. Seeking, and going on after a broken connection, is another for the rest,
    of the same bytes as before (RFC 9110 §13.1.1, If-Match). Raises Unreachable."""

    def __init__(self, line: Line, key: str) -> None:
        super().__init__()
        self._line, self._key = line, key
        with line.asking() as client:
            answer = client.get(key)
        self._size, self._tag = answer.meta["size"], answer.meta["e_tag"]
        self._position = 0
        self._coming: Iterator[bytes] | None = _pieces(answer)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset != self._position:
            self._position, self._coming, self._rest = max(0, base + offset), None, memoryview(b"")
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        with memoryview(buffer).cast("B") as room:
            if not self._rest:
                self._rest = memoryview(self._next())
            taken = min(len(room), len(self._rest))
            room[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        self._position += taken
        return taken

    def close(self) -> None:
        self._coming, self._rest = None, memoryview(b"")
        super().close()

    def _next(self) -> bytes:
        """The next bytes, b"" at the end."""
        for attempt in range(TRIES):
            if self._position >= self._size:
                return b""
            try:
                return self._piece()
            except Unreachable as error:
                self._coming = None
                if attempt == TRIES - 1 or isinstance(error, Exhausted):
                    raise
        raise AssertionError  # the loop has ended before

    def _piece(self) -> bytes:
        with self._line.asking() as client:
            if self._coming is None:
                options = {"range": {"offset": self._position}, "if_match": self._tag}
                self._coming = _pieces(client.get(self._key, options=options))  # type: ignore[arg-type]
            try:
                return next(self._coming)
            except StopIteration:
                raise Unreachable(self._line.place.where, f"{self._key} ended too early") from None


def _pieces(answer: GetResult) -> Iterator[bytes]:
    return (bytes(piece) for piece in answer.stream(min_chunk_size=CHUNK))
