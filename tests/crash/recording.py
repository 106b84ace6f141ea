"""A disk that carries out every operation and writes it down, so that a power cut can be played after any of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from tests.faulty import Unsynced, broken_disk

DEVICES = {"vault": "first", "work/copies/first": "first", "second": "second", "work/copies/copy-2": "second"}
"""Each copy lies on a disk of its own together with its scratch space; everything else is on a third."""


@dataclass(frozen=True, slots=True)
class Op:
    """One call. Paths are relative to the scene; `file` numbers what `create` made; `said` is a mark's."""

    kind: str
    path: str = ""
    to: str = ""
    file: int = 0
    data: bytes = b""
    failed: bool = False
    said: object = None


class Killed(BaseException):
    """The process is no more: no handler of its own runs to any effect."""


class Recording(Unsynced):
    """Syncs are only written down: what they would have saved is for the model to say. Not for several threads."""

    def __init__(self, scene: Path, *, whole: bool) -> None:
        super().__init__(whole=whole)
        self.scene = scene
        self.ops: list[Op] = []
        self.dies_at = 0  # the number of the operation (from 1) at which the process is killed; 0: never
        self.fails_at = 0  # the number of the sync that fails; 0: none
        self.syncs = 0
        self._number = count(1)
        self._open: dict[int, int] = {}

    def mark(self, said: object) -> None:
        """Write down what was promised at this moment."""
        self.ops.append(Op("mark", said=said))

    def _met(self) -> None:
        if self.dies_at and len(self.ops) + 1 >= self.dies_at:
            raise Killed

    def create(self, path: str, mode: int = 0o444) -> int:
        self._met()
        descriptor = super().create(path, mode)
        self._open[descriptor] = next(self._number)
        self.ops.append(Op("create", self._relative(path), file=self._open[descriptor]))
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        self._met()
        super().write(descriptor, data)
        self.ops.append(Op("write", file=self._open[descriptor], data=bytes(data)))

    def close(self, descriptor: int) -> None:
        super().close(descriptor)
        self._open.pop(descriptor)

    def rename(self, old: str, new: str) -> None:
        self._met()
        assert device(self._relative(old)) == device(self._relative(new)), "EXDEV: across devices"
        super().rename(old, new)
        self.ops.append(Op("rename", self._relative(old), self._relative(new)))

    def link(self, old: str, new: str) -> None:
        self._met()
        assert device(self._relative(old)) == device(self._relative(new)), "EXDEV: across devices"
        super().link(old, new)
        self.ops.append(Op("link", self._relative(old), self._relative(new)))

    def unlink(self, path: str) -> None:
        self._met()
        super().unlink(path)
        self.ops.append(Op("unlink", self._relative(path)))

    def mkdir(self, path: str) -> None:
        self._met()
        super().mkdir(path)
        self.ops.append(Op("mkdir", self._relative(path)))

    def rmdir(self, path: str) -> None:
        self._met()
        super().rmdir(path)
        self.ops.append(Op("rmdir", self._relative(path)))

    def sync_file(self, descriptor: int) -> None:
        self._sync(Op("sync_file", file=self._open[descriptor]))

    def sync_folder(self, path: str) -> None:
        assert os.path.isdir(path)
        self._sync(Op("sync_folder", self._relative(path)))

    def sync_filesystem(self, descriptor: int) -> None:
        self._sync(Op("sync_filesystem", device(self._relative(os.readlink(f"/proc/self/fd/{descriptor}")))))

    def _sync(self, op: Op) -> None:
        self._met()
        self.syncs += 1
        self.ops.append(replace(op, failed=self.syncs == self.fails_at))
        if self.ops[-1].failed:
            broken_disk()

    def filesystem(self, descriptor: int) -> int:
        return hash(device(self._relative(os.readlink(f"/proc/self/fd/{descriptor}"))))

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self.scene).removeprefix(".")


def device(path: str) -> str:
    """Which disk a path of the scene lies on."""
    for prefix, name in DEVICES.items():
        if path == prefix or path.startswith(prefix + "/"):
            return name
    return "third"
