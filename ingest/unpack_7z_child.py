"""The 7z tool: `list ARCHIVE` and `unpack ARCHIVE`, into the folder that it runs in; one line on stderr says why not.

It runs alone in the sandbox (`python -I`) and imports py7zr and nothing of ours. Members become files that are named
by their position in the archive, so no name from outside reaches the disk; `listing` has one JSON object a member.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator
from typing import Any

import py7zr


class _File(py7zr.Py7zIO):
    """One new file; py7zr writes it once, from front to back."""

    def __init__(self, name: str) -> None:
        self._file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, s: bytes | bytearray) -> int:
        rest = memoryview(s)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        return len(s)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def flush(self) -> None:
        """Nothing is buffered."""

    def size(self) -> int:
        return os.lseek(self._file, 0, os.SEEK_CUR)

    def close(self) -> None:
        os.close(self._file)


class _Files(py7zr.WriterFactory):
    def create(self, filename: str) -> py7zr.Py7zIO:
        return _File(filename)


def listed(archive: py7zr.SevenZipFile) -> Iterator[dict[str, Any]]:
    """The members in the archive's order; "time" in Windows' count: 100 ns since 1601."""
    empty = iter(archive.header.files_info.emptyfiles if archive.files else ())
    for entry in archive.files:
        is_file = next(empty, False) if entry.emptystream else True
        properties = entry.file_properties()
        time = properties.get("lastwritetime")
        yield {
            "kind": "folder" if properties.get("attributes") is None and not is_file else kind(entry),
            "name": entry.filename, "size": entry.uncompressed, "mode": entry.posix_mode,
            "time": None if time is None else int(time),
        }  # fmt: skip


def kind(entry: Any) -> str:
    """By the attributes: the Unix mode where there is one, else Windows' flags."""
    if entry.is_directory:
        return "folder"
    if entry.is_symlink:
        return "link"
    return "file" if entry.st_fmt in (None, 0, stat.S_IFREG) else "special"


def write_listing(archive: py7zr.SevenZipFile) -> None:
    with open("listing", "x", encoding="ascii") as file:
        for member in listed(archive):
            file.write(json.dumps(member) + "\n")


def unpack(archive: py7zr.SevenZipFile) -> None:
    """Write the members under their numbers: py7zr checks the CRC of each, and never sees a name from outside."""
    for position, entry in enumerate(archive.files):
        entry.file_properties()["filename"] = f"{position:08d}"
    archive.extract(factory=_Files())


def main(verb: str, path: str) -> str:
    """What kept it from being done, in a word that the caller knows, "" where it was; damage raises many things."""
    try:
        with open(path, "rb") as file, py7zr.SevenZipFile(file) as archive:
            if archive.needs_password():
                return "encrypted"
            {"list": write_listing, "unpack": unpack}[verb](archive)
    except py7zr.PasswordRequired:
        return "encrypted"
    except py7zr.UnsupportedCompressionMethodError:
        return "unsupported"
    except MemoryError:
        return "memory"
    except OSError as failure:
        if failure.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return "full"
    return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
