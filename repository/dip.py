"""Dissemination packages (OAIS DIP): a version's bag, given out in the form that the consumer asks for.

A DIP is written beside its place under a name of its own and renamed when it is whole, so that a half-written one
is never taken for a DIP.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from repository.errors import NotEmpty
from storage.digest import Digest, Hashing
from storage.durable import told
from storage.errors import Damaged, NotFound, StorageError
from storage.parallel import Inline, in_order, portions
from storage.progress import SILENT, Progress
from storage.store import Store
from storage.vault import Vault

CHUNK_FILES = 250  # what a worker is handed at once, where there are many
Workers = Callable[[int, int], AbstractContextManager[Executor]]


@dataclass(frozen=True, slots=True)
class Dip:
    """What was given out: where, in which form, how many files and bytes."""

    path: Path
    form: str
    files: int
    size: int


class Content(NamedTuple):
    """A blob that a DIP is to have under a path; mode and time of modification where they are known."""

    digest: Digest
    name: bytes
    mode: int | None = None
    mtime: int | None = None


class Done(NamedTuple):
    """What a worker wrote: files and bytes, and the copies and keys that were passed over because they were bad."""

    files: int
    size: int
    bad: list[tuple[str, str]]


@dataclass(slots=True)
class Out:
    """A DIP that is being written: every byte that goes in has just been checked."""

    vault: Vault
    folder: bytes
    progress: Progress = SILENT
    workers: Workers = lambda files, size: nullcontext(Inline())
    files: int = 0
    size: int = 0

    def blob(self, digest: Digest, name: bytes) -> None:
        """Write a blob under a path below the DIP; raise StorageError, or FileExistsError where the path is taken."""
        self.path(name)
        self._take(write_contents(self.vault.copies, self.folder, [Content(digest, name)]))

    def blobs(self, contents: Iterable[Content], files: int, size: int) -> None:
        """Write many, by workers; there are about so many, of so many bytes together. Raises as `blob` does."""
        checked = (one for one in contents if self.path(one.name))
        with self.workers(files, size) as executor:
            some = portions(checked, max(1, min(CHUNK_FILES, files // 16)))
            for done in in_order(executor, partial(write_contents, self.vault.copies, self.folder), some):
                self._take(done)

    def _take(self, done: Done) -> None:
        for copy, key in done.bad:
            self.vault.told(copy, key)
        self._count(done.files, done.size)

    def stream(self, parts: Iterable[bytes], name: str) -> Digest:
        """Write a file that is made for the DIP; return its SHA-256."""
        hashing = Hashing()
        with told(os.fsdecode(self.folder)), open(self.path(name.encode()), "xb") as file:
            for part in parts:
                hashing.feed(part)
                file.write(part)
        self._count(1, hashing.size)
        return hashing.digest()

    def path(self, name: bytes) -> bytes:
        """The place of a name below the DIP; raise StorageError for a name that would leave it."""
        if name.startswith(b"/") or b".." in name.split(b"/") or b"\0" in name:
            raise StorageError(f"The name {name!r} would leave the package.")
        return os.path.join(self.folder, name)

    def _count(self, files: int, size: int) -> None:
        self.files, self.size = self.files + files, self.size + size
        self.progress.advance(files, size)


def write_contents(copies: Sequence[Store], folder: bytes, contents: Sequence[Content]) -> Done:
    """A chunk of it, for a worker: each from the first of the copies that has it whole."""
    bad: list[tuple[str, str]] = []
    vault = Vault(copies, lambda copy, key: bad.append((copy, key)))
    with told(os.fsdecode(folder)):
        sizes = [_write(vault, os.path.join(folder, one.name), one) for one in contents]
    return Done(len(sizes), sum(sizes), bad)


def _write(vault: Vault, target: bytes, content: Content) -> int:
    with _created(target) as file:
        size = vault.copy_out(content.digest, file.write, lambda: (file.seek(0), file.truncate()))
    dress(target, content.mode, content.mtime)
    return size


def _created(target: bytes) -> BinaryIO:
    """A new file to write; its folders are made where they are missing."""
    with suppress(FileNotFoundError):
        return open(target, "xb")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    return open(target, "xb")


def dress(path: bytes, mode: int | None, mtime: int | None) -> None:
    """Give a file, folder or link its mode (a link has none) and time of modification; never set-uid, set-gid or
    sticky bits."""
    if mode is not None:
        os.chmod(path, mode & 0o777)
    if mtime is not None:
        with suppress(OverflowError):  # a time that this system cannot express
            os.utime(path, ns=(mtime, mtime), follow_symlinks=False)


@contextmanager
def writing(vault: Vault, dest: Path, progress: Progress, workers: Workers) -> Iterator[Out]:
    """A folder to write a DIP into, at its place when the block ends well, gone when it does not.

    Raises NotEmpty where something is at `dest`.
    """
    if os.path.lexists(dest) and not (dest.is_dir() and not any(dest.iterdir())):
        raise NotEmpty(str(dest))
    dest.parent.mkdir(parents=True, exist_ok=True)
    unfinished = dest.with_name(f".{dest.name}.partial-{os.getpid()}")
    with told(str(dest.parent)):
        unfinished.mkdir()
    try:
        yield Out(vault, os.fsencode(unfinished), progress, workers)
        with told(str(dest)):
            os.replace(unfinished, dest)
    except NotFound as lost:  # the version is there, and a part of it in no copy
        raise Damaged(lost.what) from lost
    finally:
        shutil.rmtree(os.fsencode(unfinished), ignore_errors=True)
