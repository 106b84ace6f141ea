"""Tar files (POSIX pax, GNU, ustar), plain or compressed (gzip, bzip2, xz, Zstandard), read once from front to back."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from io import BufferedReader
from pathlib import Path

from ingest import member
from ingest.finding import Finding, error, warning
from ingest.item import Item
from ingest.packed import UNCHECKED
from ingest.source import member as member_of
from ingest.tar_stream import BROKEN, TarStream, opened
from ingest.unpack import Unpacking
from ingest.unpack_tar_header import Header, is_clear
from ingest.zip_methods import STORED
from storage.namemap import Kind
from storage.names import escape_path

_LATEST = 1 << 63  # seconds: beyond it no system has a time
_BROKEN = (*BROKEN, tarfile.TarError, RecursionError, ValueError, IndexError, KeyError)


def unpack(path: Path, unpacking: Unpacking) -> Iterator[Item | Finding]:
    """Yield the members in the archive's order; a member that cannot be taken, or a broken archive, as a finding.

    Raises TooMuch. A hard link becomes a file with the content of the member that it names.
    """
    try:
        with opened(path) as whole:
            stream = TarStream(whole)
            plain = os.fsencode(path) if unpacking.in_place and isinstance(whole, BufferedReader) else b""
            with _archive(stream) as archive:
                yield from _members(archive, unpacking, plain)
                if wrong := stream.ending(archive.offset):
                    yield error("tar-cut", f"The tar file does not end as it should: {wrong}.")
                if stream.drain(archive.offset, unpacking.count) and not wrong:
                    yield error(
                        "tar-more", "Behind its end there is more, as if archives were joined: nothing reads it."
                    )
    except _BROKEN as failure:
        yield error("tar-damaged", f"The tar file cannot be read: {failure}.")


def _archive(stream: TarStream) -> tarfile.TarFile:
    """Raises TarError. Names that are not UTF-8 come as surrogates."""
    return tarfile.open(  # type: ignore[call-overload,no-any-return]  # of a stream it only reads
        fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape", tarinfo=Header
    )


def _members(archive: tarfile.TarFile, unpacking: Unpacking, plain: bytes) -> Iterator[Item | Finding]:
    end = 0
    for entry in archive:
        unpacking.count(entry.offset_data - end)  # headers are bytes too, and may be most of them
        end = archive.offset
        name = member.tidy(entry.name.encode("utf-8", "surrogateescape"))
        unpacking.entry()
        if not name and entry.isdir():
            continue
        item = member.refusal(name) or _item(archive, entry, name, unpacking, plain)
        if isinstance(item, Item) and item.mtime is None:
            told = "Its time of modification is none that a system has: it is kept without one."
            yield warning("time-invalid", told, escape_path(name))
        yield item
        archive.members = []  # type: ignore[attr-defined]  # tarfile keeps every header it has read


def _item(
    archive: tarfile.TarFile, entry: tarfile.TarInfo, name: bytes, unpacking: Unpacking, plain: bytes
) -> Item | Finding:
    """`plain` is the archive's path where its members may be read where they lie, else empty."""
    found = Item(kind=Kind.FOLDER, name=name, mode=entry.mode & 0o7777, mtime=_modified(entry))
    target = entry.linkname.encode("utf-8", "surrogateescape")
    if entry.isdir():
        return found
    if entry.issym():
        return member.link_refusal(name, target) or found._replace(kind=Kind.LINK, target=target)
    if entry.islnk():
        linked = unpacking.item(member.tidy(target))
        if linked is None or linked.kind is not Kind.FILE:
            return error("link-broken", "It is a hard link to a file that is not before it.", escape_path(name))
        return found._replace(kind=Kind.FILE, source=linked.source, size=linked.size)
    if not entry.isfile():
        return member.special(name)
    if not is_clear(archive, entry):
        return error("tar-damaged", "Its headers contradict each other on its size.", escape_path(name))
    if plain and not entry.issparse():
        unpacking.left(entry.size)
        source = member_of(plain, STORED, entry.offset_data, entry.size, entry.size, UNCHECKED)
        return found._replace(kind=Kind.FILE, source=source, size=entry.size)
    stream = archive.extractfile(entry)
    assert stream is not None  # for regular files it never is (tarfile's documentation)
    file = unpacking.member()
    size = unpacking.copy(stream, file)
    if size != entry.size:
        return error("tar-damaged", f"It is cut: {size} of {entry.size} bytes.", escape_path(name))
    return found._replace(kind=Kind.FILE, source=bytes(file), size=size)


def _modified(entry: tarfile.TarInfo) -> int | None:
    """Nanoseconds since 1970, exact where a pax header has a fraction (POSIX pax §mtime); None where it is no time."""
    try:
        seconds = Decimal(entry.pax_headers.get("mtime", entry.mtime))
        return int(seconds * 10**9) if abs(seconds) < _LATEST else None
    except (ArithmeticError, ValueError):
        return None
