"""Headers of a tar file as tarfile reads them: none larger than an honest one, and of one mind."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ingest.tar_stream import BLOCK

_EXTENDED = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"X")
_LONGEST_HEADER = 1 << 20  # bytes of a long name or a pax header: no path comes near
_LONGEST_MAP = 4 << 20  # bytes of a sparse file's map, which tarfile keeps in memory: some 200,000 holes


class Header(tarfile.TarInfo):
    """A header that is not read where it claims to be larger than any honest one. (These are tarfile's own hooks.)"""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _EXTENDED and self.size > _LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]

    def _proc_sparse(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        with _mapping(archive):
            return super()._proc_sparse(archive)  # type: ignore[misc,no-any-return]

    def _proc_gnusparse_10(self, entry: tarfile.TarInfo, headers: object, archive: tarfile.TarFile) -> None:
        with _mapping(archive):
            super()._proc_gnusparse_10(entry, headers, archive)  # type: ignore[misc]


@contextmanager
def _mapping(archive: tarfile.TarFile) -> Iterator[None]:
    """Raise ReadError for a sparse file's map that goes on and on."""
    stream = archive.fileobj
    archive.fileobj = _Map(stream)  # type: ignore[assignment]  # of which only this much is used
    try:
        yield
    finally:
        archive.fileobj = stream


class _Map:
    def __init__(self, stream: Any) -> None:
        self._stream, self._left = stream, _LONGEST_MAP
        self.tell = stream.tell

    def read(self, size: int) -> Any:
        self._left -= size
        if self._left < 0:
            raise tarfile.ReadError("the map of a sparse file is too long")
        return self._stream.read(size)


def is_clear(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bool:
    """Whether there is one size of it, and the next header is where it ends.

    tarfile takes a size from a global header, or a sparse file's where there is no map of it, and goes on as if it had
    not.
    """
    if entry.issparse():
        return entry.size >= 0
    if "size" in archive.pax_headers or "GNU.sparse.realsize" in entry.pax_headers:
        return False
    return entry.size >= 0 and entry.offset_data + -(-entry.size // BLOCK) * BLOCK == archive.offset
