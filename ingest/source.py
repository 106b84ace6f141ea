"""Where the bytes of a delivered file lie: in a file, or in an archive that can be read at any place.

A source is bytes: a path; or, as no path has a NUL, NUL and what it takes to read a member where it lies: its method,
where it begins, its bytes there and in full, its CRC-32, and the path of the archive.
"""

from __future__ import annotations

import errno
import io
import os
from tempfile import SpooledTemporaryFile, gettempdir
from typing import Any, BinaryIO, cast

from ingest.packed import Member
from ingest.zip_methods import STORED
from storage.durable import told

_COPIED = 1 << 20  # bytes that are copied at once
_IN_MEMORY = 16 << 20  # bytes of a member that are not put on disk to look into it


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
    method, offset, *numbers, archive = _parts(source)
    whole = os.fdopen(_descriptor(archive), "rb", buffering=0)
    try:
        whole.seek(int(offset))
        return cast(BinaryIO, Member(whole, int(method), *map(int, numbers)))
    except (OSError, NotImplementedError):  # as where another thing lies there now, in which nobody can seek
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


def _descriptor(path: bytes) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags | os.O_NOATIME)
    except PermissionError:
        return os.open(path, flags)
