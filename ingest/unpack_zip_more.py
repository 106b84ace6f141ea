"""What lies in a zip and belongs to no member that its directory lists: no reader shows it, and a package's archive is
not kept itself."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from operator import attrgetter
from typing import IO

from ingest.finding import Finding, error, info
from ingest.unpack_zip_directory import LOCAL, Zip
from storage.names import escape_path

_HEADER = struct.Struct("<4s2xH18xHH")  # signature, flags, lengths of name and extra field (APPNOTE §4.3.7)
_DESCRIBED, _DESCRIPTOR = 0x8, 24  # the flag of a data descriptor, and its bytes at most (APPNOTE §4.3.9)
_SPLIT = (b"PK00", b"PK\x07\x08")  # may begin an archive that was to be split, and what was (APPNOTE §8.5.4)
_END, _END_SIZE = b"PK\x05\x06", 22  # the end record, without its comment (APPNOTE §4.3.16)
_LONGEST_COMMENT = 0xFFFF
_PIECE = 1 << 16


def more(archive: Zip) -> Iterator[Finding]:
    """Yield what is to be said of it: padding with zeros is nothing. A comment is kept by being told."""
    assert archive.fp is not None  # it is open
    file = archive.fp
    if not all(_is_padding(file, begin, end) for begin, end in _gaps(archive, file)):
        yield error(
            "zip-more", "There is more in it than its list of members says, as if zips were joined: nothing reads it."
        )
    if archive.comment:
        yield info("zip-comment", f"The zip file has a comment, which is kept here: {escape_path(archive.comment)}")


def _gaps(archive: Zip, file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Where no member, no directory and no end record is: from, to, in bytes."""
    file.seek(0)
    at = 4 if file.read(4) in _SPLIT else 0
    for entry in sorted(archive.infolist(), key=attrgetter("header_offset")):
        if at < entry.header_offset:
            yield at, entry.header_offset
        at = max(at, _end(archive, file, entry))
    yield at, archive.start_dir
    size = file.seek(0, os.SEEK_END)
    yield _end_of_all(file, size, len(archive.comment)), size


def _end(archive: Zip, file: IO[bytes], entry: zipfile.ZipInfo) -> int:
    """Where a member ends by its own header, with its data descriptor, whose length is not told. Of one that
    has no header, which is damaged, nobody knows it."""
    file.seek(entry.header_offset)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(LOCAL):
        return archive.start_dir
    _, flags, name, extra = _HEADER.unpack(header)
    described = _DESCRIPTOR if (flags | entry.flag_bits) & _DESCRIBED else 0
    return int(entry.header_offset + _HEADER.size + name + extra + entry.compress_size + described)


def _end_of_all(file: IO[bytes], size: int, comment: int) -> int:
    """Where the end record ends: the last one, as zipfile looks for it."""
    start = file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT))
    return start + file.read(_END_SIZE + _LONGEST_COMMENT).rfind(_END) + _END_SIZE + comment


def _is_padding(file: IO[bytes], begin: int, end: int) -> bool:
    file.seek(begin)
    return all(not file.read(min(_PIECE, end - at)).strip(b"\0") for at in range(begin, end, _PIECE))
