"""What repairs can be made from besides copies: files that a person gives, whichever has the SHA-256 that is wanted,
whatever it is called; and what ships with Tianyi, for the files that every copy has."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from fixity.audit import Expected
from storage import founding
from storage.digest import Hashing
from storage.errors import NotFound, Unreachable
from storage.memory import Memory
from storage.receive import chunks
from storage.store import Opens

OUTSIDE = "a file outside"
"""Their source, as evidence has it: no copy can be called so, and where they lie is nobody's concern later."""
SHIPPED = "what ships with Tianyi"


class Outside:
    """What was found of what is wanted, in the shape of a copy that can be read (`storage.store.Opens`)."""

    name = OUTSIDE
    at_once = 1

    def __init__(self, found: Mapping[str, Path]) -> None:
        self.found = found

    def open(self, key: str) -> BinaryIO:
        if key not in self.found:
            raise NotFound(key, self.name)
        try:
            return _opened(self.found[key])
        except OSError as error:
            raise Unreachable(str(self.found[key]), error.strerror or str(error)) from error

    def size(self, key: str) -> int:
        with self.open(key) as stream:
            return os.fstat(stream.fileno()).st_size


def shipped(vault_id: str) -> Opens:
    """README.txt, restore.py and tianyi-vault.json as this Tianyi founds them. Those of a vault that another version
    has founded may differ: then they are not the bytes that are wanted."""
    store = Memory(SHIPPED)
    for key, data in founding.fixed_files(vault_id).items():
        store.create(key, data)
    return store


def search(place: Path, wanted: Iterable[Expected]) -> Outside:
    """Look for what is wanted in a file, or in all below a folder, through no link; what cannot be read has nothing.

    Only files are read whose size is wanted. (That of what is lost everywhere may not be known: it is 0.)
    """
    keys: dict[str, list[str]] = {}
    sizes = set()
    for one in wanted:
        keys.setdefault(str(one.digest), []).append(one.key)
        sizes.add(one.size)
    found: dict[str, Path] = {}
    for path in _files(place) if keys else ():
        with suppress(OSError), _opened(path) as stream:
            if 0 in sizes or os.fstat(stream.fileno()).st_size in sizes:
                digest = Hashing().feed_all(chunks(stream)).digest()
                found.update(dict.fromkeys(keys.get(str(digest), ()), path))
    return Outside(found)


def _files(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
    for folder, _, names in os.walk(place):
        yield from (Path(folder, name) for name in sorted(names))


def _opened(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return open(descriptor, "rb", buffering=0)
