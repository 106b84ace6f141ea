"""The methods by which zips pack their members (APPNOTE §4.4.5), undone piece by piece: no more comes out at once than
was asked for.

zipfile bounds what comes out of Deflate alone: 4 KB of another method may be gigabytes, all of them at once.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Final, Protocol

STORED: Final = 0
DEFLATED: Final = 8
BZIP2: Final = 12
LZMA: Final = 14
LZMA_HEADER: Final = 9  # bytes
BROKEN: Final = (zlib.error, lzma.LZMAError, OSError)  # the last is bz2's
"""What an unpacker raises for bytes that were not packed so."""
_MEMORY = 513 << 20  # bytes: LZMA dictionaries of 512 MiB, and what it takes besides
_UNKNOWN = b"\xff" * 8  # the size, in the header of an .lzma file: the zip says it


class Unpacker(Protocol):
    """Undoes a method; what is left of its input is kept inside."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Inflate:
    """zlib's, which hands back what it did not come to."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


def _lzma(header: bytes) -> Unpacker:
    """By a header in zips: version, size of the properties, properties (APPNOTE §5.8.8). The properties begin an .lzma
    file, too, whose reader takes a bound for the dictionary, which that of raw LZMA does not."""
    if len(header) != LZMA_HEADER or header[2:4] != b"\x05\0":
        raise lzma.LZMAError("its LZMA header is none")
    stream = lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=_MEMORY)
    stream.decompress(header[4:] + _UNKNOWN, 0)
    return stream


_UNPACKERS: dict[int, Callable[[], Unpacker]] = {DEFLATED: _Inflate, BZIP2: bz2.BZ2Decompressor}


def unpacker(method: int, header: bytes) -> Unpacker:
    """What undoes a method, other than STORED; `header` are the first LZMA_HEADER bytes where it is LZMA, and not to be
    given again. Raises LZMAError for a header that is none, NotImplementedError for methods that are not known."""
    if method == LZMA:
        return _lzma(header)
    if method not in _UNPACKERS:
        raise NotImplementedError(f"it is packed by method {method}")
    return _UNPACKERS[method]()
