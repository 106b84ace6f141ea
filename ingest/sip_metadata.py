"""The producer's metadata.csv in a package: what it says of the package and of what is in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from ingest import metadata_rows
from ingest.describe import DublinCore
from ingest.finding import Finding, error, warning
from ingest.meanings import Starts
from ingest.metadata_rows import Row
from ingest.source import open_lines
from ingest.worklist import Worklist
from storage.bag import ORIGINAL
from storage.names import escape_path
from storage.spool import Spool

LARGEST = 1 << 30  # bytes
_LONGEST = 1 << 20  # characters of a line
_MOST = 10_000  # values about the package as a whole
_TOLD = 100  # findings about one table; then reading it ends
_LISTS = (b"metadata/metadata.csv", b"metadata.csv")


class Described(NamedTuple):
    """A bag path, a folder's ending in "/", and what the producer says of it: columns and values, in their order."""

    path: str
    elements: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What metadata.csv says: `core` of the package as a whole, `rows` of everything that it names."""

    core: DublinCore
    rows: Spool[Described]

    def lines(self) -> Iterator[bytes]:
        """JSON Lines, one object a row."""
        for path, elements in self.rows:
            yield json.dumps({"path": path, "metadata": elements}, ensure_ascii=False).encode() + b"\n"


def read(worklist: Worklist, base: bytes, own: bytes, place: Callable[[bytes], str]) -> Description | None:
    """Read metadata.csv in the folder `base` (b"" or ending in "/"); findings go on the worklist. None where none is.

    `own` is the package's name; `place` gives an item's bag path.
    """
    for name in (base + known for known in _LISTS):
        if (source := worklist.source(name, LARGEST)) is not None:
            reading = _Reading(worklist, name, Starts.of(base, name, own), base, place)
            if found := reading.read(source, certain=name.endswith(_LISTS[0])):
                return found
    return None


class _Reading:
    """One table on its way from lines to descriptions of items."""

    def __init__(
        self, worklist: Worklist, name: bytes, starts: Starts, base: bytes, place: Callable[[bytes], str]
    ) -> None:
        self.worklist, self.origin, self.starts, self.place = worklist, escape_path(name), starts, place
        self.wholes = {b"", base.rstrip(b"/"), base + b"objects"}  # Archivematica's objects are all that is kept
        self.whole: list[tuple[str, str]] = []
        self.rows: Spool[Described] = Spool()
        self.told = 0

    def read(self, source: bytes, *, certain: bool) -> Description | None:
        """None for a table of another kind, which is told where it lies where only such a table belongs (`certain`)."""
        try:
            with open_lines(source) as stream:
                lines = _lines(stream)
                if not metadata_rows.is_ours(first := next(lines, "")):
                    if certain:
                        self._tell(warning("metadata-form", "Its first column is no filename: not used.", self.origin))
                    return None
                self._take(metadata_rows.rows(chain([first], lines), self.origin))
        except UnicodeDecodeError as failure:
            self._tell(warning("metadata-encoding", f"It is not UTF-8, and not used: {failure.reason}.", self.origin))
            return None
        except (OSError, ValueError, csv.Error) as failure:
            self._tell(warning("metadata-form", f"It is not used: {failure}.", self.origin))
            return None
        return Description(metadata_rows.core(self.whole), self.rows)

    def _take(self, rows: Iterator[Row | Finding]) -> None:
        for row in rows:
            finding = row if isinstance(row, Finding) else self._described(row)
            if finding:
                self._tell(finding)
            if self.told == _TOLD:
                raise ValueError(f"{_TOLD} of its rows are wrong")

    def _described(self, row: Row) -> Finding | None:
        """Take in what a row says; return what is wrong with it."""
        name = next(filter(self._is_there, self.starts.meanings(row.path.strip().encode())), None)
        if name is None:
            told = f"Line {row.line} of {self.origin} describes it, and it is not there."
            return error("metadata-missing-file", told, escape_path(row.path.encode()[:4096]))
        if name in self.wholes:
            self.whole.extend(row.elements)
            if len(self.whole) > _MOST:
                raise ValueError(f"it says more than {_MOST} things of the package")
        self.rows.append(Described(self._path(name), row.elements))
        return None

    def _is_there(self, name: bytes) -> bool:
        return not name or bool(self.worklist.item(name)) or self._is_folder(name)

    def _is_folder(self, name: bytes) -> bool:
        return next(self.worklist.below(name + b"/"), None) is not None

    def _path(self, name: bytes) -> str:
        if name in self.wholes:
            return ORIGINAL
        return self.place(name) + ("/" if self._is_folder(name) else "")

    def _tell(self, finding: Finding) -> None:
        self.worklist.tell([finding])
        self.told += 1


def _lines(stream: io.BufferedReader) -> Iterator[str]:
    """Lines of text with their ends; raise UnicodeDecodeError, or ValueError for one that is too long."""
    with io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        while line := text.readline(_LONGEST + 1):
            if len(line) > _LONGEST:
                raise ValueError(f"a line has more than {_LONGEST} characters")
            yield line
