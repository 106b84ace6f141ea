"""The bytes that identification needs: the sample of a file on disk, and a look into a container."""

from __future__ import annotations

import errno
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import partial
from io import BufferedReader, BytesIO
from lzma import LZMAError
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from ingest.identify import HEAD, Sample
from ingest.packed import Member
from ingest.zip_methods import DEFLATED, STORED

if TYPE_CHECKING:
    import olefile  # type: ignore[import-untyped]

LOOK: Final = 16 * 1024 * 1024  # bytes read of one member: a bomb of any size is small on the outside

#: What zipfile and olefile raise for broken bytes, found by mutating files, some 450,000 times.
BROKEN: Final = (
    zipfile.BadZipFile,
    RuntimeError,  # encrypted; compressed by an unknown method (NotImplementedError); OLE too deep (RecursionError)
    ValueError,  # a name not in its encoding (UnicodeDecodeError); sizes and offsets that make no sense in OLE
    OverflowError,  # sizes and offsets beyond 64 bits
    EOFError,  # zipfile: the member ends before its size says so
    zlib.error,  # like the next: bytes that do not decompress
    LZMAError,
    struct.error,  # a header shorter than its fields
)

OLE_HEADER: Final = struct.Struct("<30xH12xI24xI")  # shift of the sector size; numbers of FAT and DIFAT sectors


class ContainerError(Exception):
    """The bytes are not the container that their signature says; the cause tells more."""


_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # without waiting: a named pipe would otherwise hold us


def sample_of(path: bytes) -> Sample:
    """Return head and tail of the regular file at `path`, links followed; raise OSError otherwise."""
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        size = status.st_size
        head = _read(descriptor, min(size, HEAD), 0)
        tail = _read(descriptor, HEAD, size - HEAD) if size > HEAD else head
    finally:
        os.close(descriptor)
    return Sample(path.rpartition(b"/")[2], size, head, tail, partial(_open, path))


def _open(path: bytes) -> BinaryIO:
    return os.fdopen(os.open(path, _READ), "rb")


def _read(descriptor: int, length: int, offset: int) -> bytes:
    """Return so many bytes, fewer where the file ends before."""
    data = os.pread(descriptor, length, offset)
    while len(data) < length and (more := os.pread(descriptor, length - len(data), offset + len(data))):
        data += more
    return data


def members(sample: Sample, kind: str, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield those of `paths` that the "zip" or "ole" holds, in that order, each with its first LOOK bytes.

    Raise ContainerError, perhaps after some were yielded, and OSError only when the disk failed.
    """
    whole = len(sample.head) == sample.size
    with BytesIO(sample.head) if whole else sample.opens() as stream, _blaming_the_bytes():
        yield from READERS[kind](stream, paths)


@contextmanager
def _blaming_the_bytes() -> Iterator[None]:
    """Tell broken bytes from a broken disk: olefile and bz2 give OSError no errno, a wild seek gives EINVAL."""
    try:
        yield
    except BROKEN as error:
        raise ContainerError from error
    except OSError as error:
        if error.errno in (None, errno.EINVAL):
            raise ContainerError from error
        raise


def _in_zip(stream: BinaryIO, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(stream) as package:
        present = set(paths).intersection(package.namelist())
        for path in (path for path in paths if path in present):
            with _opened(package, package.getinfo(path)) as member:
                yield path, member.read(LOOK)


def _opened(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    """A member's bytes. zipfile bounds what comes out of Deflate alone (ingest/zip_methods.py): others are taken
    from it as if they were stored, for it knows where they are and whether they are encrypted."""
    if entry.compress_type in (STORED, DEFLATED):
        return package.open(entry)
    packed = copy(entry)
    packed.compress_type, packed.file_size = STORED, entry.compress_size
    del packed.CRC  # it is of what comes out
    stream = cast(BinaryIO, package.open(packed))
    return BufferedReader(Member(stream, entry.compress_type, entry.compress_size, entry.file_size, entry.CRC))


def _in_ole(stream: BinaryIO, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """fido.package: a stream has the name whole or without its first character ("\\x01CompObj" is "CompObj").

    A storage, which is a folder, is there and has no bytes; it is looked for where no stream has the name.
    """
    import olefile  # only now: few files are such, and every command would load it

    _check_ole_header(stream)
    with olefile.OleFileIO(stream) as ole:
        _bound(ole)
        streams = ["/".join(parts) for parts in ole.listdir()]
        storages = ["/".join(parts) for parts in ole.listdir(streams=False, storages=True)]
        for path in paths:
            name = next((name for name in streams if path in (name, name[1:])), None)
            if name is None and any(path in (name, name[1:]) for name in storages):
                yield path, b""
            elif name is not None:
                entry = ole.direntries[ole._find(name)]
                entry.size = min(entry.size, LOOK)
                yield path, ole.openstream(name).read()


def _check_ole_header(stream: BinaryIO) -> None:
    """Refuse headers for which olefile would reserve or collect memory without end: [MS-CFB] §2.2."""
    header = stream.read(76)
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    shift, fat_sectors, difat_sectors = OLE_HEADER.unpack(header)
    if shift not in (9, 12):
        raise ContainerError(f"sectors of 2^{shift} bytes")
    if difat_sectors and fat_sectors << shift > size:
        raise ContainerError(f"{fat_sectors} FAT sectors in {size} bytes")


def _bound(ole: olefile.OleFileIO) -> None:
    """Cut sizes to what the file can hold: olefile would follow a chain of sectors in circles to reach them."""
    ole.num_mini_fat_sectors = min(ole.num_mini_fat_sectors, ole._filesize // ole.sectorsize)
    ole.root.size = min(ole.root.size, ole._filesize)


READERS: Final[Mapping[str, Callable[[BinaryIO, Sequence[str]], Iterator[tuple[str, bytes]]]]] = {
    "zip": _in_zip,
    "ole": _in_ole,
}
