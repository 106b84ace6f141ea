"""An xz file as a stream with bounded memory: its header says how large a dictionary the reader must hold.

Python's lzma.LZMAFile takes no bound.
"""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Self

_CHUNK = 1 << 16
_MEMORY = 512 << 20  # bytes: `xz -9` needs 65 MiB


class XzFile:
    """Reads one file's streams after one another (xz file format 1.1 §2, with padding between them).

    Reading raises LZMAError for what is damaged or needs too much memory, EOFError for what is cut.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._decoder = _decoder()

    def read(self, size: int) -> bytes:
        """At least one byte and at most `size`; none at the end."""
        data = b""
        while not data:
            if self._decoder.eof and not self._next_stream():
                return b""
            packed = self._file.read(_CHUNK) if self._decoder.needs_input else b""
            if self._decoder.needs_input and not packed:
                raise EOFError("the xz file is cut")
            data = self._decoder.decompress(packed, size)
        return data

    def _next_stream(self) -> bool:
        """Begin the stream behind this one; return whether there is one."""
        rest = self._decoder.unused_data.lstrip(b"\0")
        while not rest and (data := self._file.read(_CHUNK)):
            rest = data.lstrip(b"\0")
        if rest:
            self._decoder = _decoder()
            self._file.seek(-len(rest), 1)
        return bool(rest)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


def _decoder() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY)
