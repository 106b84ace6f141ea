"""Where the bytes of a delivered file lie: in a file, or in an archive that can be read at any place.

A source is bytes: a path; or, as no path has a NUL, NUL and what it takes to read a member where it lies: its method,
where it begins, its bytes there and in full, its CRC-32, and the path of the archive.
"""

from __future__ import annotations

import errno
import io
import os
import zlib
from tempfile import SpooledTemporaryFile, gettempdir
from typing import Any, BinaryIO, Final, cast

from storage.durable import told

STORED: Final = 0  # methods, as zip numbers them (APPNOTE §4.4.5)
DEFLATED: Final = 8
UNCHECKED: Final = -1  # a CRC-32 that nobody wrote down
_PIECE = 1 << 16  # packed bytes that are read at once
_COPIED = 1 << 20  # bytes that are copied at once
_IN_MEMORY = 16 << 20  # bytes of a member that are not put on disk to look into it


class DamagedMember(OSError):
    """A member that does not come out of its archive as this says."""


def member(archive: bytes, method: int, offset: int, packed: int, size: int, crc: int) -> bytes:
    """The source of an archive's member: `packed` bytes at `offset`, which are `size` bytes when they are unpacked."""
    return b"\0%d %d %d %d %d " % (method, offset, packed, size, crc) + archive


def is_member(source: bytes) -> bool:
    return source.startswith(b"\0")


def is_stored(source: bytes) -> bool:
    """Whether it is a member that is not packed: any part of it can be had at once."""
    return source.startswith(b"\0%d " % STORED)


def open_source(source: bytes) -> BinaryIO:
    """The bytes, for reading only: links are not followed, the time of access is left alone if we may. A member cannot
    seek. Raises OSError."""
    if not is_member(source):
        return cast(BinaryIO, io.FileIO(_descriptor(source)))
    *numbers, archive = _parts(source)
    whole = os.fdopen(_descriptor(archive), "rb", buffering=0)
    try:
        return cast(BinaryIO, _Member(whole, *map(int, numbers)))
    except OSError:  # another thing lies there now, in which nobody can seek
        whole.close()
        raise


def open_lines(source: bytes) -> io.BufferedReader:
    """The same with a buffer, for whoever reads it line by line."""
    return io.BufferedReader(cast(io.RawIOBase, open_source(source)))


def open_seekable(source: bytes) -> BinaryIO:
    """The same, and it can seek: a packed member is unpacked first, to disk where it is large. Raises NoRoom."""
    if not is_member(source):
        return open_source(source)
    if is_stored(source):
        _, offset, _, size, _, archive = _parts(source)
        return io.BufferedReader(_Window(_descriptor(archive), int(offset), int(size)))
    copy: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # the caller closes it
    try:
        with open_source(source) as stream:
            while data := stream.read(_COPIED):
                with told(gettempdir()):
                    copy.write(data)
    except BaseException:  # also where it takes too long
        copy.close()
        raise
    copy.seek(0)
    return cast(BinaryIO, copy)


def _parts(source: bytes) -> list[bytes]:
    """What `member` was told."""
    return source[1:].split(b" ", 5)


class _Window(io.RawIOBase):
    """Some bytes of a file, as if they were one."""

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        self._descriptor, self._offset, self._size = descriptor, offset, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if at < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = at
        return at

    def readinto(self, buffer: Any, /) -> int:
        if (most := min(len(buffer), self._size - self._at)) <= 0:
            return 0
        data = os.pread(self._descriptor, most, self._offset + self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class _Member(io.RawIOBase):
    """A member's bytes, unpacked as they are read; raises DamagedMember where they are not what they claim to be."""

    def __init__(self, archive: BinaryIO, method: int, offset: int, packed: int, size: int, crc: int) -> None:
        archive.seek(offset)
        self._archive, self._packed, self._left, self._crc = archive, packed, size, crc
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if method == DEFLATED else None
        self._seen = 0

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
        if self._inflate is None:
            return self._taken(most)
        while not self._inflate.eof:  # beyond it zlib would keep all that it is given
            packed = self._inflate.unconsumed_tail or self._taken(_PIECE)
            if (data := self._inflated(self._inflate, packed, most)) or not packed:
                return data
        return b""

    def _taken(self, most: int) -> bytes:
        packed = self._archive.read(min(most, self._packed))
        self._packed -= len(packed)
        return packed

    @staticmethod
    def _inflated(inflate: zlib._Decompress, packed: bytes, most: int) -> bytes:
        try:
            return inflate.decompress(packed, most)
        except zlib.error as failure:
            raise DamagedMember(f"it cannot be unpacked ({failure})") from failure

    def _end(self) -> None:
        if self._crc not in (UNCHECKED, self._seen):
            raise DamagedMember("its bytes do not have the CRC-32 that the archive says")
        if self._inflate and self._unpacked(1):
            raise DamagedMember("it is longer than it claims to be")

    def close(self) -> None:
        self._archive.close()
        super().close()


def _descriptor(path: bytes) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags | os.O_NOATIME)
    except PermissionError:
        return os.open(path, flags)
