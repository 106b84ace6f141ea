"""Safe unpacking: members become numbered files in scratch, so that no name from outside ever reaches a disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ingest.cancelling import unheeded
from ingest.finding import Finding, error
from ingest.item import Item
from policies.ingest import ContainerLimits
from storage.durable import DISK, told

CHUNK = 1 << 20  # bytes of a member that are read at once
SMALL = 100 << 20  # bytes: below it no ratio is a bomb


class TooMuch(Exception):
    """A container that unpacks to more than the policy allows."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(slots=True)
class Unpacking:
    """The scratch folder, and what has been unpacked so far, held against the limits before it costs disk."""

    folder: Path
    packed: int
    limits: ContainerLimits
    item: Callable[[bytes], Item | None]
    """What was unpacked under a name before."""
    in_place: bool = False
    """Whether a member that can be read where it lies is left there (ingest/source.py)."""
    files: int = 0
    size: int = 0
    entries: int = 0
    heed: Callable[[], None] = unheeded
    """Called while bytes are written; raises where that has to stop."""

    def member(self) -> Path:
        """A new numbered path; raise TooMuch beyond the number of files allowed."""
        self._file()
        return self.folder / f"{self.files:08d}"

    def left(self, size: int) -> None:
        """A member of so many bytes stays where it lies; raise TooMuch as if it had come out."""
        self._file()
        Unpacking.count(self, size)

    def _file(self) -> None:
        self.files += 1
        if self.files > self.limits.files:
            raise TooMuch(error("container-too-many", f"It holds more than {self.limits.files} files."))

    def copy(self, stream: IO[bytes], target: Path) -> int:
        """Write a member's bytes; return how many; raise TooMuch, NoRoom, or what the stream raises."""
        before = self.size
        with told(str(self.folder)):
            file = target.open("xb", buffering=0)
        with file:
            for data in _chunks(stream):
                self.count(len(data))
                self.heed()
                with told(str(self.folder)):
                    DISK.write(file.fileno(), data)
        return self.size - before

    def entry(self) -> None:
        """One entry more of any kind; raise TooMuch beyond the number allowed, folders and links included."""
        self.entries += 1
        self.announced(self.entries)

    def announced(self, entries: int) -> None:
        """The container says that it has so many; raise TooMuch as `entry`, before they take memory."""
        if entries > 4 * self.limits.files:
            raise TooMuch(error("container-too-many", f"It holds more than {4 * self.limits.files} entries."))

    def count(self, size: int) -> None:
        """So many bytes more came out of the container; raise TooMuch beyond the limits."""
        self.size += size
        if self.size > self.limits.bytes:
            raise TooMuch(error("container-too-large", f"It unpacks to more than {self.limits.bytes} bytes."))
        if self.size > max(SMALL, self.packed * self.limits.ratio):
            raise TooMuch(error("container-bomb", f"It unpacks to more than {self.limits.ratio} times its size."))


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while data := stream.read(CHUNK):
        yield data
