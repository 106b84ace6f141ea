"""Dissemination packages (OAIS DIP): a version's bag, given out in the form that the consumer asks for.

A DIP is written beside its place under a name of its own and renamed when it is whole, so that a half-written one
is never taken for a DIP.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ingest.finding import Finding
from repository import dip_contents, dip_unfinished
from repository.dip_contents import Content, Done, Link
from repository.errors import NotEmpty
from storage.digest import Digest, Hashing
from storage.durable import told
from storage.errors import Damaged, NotFound, StorageError
from storage.parallel import Inline, Workers, in_order
from storage.portions import portions
from storage.progress import SILENT, Progress
from storage.vault import Vault

CHUNK_FILES = 250  # what a worker is handed at once, where there are many


@dataclass(frozen=True, slots=True)
class Dip:
    """What was given out: where, in which form, how many files and bytes; where the proof is, None without one; what
    exports to that place that were killed have left there; which files are not in it under the name that they came
    by."""

    path: Path
    form: str
    files: int
    size: int
    proof: Path | None = None
    leftovers: Sequence[Path] = ()
    findings: Sequence[Finding] = ()


@dataclass(slots=True)
class Out:
    """A DIP that is being written: every byte that goes in has just been checked."""

    vault: Vault
    folder: bytes
    progress: Progress = SILENT
    workers: Workers = lambda files, size: nullcontext(Inline())
    link: Link = Link.NONE
    files: int = 0
    size: int = 0
    findings: Sequence[Finding] = ()

    def blob(self, digest: Digest, name: bytes) -> None:
        """Write a blob under a path below the DIP; raise StorageError, or FileExistsError where the path is taken."""
        self.path(name)
        self._take(dip_contents.write(self.vault.copies, self.folder, Link.NONE, [Content(digest, name)]))

    def blobs(self, contents: Iterable[Content], files: int, size: int) -> None:
        """Write many, by workers; there are about so many, of so many bytes together. Raises as `blob` does."""
        checked = (one for one in contents if self.path(one.name))
        write = partial(dip_contents.write, self.vault.copies, self.folder, self.link)
        with self.workers(files, size) as executor:
            some = portions(checked, max(1, min(CHUNK_FILES, files // 16)))
            for done in in_order(executor, write, some):
                self._take(done)

    def _take(self, done: Done) -> None:
        for copy, key in done.bad:
            self.vault.told(copy, key)
        self._count(done.files, done.size)

    def stream(self, parts: Iterable[bytes], name: str) -> Digest:
        """Write a file that is made for the DIP; return its SHA-256."""
        hashing, path = Hashing(), self.path(name.encode())
        with told(os.fsdecode(self.folder)):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb") as file:
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


@contextmanager
def writing(vault: Vault, dest: Path, progress: Progress, workers: Workers, link: Link = Link.NONE) -> Iterator[Out]:
    """A folder to write a DIP into, at its place when the block ends well, gone when it does not.

    Raises NotEmpty where something is at `dest`.
    """
    if os.path.lexists(dest) and not (dest.is_dir() and not any(dest.iterdir())):
        raise NotEmpty(str(dest))
    dest.parent.mkdir(parents=True, exist_ok=True)
    unfinished = dip_unfinished.folder_for(dest)
    with told(str(dest.parent)):
        unfinished.mkdir()
    try:
        with dip_unfinished.held(unfinished):
            yield Out(vault, os.fsencode(unfinished), progress, workers, link)
            with told(str(dest)):
                os.replace(unfinished, dest)
    except NotFound as lost:  # the version is there, and a part of it in no copy
        raise Damaged(lost.what) from lost
    finally:
        shutil.rmtree(os.fsencode(unfinished), ignore_errors=True)
