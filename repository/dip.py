"""Dissemination packages (OAIS DIP): a version's bag, given out in the form that the consumer asks for.

A DIP is written beside its place under a name of its own and renamed when it is whole, so that a half-written one
is never taken for a DIP.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repository.errors import NotEmpty
from storage.digest import Digest, Hashing
from storage.durable import told
from storage.errors import Damaged, NotFound, StorageError
from storage.progress import SILENT, Progress
from storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Dip:
    """What was given out: where, in which form, how many files and bytes."""

    path: Path
    form: str
    files: int
    size: int


@dataclass(slots=True)
class Out:
    """A DIP that is being written: every byte that goes in has just been checked."""

    vault: Vault
    folder: bytes
    progress: Progress = SILENT
    files: int = 0
    size: int = 0

    def blob(self, digest: Digest, name: bytes) -> None:
        """Write a blob under a path below the DIP; raise StorageError, or NotEmpty where the path is taken."""
        target = self.path(name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with told(os.fsdecode(self.folder)), open(target, "xb") as file:
            size = self.vault.copy_out(digest, file.write, lambda: (file.seek(0), file.truncate()))
        self._count(size)

    def stream(self, parts: Iterable[bytes], name: str) -> Digest:
        """Write a file that is made for the DIP; return its SHA-256."""
        hashing = Hashing()
        with told(os.fsdecode(self.folder)), open(self.path(name.encode()), "xb") as file:
            for part in parts:
                hashing.feed(part)
                file.write(part)
        self._count(hashing.size)
        return hashing.digest()

    def path(self, name: bytes) -> bytes:
        """The place of a name below the DIP; raise StorageError for a name that would leave it."""
        if name.startswith(b"/") or b".." in name.split(b"/") or b"\0" in name:
            raise StorageError(f"The name {name!r} would leave the package.")
        return os.path.join(self.folder, name)

    def _count(self, size: int) -> None:
        self.files, self.size = self.files + 1, self.size + size
        self.progress.advance(1, size)


@contextmanager
def writing(vault: Vault, dest: Path, progress: Progress) -> Iterator[Out]:
    """A folder to write a DIP into, at its place when the block ends well, gone when it does not.

    Raises NotEmpty where something is at `dest`.
    """
    if os.path.lexists(dest) and not (dest.is_dir() and not any(dest.iterdir())):
        raise NotEmpty(str(dest))
    dest.parent.mkdir(parents=True, exist_ok=True)
    partial = dest.with_name(f".{dest.name}.partial-{os.getpid()}")
    with told(str(dest.parent)):
        partial.mkdir()
    try:
        yield Out(vault, os.fsencode(partial), progress)
        with told(str(dest)):
            os.replace(partial, dest)
    except NotFound as lost:  # the version is there, and a part of it in no copy
        raise Damaged(lost.what) from lost
    finally:
        shutil.rmtree(os.fsencode(partial), ignore_errors=True)
