"""Quarantine: what repairs replace is kept outside the copies, named, with a note of what was wrong with it."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from fixity.repair import Mend
from storage import durable
from storage.digest import Digest, Hashing, sha256
from storage.durable import DISK, told
from storage.errors import StorageError
from storage.local import Local
from storage.receive import chunks
from storage.store import Store

NOTE = ".json"
_LONGEST = 200  # characters of a name, so that what is added to it fits


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The folder where it lies, by copy and `time` (UTC with a Z). Nothing in it is ever overwritten."""

    folder: Path
    time: str
    _kept: dict[tuple[str, str], str] = field(default_factory=dict)

    def keep(self, store: Store, mend: Mend) -> str:
        """Keep what lies under a damaged key, as far as it can be read, and note beside it what was wrong; what nothing
        can be put over, as a folder, makes way. Return its name below the folder, "" where nothing lay there.

        Raises NoRoom or Unreachable where it cannot be kept: then nothing may be put in its place.
        """
        key = mend.damage.expected.key
        if (store.name, key) not in self._kept and (kind := _kind(store, key)):
            with told(str(self.folder)):
                self._kept[store.name, key] = self._take(store, mend, kind)
        return self._kept.get((store.name, key), "")

    def keep_end(self, store: Store, mend: Mend) -> str:
        """As `keep`, of the ledger's end, before an entry is written over it; a folder, which stays then, is left."""
        return "" if _kind(store, mend.damage.expected.key) == "folder" else self.keep(store, mend)

    def holds(self, name: str, digest: Digest) -> bool:
        """Whether what is kept under a name is all of a file that has this digest."""
        with suppress(OSError), (self.folder / name).open("rb") as file:
            return Hashing((digest.algorithm,)).feed_all(chunks(file)).digest() == digest
        return False

    def _take(self, store: Store, mend: Mend, kind: str) -> str:
        key = mend.damage.expected.key
        place = self._place(store.name, key)
        note = {"kind": kind, **_note(mend), "time": self.time}
        if kind == "folder" and isinstance(store, Local):
            shutil.copytree(store.path(key), place, symlinks=True)
        elif kind == "link" and isinstance(store, Local):
            note["target"] = os.fsencode(os.readlink(store.path(key))).decode("ascii", "backslashreplace")
        elif kind == "file":
            note["read"] = _write(place, _readable(store, key))
        _write(place.with_name(place.name + NOTE), [json.dumps(note, sort_keys=True).encode() + b"\n"])
        if kind == "folder" and isinstance(store, Local):
            store.clear(key)
        return str(place.relative_to(self.folder))

    def _place(self, copy: str, key: str) -> Path:
        """A name that nothing has yet."""
        folder = self.folder / copy / self.time.replace(":", "")
        durable.make_folders(DISK, folder)
        name = key.replace("/", "_")
        if len(name) > _LONGEST:
            name = sha256(os.fsencode(key)).hexadecimal
        names = (name if n == 1 else f"{name}.{n}" for n in count(1))
        return next(path for name in names if not _is_taken(path := folder / name))


def _note(mend: Mend) -> dict[str, Any]:
    expected = mend.damage.expected
    wanted = {"digest": str(expected.digest), "bytes": expected.size}
    found = mend.fault.told() if mend.fault else {}
    return {"copy": mend.damage.copy, "key": expected.key, "expected": wanted, "found": found, "from": mend.source}


def _kind(store: Store, key: str) -> str:
    """What lies under a key: "file", "folder", "link" or "special"; "" where nothing does, or it cannot be asked."""
    with suppress(StorageError, OSError):
        if not isinstance(store, Local):
            return "file" if store.size(key) >= 0 else ""
        mode = os.lstat(store.path(key)).st_mode
        kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
        return kinds.get(stat.S_IFMT(mode), "special")
    return ""


def _readable(store: Store, key: str) -> Iterator[bytes]:
    """What can be read, up to the first error."""
    with suppress(StorageError, OSError), store.open(key) as stream:
        yield from chunks(stream)


def _write(path: Path, parts: Iterable[bytes]) -> int:
    """A new file, durable on return; return its bytes."""
    size = 0
    descriptor = DISK.create(str(path))
    try:
        for data in parts:
            DISK.write(descriptor, data)
            size += len(data)
        DISK.sync_file(descriptor)
    finally:
        DISK.close(descriptor)
    DISK.sync_folder(str(path.parent))
    return size


def _is_taken(path: Path) -> bool:
    return os.path.lexists(path) or os.path.lexists(f"{path}{NOTE}")
