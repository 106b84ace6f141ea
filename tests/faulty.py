"""Faults on order: a `Disk` around another that fails at the calls that a test names."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from storage.durable import DISK, Disk

Fault = Callable[[], object]
ANY = "any"  # stands for each operation


def full_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def broken_disk() -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


class Unsynced(Disk):
    """A disk that is fast and forgets in a power cut; `whole` says how it makes a batch durable."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole

    def sync_file(self, descriptor: int) -> None: ...
    def sync_folder(self, path: str) -> None: ...
    def sync_filesystem(self, descriptor: int) -> None: ...

    def filesystem(self, descriptor: int) -> int:
        return hash(os.readlink(f"/proc/self/fd/{descriptor}"))  # each copy lies on one of its own

    def syncs_whole(self, folder: str) -> bool:
        return self.whole


@dataclass
class _Planned:
    operation: str
    call: int  # the first is 1
    do: Fault
    within: tuple[str, ...]  # only calls about paths that begin so are counted
    onwards: bool = False  # from then on, every operation on such paths fails
    met: int = 0
    fired: bool = False


class Faulty(Disk):
    """Leaving it well while a planned fault has not fired is an AssertionError: the test did not test anything."""

    def __init__(self, inner: Disk = DISK) -> None:
        self.inner = inner
        self.calls: Counter[str] = Counter()
        self._planned: list[_Planned] = []
        self._open: set[int] = set()

    def on(
        self, operation: str, call: int, do: Fault, *, within: Iterable[Path | str] = ("",), onwards: bool = False
    ) -> Faulty:
        self._planned.append(_Planned(operation, call, do, tuple(map(str, within)), onwards))
        return self

    def __enter__(self) -> Faulty:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            assert self.unmet == [], f"planned, but never came to it: {self.unmet}"

    @property
    def unmet(self) -> list[str]:
        """The planned faults that have not fired."""
        return [f"{p.operation} number {p.call} (of {p.met})" for p in self._planned if not p.fired]

    def _meet(self, operation: str, where: str | int) -> None:
        self.calls[operation] += 1
        for planned in self._planned:
            if not _path(where).startswith(planned.within):
                continue
            meant = planned.operation in (operation, ANY)
            planned.met += meant
            if (planned.onwards and planned.fired) or (planned.met == planned.call and meant):
                planned.fired = True
                planned.do()

    def create(self, path: str, mode: int = 0o444) -> int:
        self._meet("create", path)
        descriptor = self.inner.create(path, mode)
        self._open.add(descriptor)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        self._meet("write", descriptor)
        self.inner.write(descriptor, data)

    def close(self, descriptor: int) -> None:
        assert descriptor in self._open, "closed twice: by now it may be another file's"
        self._open.remove(descriptor)
        self.inner.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        self._meet("rename", new)
        self.inner.rename(old, new)

    def link(self, old: str, new: str) -> None:
        self._meet("link", new)
        self.inner.link(old, new)

    def unlink(self, path: str) -> None:
        self._meet("unlink", path)
        self.inner.unlink(path)

    def mkdir(self, path: str) -> None:
        self._meet("mkdir", path)
        self.inner.mkdir(path)

    def rmdir(self, path: str) -> None:
        self._meet("rmdir", path)
        self.inner.rmdir(path)

    def change_mode(self, path: str, mode: int) -> None:
        self._meet("change_mode", path)
        self.inner.change_mode(path, mode)

    def sync_file(self, descriptor: int) -> None:
        self._meet("sync_file", descriptor)
        self.inner.sync_file(descriptor)

    def sync_folder(self, path: str) -> None:
        self._meet("sync_folder", path)
        self.inner.sync_folder(path)

    def sync_filesystem(self, descriptor: int) -> None:
        self._meet("sync_filesystem", descriptor)
        self.inner.sync_filesystem(descriptor)

    def filesystem(self, descriptor: int) -> int:
        return self.inner.filesystem(descriptor)

    def syncs_whole(self, folder: str) -> bool:
        return self.inner.syncs_whole(folder)


def _path(where: str | int) -> str:
    return where if isinstance(where, str) else os.readlink(f"/proc/self/fd/{where}")
