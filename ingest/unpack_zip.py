"""Zip files (APPNOTE.TXT 6.3): members with their original name bytes, modes and times."""

from __future__ import annotations

import calendar
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ingest import member
from ingest.finding import Finding, error
from ingest.item import Item
from ingest.source import member as member_of
from ingest.source import open_lines, open_source
from ingest.unpack import Unpacking
from ingest.unpack_zip_directory import LOCAL, Bounded, Zip
from ingest.unpack_zip_more import more
from ingest.zip_methods import DEFLATED, STORED
from storage.namemap import Kind
from storage.names import escape_path

_ENCRYPTED, _PATCH, _UTF8 = 0x1 | 0x40, 0x20, 0x800  # general purpose bits 0 and 6, 5, 11 (APPNOTE §4.4.4)
_SPECIAL = (stat.S_IFBLK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK)
_BROKEN = (
    *(zipfile.BadZipFile, EOFError, OSError, struct.error),
    *(NotImplementedError, ValueError, IndexError),
)


def unpack(path: Path, unpacking: Unpacking) -> Iterator[Item | Finding]:
    """Yield the members in the archive's order; a member that cannot be taken, or a broken archive, as a finding.

    Raises TooMuch. What zipfile raises for broken archives is many things, all of which are the archive's fault.
    """
    try:
        with Bounded(path, unpacking) as file, Zip(file) as archive:
            for entry in archive.infolist():
                yield from _member(archive, entry, unpacking)
            yield from more(archive)
    except _BROKEN as failure:
        yield error("zip-damaged", f"The zip file cannot be read: {failure}.")


def _member(archive: Zip, entry: zipfile.ZipInfo, unpacking: Unpacking) -> Iterator[Item | Finding]:
    raw = _raw_name(entry)
    name = member.tidy(raw)
    unpacking.entry()
    if not name and raw.endswith(b"/"):
        return
    if refused := member.refusal(name):
        yield refused
    elif entry.flag_bits & _ENCRYPTED:
        yield error("zip-encrypted", "It is encrypted; ask the producer for the plain file.", escape_path(name))
    else:
        yield _item(archive, entry, name, raw.endswith(b"/"), unpacking)


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8 else "cp437")


def _item(archive: Zip, entry: zipfile.ZipInfo, name: bytes, folder: bool, unpacking: Unpacking) -> Item | Finding:
    unix = entry.external_attr >> 16
    mode = stat.S_IMODE(unix) if unix else None
    found = Item(kind=Kind.FOLDER, name=name, mode=mode, mtime=_modified(entry))
    if folder:
        return found if not entry.file_size else error("path-invalid", "A folder has bytes.", escape_path(name))
    if stat.S_IFMT(unix) in _SPECIAL and not entry.file_size:  # Info-ZIP packs what it has read of a pipe
        return member.special(name)
    try:
        source = _in_place(archive, entry)
        if stat.S_ISLNK(unix):
            with open_lines(source) as stream:
                link = stream.read(member.LONGEST_PATH + 1)
            return member.link_refusal(name, link) or found._replace(kind=Kind.LINK, target=link)
        if unpacking.in_place and entry.compress_type in (STORED, DEFLATED):
            unpacking.left(entry.file_size)
            return found._replace(kind=Kind.FILE, source=source, size=entry.file_size)
        target = unpacking.member()
        with open_source(source) as packed:
            size = unpacking.copy(packed, target)
    except _BROKEN as failure:
        return error("zip-damaged", f"It cannot be unpacked: {failure}.", escape_path(name))
    return found._replace(kind=Kind.FILE, source=bytes(target), size=size)


def _begin(archive: Zip, entry: zipfile.ZipInfo) -> int:
    """Where a member's data begin, by its local header (APPNOTE §4.3.7), which has to name it as the directory does;
    raise BadZipFile, IndexError or struct.error."""
    assert archive.fp is not None  # it is open
    archive.fp.seek(entry.header_offset)
    signature, name, extra = struct.unpack("<4s22xHH", archive.fp.read(30))
    if signature != LOCAL or archive.fp.read(name) != _raw_name(entry):
        raise zipfile.BadZipFile("its own header has another name for it")
    begin = int(entry.header_offset + 30 + name + extra)
    if begin + entry.compress_size > archive.end(entry):
        raise zipfile.BadZipFile("it reaches into what is after it")
    return begin


def _in_place(archive: Zip, entry: zipfile.ZipInfo) -> bytes:
    """The source of a member; raise BadZipFile where it cannot be what it claims to be, or as `_begin`."""
    begin, packed = _begin(archive, entry), entry.compress_size
    if entry.flag_bits & _PATCH:
        raise zipfile.BadZipFile("it is a patch to another file")
    if entry.compress_type == STORED and packed != entry.file_size:
        raise zipfile.BadZipFile("its sizes contradict each other")
    path = os.fsencode(str(archive.filename))
    return member_of(path, entry.compress_type, begin, packed, entry.file_size, entry.CRC)


def _modified(entry: zipfile.ZipInfo) -> int | None:
    """Nanoseconds since 1970: from the extended time stamp (APPNOTE §4.5.3, 0x5455; UTC), else the DOS time, which
    names no zone and is taken as UTC; None where it is no date."""
    extra = entry.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == 0x5455 and length >= 5 and extra[4] & 1:
            return int(struct.unpack_from("<i", extra, 5)[0]) * 10**9
        extra = extra[4 + length :]
    year, month, day = entry.date_time[:3]
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return calendar.timegm((year, month, day, *entry.date_time[3:])) * 10**9
