"""A drop folder: what lies in it, each entry one delivery, and which of it has come to rest. It is only ever read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingest import folder
from ingest.deliveries import deliveries
from ingest.errors import UnknownPackage
from ingest.finding import Finding
from ingest.item import Item
from storage.digest import Hashing
from storage.namemap import Kind
from storage.names import escape_path

UNFINISHED = b".part"  # what a producer names so, or hides, is not complete


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """`snapshot` is the digest of the names, kinds, sizes and times of all that is in it; `mode` its own kind and
    permissions (stat.st_mode)."""

    name: bytes
    inode: int
    snapshot: str
    mode: int


class Waiting:
    """Which entries have stayed as they are for `settle` seconds, so far as was seen."""

    def __init__(self, settle: float) -> None:
        self._settle = settle
        self._since: dict[Entry, float] = {}

    def settled(self, seen: Iterable[Entry], now: float) -> list[Entry]:
        """Those of what is seen now, in its order; `now` in seconds of any clock that only goes forward."""
        self._since = {entry: self._since.get(entry, now) for entry in seen}
        return [entry for entry, since in self._since.items() if now - since >= self._settle]


def entries(root: Path) -> Iterator[Entry]:
    """Yield what is complete as far as names tell, by name; folders in which nothing is are not. Raises OSError where
    the folder itself cannot be listed."""
    with os.scandir(os.fsencode(root)) as found:
        names = sorted(one.name for one in found)
    for name in names:
        if not name.startswith(b".") and not name.endswith(UNFINISHED) and (entry := look(root, name)):
            yield entry


def look(root: Path, name: bytes) -> Entry | None:
    """An entry as it is now; None where it is gone, or a folder in which nothing is."""
    path = os.path.join(os.fsencode(root), name)
    with suppress(FileNotFoundError):
        facts = os.lstat(path)
        told = Hashing()
        if stat.S_ISDIR(facts.st_mode):
            for item in folder.walk(path):
                told.feed(_told(item))
            if not told.size:
                return None
        else:
            told.feed(repr((facts.st_size, facts.st_mtime_ns)).encode())
        return Entry(name, facts.st_ino, told.digest().hexadecimal, facts.st_mode)
    return None


def _told(item: Item | Finding) -> bytes:
    """What has to stay the same; a folder's own time tells nothing that its items do not."""
    if isinstance(item, Finding):
        return repr((item.code, item.path)).encode()
    time = None if item.kind is Kind.FOLDER else item.mtime
    return repr((item.kind.value, item.name, item.size, time, item.target)).encode()


def check(root: Path, entry: Entry) -> Path:
    """The package that an entry is; raise UnknownPackage where it is none, or several.

    Links are not followed: what they point to lies somewhere else, and is not what was delivered.
    """
    path = root / os.fsdecode(entry.name)
    if stat.S_ISLNK(entry.mode):
        raise UnknownPackage(escape_path(entry.name), "it is a symbolic link, which is not followed")
    if not stat.S_ISDIR(entry.mode) and not stat.S_ISREG(entry.mode):
        raise UnknownPackage(escape_path(entry.name), "it is a device, a pipe or a socket")
    if list(deliveries(path)) != [path]:
        raise UnknownPackage(escape_path(entry.name), "it is an OCFL storage root: name it to `tianyi ingest`")
    return path
