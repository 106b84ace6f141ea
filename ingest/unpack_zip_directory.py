"""The directory of a zip file (APPNOTE.TXT 6.3 §4.3.12): no larger than the policy allows, and possible."""

from __future__ import annotations

import io
import zipfile
from bisect import bisect_left
from pathlib import Path
from typing import BinaryIO

from ingest.finding import error
from ingest.unpack import CHUNK, TooMuch, Unpacking

LOCAL = b"PK\x03\x04"  # begins a member's own header (APPNOTE §4.3.7)
_ENTRY = b"PK\x01\x02"  # begins an entry of the central directory (APPNOTE §4.3.12)
_LARGEST_ENTRY = 1_024  # bytes of an honest entry on the average, name and all; a usual one has 150


class Bounded(io.BufferedReader):
    """A zip whose directory is no larger than the policy allows: zipfile holds all of it in memory."""

    def __init__(self, path: Path, unpacking: Unpacking) -> None:
        super().__init__(io.FileIO(path))
        self._unpacking = unpacking

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size <= CHUNK:  # members are read in such pieces
            return super().read(size)
        if size > _LARGEST_ENTRY * self._unpacking.limits.files:
            raise TooMuch(error("container-too-many", f"Its list of members has {size} bytes."))
        data = super().read(size)
        self._unpacking.announced(data.count(_ENTRY))
        return data


class Zip(zipfile.ZipFile):
    """Knows where its members begin: none may reach into the next, as those of bombs do that share their bytes."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._begins = [*sorted(entry.header_offset for entry in self.infolist()), self.start_dir]

    def end(self, entry: zipfile.ZipInfo) -> int:
        """Where the next one begins, or the directory; raise IndexError for what lies in the directory."""
        return self._begins[bisect_left(self._begins, entry.header_offset) + 1]
