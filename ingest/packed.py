"""A member of an archive, unpacked as it is read: in pieces, so that no more is in memory than was asked for."""

from __future__ import annotations

import io
import zlib
from typing import Any, BinaryIO, Final

from ingest.zip_methods import BROKEN, LZMA, LZMA_HEADER, STORED, Unpacker, unpacker

UNCHECKED: Final = -1  # a CRC-32 that nobody wrote down
_PIECE = 1 << 16  # packed bytes that are read at once


class DamagedMember(OSError):
    """A member that does not come out of its archive as this says."""


class Member(io.RawIOBase):
    """Its bytes, of the `packed` ones that come next in `archive`, which is closed with it.

    Reading raises DamagedMember where they are not what they claim to be; making one, NotImplementedError, too, for
    methods that are not known.
    """

    def __init__(self, archive: BinaryIO, method: int, packed: int, size: int, crc: int) -> None:
        self._archive, self._packed, self._left, self._crc = archive, packed, size, crc
        self._seen = 0
        self._ends_itself = method not in (STORED, LZMA)
        self._unpacker = None if method == STORED else self._begun(method)

    def _begun(self, method: int) -> Unpacker:
        header = self._taken(LZMA_HEADER) if method == LZMA else b""
        try:
            return unpacker(method, header)
        except BROKEN as failure:
            raise DamagedMember(f"it cannot be unpacked ({failure})") from failure

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return self.readall()
        data = b""
        if (most := min(size, self._left)) and not (data := self._unpacked(most)):
            raise DamagedMember("it is shorter than it claims to be")
        self._seen = zlib.crc32(data, self._seen)
        self._left -= len(data)
        if not self._left:
            self._end()
        return data

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _unpacked(self, most: int) -> bytes:
        """Some bytes, no more than so many; none only where there are no more."""
        if self._unpacker is None:
            return self._taken(most)
        while not self._unpacker.eof:  # beyond it an unpacker would keep all that it is given
            hungry = self._unpacker.needs_input
            packed = self._taken(_PIECE) if hungry else b""
            if (data := _out(self._unpacker, packed, most)) or (hungry and not packed):
                return data
        return b""

    def _taken(self, most: int) -> bytes:
        packed = self._archive.read(min(most, self._packed))
        self._packed -= len(packed)
        return packed

    def _end(self) -> None:
        if self._crc not in (UNCHECKED, self._seen):
            raise DamagedMember("its bytes do not have the CRC-32 that the archive says")
        if self._ends_itself and self._unpacked(1):  # LZMA may have no end marker, and make bytes up beyond its end
            raise DamagedMember("it is longer than it claims to be")

    def close(self) -> None:
        self._archive.close()
        super().close()


def _out(unpacker: Unpacker, packed: bytes, most: int) -> bytes:
    try:
        return unpacker.decompress(packed, most)
    except BROKEN as failure:
        raise DamagedMember(f"it cannot be unpacked ({failure})") from failure
