"""Archives: of which kind a file is, and its members, unpacked into scratch within the policy's limits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from ingest.errors import UnknownPackage
from ingest.finding import Finding, error
from ingest.item import Item
from ingest.unpack import TooMuch, Unpacking
from storage.names import escape_path

_SUFFIXES = {
    ".zip": "zip", ".7z": "7z",
    ".tar": "tar", ".tar.gz": "tar", ".tar.bz2": "tar", ".tar.xz": "tar", ".tar.zst": "tar",
    ".tgz": "tar", ".tbz2": "tar", ".txz": "tar", ".tzst": "tar",
}  # fmt: skip
_MAGIC = {b"PK\x03\x04": "zip", b"7z\xbc\xaf\x27\x1c": "7z"}
_RAR = b"Rar!\x1a\x07"
KINDS = ("zip", "tar", "7z", "rar")


def kind_of(path: Path, wanted: str = "") -> str:
    """What kind of archive a file is: as `wanted`, else by its first bytes, or by its name where they say nothing.

    By its first bytes alone a RAR is one, and a file whose name has no suffix. Raises UnknownPackage for what is none.
    """
    if wanted in KINDS:
        return wanted
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(_RAR):
        return "rar"
    named = next((kind for suffix, kind in _SUFFIXES.items() if path.name.lower().endswith(suffix)), "")
    if (named or not path.suffix) and (kind := _by_its_bytes(path, start) or named):
        return kind
    raise UnknownPackage(escape_path(os.fsencode(path)), "a single file that is no zip, tar or 7z")


def _by_its_bytes(path: Path, start: bytes) -> str:
    """Which kind begins so, "" for none: a zip may begin with a program, and what is damaged with anything."""
    if is_tar(path):
        return "tar"
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "")


def members(path: Path, kind: str, unpacking: Unpacking) -> Iterator[Item | Finding]:
    """Yield the members in the archive's order, and findings; the last one says so where a limit was reached."""
    unpacking.folder.mkdir()
    try:
        yield from _reader(kind)(path, unpacking)
    except TooMuch as beyond:
        yield beyond.finding


def _reader(kind: str) -> Callable[[Path, Unpacking], Iterator[Item | Finding]]:
    """What reads archives of a kind: most deliveries are none."""
    if kind == "zip":
        from ingest.unpack_zip import unpack
    elif kind == "tar":
        from ingest.unpack_tar import unpack
    elif kind == "7z":
        from ingest.unpack_7z import unpack
    else:
        return _refused
    return unpack


def is_tar(path: Path) -> bool:
    """Whether its first bytes, decompressed where they are compressed, are those of a tar."""
    import tarfile

    from ingest.tar_stream import BLOCK, BROKEN, opened

    with suppress(*BROKEN, tarfile.TarError), opened(path) as stream:
        tarfile.TarInfo.frombuf(stream.read(BLOCK), "utf-8", "surrogateescape")
        return True
    return False


def _refused(path: Path, unpacking: Unpacking) -> Iterator[Item | Finding]:
    """No free program reads every RAR, so that nobody could say that all of it is there."""
    yield error("rar-refused", "It is a RAR file, a format that is not open: unpack it, and deliver the folder.")
