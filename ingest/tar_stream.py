"""The bytes of a tar file, decompressed, with an eye on how they end: tarfile takes a cut or broken one for done.

It checks neither gzip's digest nor the end-of-archive marker (POSIX pax, "ustar Interchange Format": two blocks of
zeros), and takes an invalid header that is not the first for the end.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ingest.xz_stream import XzFile

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK = 512  # bytes of a header
_ENOUGH = 100  # times that somebody reads beyond the end
_WINDOW = 1 << 16  # bytes remembered: more than tarfile reads ahead
BROKEN = (zlib.error, lzma.LZMAError, zstd.ZstdError, EOFError, OSError)
"""What a compressed stream raises that is damaged or cut."""

Source = IO[bytes] | gzip.GzipFile | bz2.BZ2File | XzFile | zstd.ZstdFile
_OPENERS: dict[bytes, Callable[[Path], Source]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": XzFile,
    b"\x28\xb5\x2f\xfd": zstd.ZstdFile,  # refuses windows of more than 128 MiB (RFC 8878 §3.1.1.1.2 lets it)
}


class TarStream:
    """A stream to read once; remembers the end of what was read."""

    def __init__(self, stream: Source) -> None:
        self._stream = stream
        self._window = b""
        self._read = 0
        self._beyond = 0

    def read(self, size: int) -> bytes:
        """Raises EOFError where it is asked again and again beyond the end: tarfile goes by a size that was made up."""
        data = self._stream.read(size)
        self._read += len(data)
        self._beyond += not data
        if self._beyond > _ENOUGH:
            raise EOFError("it is cut")
        self._window = (self._window + data)[-_WINDOW:]
        return data

    def ending(self, offset: int) -> str:
        """What is wrong with the block at which the archive was taken to end, "" for the marker of its end."""
        start = offset - (self._read - len(self._window))
        block = self._window[start : start + BLOCK]
        if not block.strip(b"\0"):
            return "" if len(block) == BLOCK else "it has no end marker, so that it may have been cut"
        return f"the header at byte {offset} is damaged"

    def drain(self, offset: int, count: Callable[[int], None]) -> bool:
        """Read what is left, so that a compressor's digest over the whole is checked; return whether there is anything
        but padding behind that offset. `count` hears of the bytes."""
        behind = self._window[offset - self._read :] if offset < self._read else b""
        more = bool(behind.strip(b"\0"))
        while data := self._stream.read(_WINDOW):
            count(len(data))
            more = more or bool(data.strip(b"\0"))
        return more


def opened(path: Path) -> Source:
    """The archive's bytes, decompressed by what its first bytes say."""
    with path.open("rb") as stream:
        start = stream.read(6)
    for magic, opener in _OPENERS.items():
        if start.startswith(magic):
            return opener(path)
    return path.open("rb")
