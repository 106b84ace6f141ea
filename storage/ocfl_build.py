"""A folder that is built in scratch space, durable as a whole before it gets its name."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from storage import durable
from storage.digest import Digest, Hashing
from storage.durable import Disk
from storage.errors import NotOcfl

CopyOut = Callable[[Digest, Callable[[bytes], object], Callable[[], object]], int]
"""Hands a blob's bytes to the first function as they are read, calls the second to begin again (Vault.copy_out)."""

CANNOT = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK, errno.EXDEV})
"""What a file system says that knows no second names, or no swapping of two."""

_MODE = 0o644  # others' tools may add versions of their own


@contextmanager
def building(disk: Disk, scratch: Path) -> Iterator[Build]:
    """A new folder in `scratch`, which is this call's alone; both are gone at the end, unless it was given a name."""
    durable.make_folders(disk, scratch)
    descriptor = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # before the first write: see Batch
    try:
        build = Build(disk, scratch / "new", descriptor)
        durable.make_folders(disk, build.folder)
        yield build
    finally:
        os.close(descriptor)
        with suppress(OSError):  # it stays until leftovers are removed
            durable.remove_tree(disk, scratch)


class Build:
    """The folder, while files come into it; paths are "/"-separated, below it. Raises OSError and SyncFailed."""

    def __init__(self, disk: Disk, folder: Path, descriptor: int) -> None:
        self.disk, self.folder = disk, folder
        self._descriptor = descriptor
        self._whole = disk.syncs_whole(str(folder.parent))

    def file(self, path: str, parts: Iterable[bytes]) -> Digest:
        """A file of these bytes; return its SHA-256."""
        hashing = Hashing()
        descriptor = self._create(path)
        try:
            for part in parts:
                hashing.feed(part)
                self.disk.write(descriptor, part)
            self._sync(descriptor, path)
        finally:
            self.disk.close(descriptor)
        return hashing.digest()

    def blob(self, path: str, digest: Digest, copy_out: CopyOut) -> int:
        """A file with a blob's bytes, checked as they are read; return how many."""
        opened = [self._create(path)]

        def again() -> None:
            self.disk.close(opened.pop())
            self.disk.unlink(str(self._path(path)))
            opened.append(self._create(path))

        try:
            size = copy_out(digest, lambda data: self.disk.write(opened[0], data), again)
            self._sync(opened[0], path)
        finally:
            for descriptor in opened:
                self.disk.close(descriptor)
        return size

    def adopt(self, old: Path) -> None:
        """Everything that an older folder has and this one has not: the same files under a second name, which the
        older one loses when it goes; copies where the file system has no such names. Raises NotOcfl where it has a
        link: what lies behind it is not the older one's."""
        for root, folders, files in os.walk(old):
            if linked := next((name for name in (*folders, *files) if os.path.islink(os.path.join(root, name))), None):
                raise NotOcfl(str(old), f"{os.path.join(root, linked).removeprefix(f'{old}/')} in it is a link")
            here = self.folder / os.path.relpath(root, old)
            for name in folders:
                durable.make_folders(self.disk, here / name)
            for name in files:
                if not os.path.lexists(here / name):
                    self._link(os.path.join(root, name), str(here / name))

    def wrap(self, folders: Sequence[str]) -> None:
        """Put what is built into folders, the innermost last: the folder is then the one that holds the first."""
        for depth, name in reversed(list(enumerate(folders))):  # two of them may have one name
            outer = self.folder.with_name(f"around {depth} {name}")
            self.disk.mkdir(str(outer))
            self.disk.rename(str(self.folder), str(outer / name))
            self.folder = outer

    def flush(self) -> None:
        """Everything in the folder is durable on return, its own name apart."""
        with durable.syncing(str(self.folder)):
            if self._whole:
                self.disk.sync_filesystem(self._descriptor)
            for root, _, _ in () if self._whole else os.walk(self.folder):
                self.disk.sync_folder(root)

    def _create(self, path: str) -> int:
        target = self._path(path)
        durable.make_folders(self.disk, target.parent)
        return self.disk.create(str(target), _MODE)

    def _path(self, path: str) -> Path:
        return self.folder / os.fsdecode(path.encode())

    def _sync(self, descriptor: int, path: str) -> None:
        if not self._whole:
            with durable.syncing(path):
                self.disk.sync_file(descriptor)

    def _link(self, old: str, new: str) -> None:
        try:
            self.disk.link(old, new)
        except OSError as error:
            if error.errno not in CANNOT:
                raise
            with open(old, "rb") as stream:
                self.file(os.path.relpath(new, self.folder), iter(lambda: stream.read(1 << 20), b""))
