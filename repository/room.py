"""Whether there is room for what is to come: on each file system that has copies, or in which archives are unpacked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.local import Local
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Room:
    """`needed` bytes, at most, and those that are `free`, on the file system of some copies; None where a store does
    not tell."""

    copies: tuple[str, ...]
    needed: int
    free: int | None

    @property
    def enough(self) -> bool:
        return self.free is None or self.needed <= self.free


def rooms(stores: Sequence[Store], each: int, work: Path, unpacked: int) -> list[Room]:
    """The room for so many bytes in each copy, and for so many unpacked in `work`; copies on one file system together.

    A copy in an object store has no bound that is known; what goes there is spooled in `work`, batch by batch.
    """
    found: dict[int, Room] = {}
    if unpacked:
        _add(found, work, (), unpacked)
    far = [store.name for store in stores if not isinstance(store, Local)]
    for store in stores:
        if isinstance(store, Local):
            _add(found, store.root, (store.name,), each)
    return [*found.values(), *(Room((name,), each, None) for name in far)]


def _add(found: dict[int, Room], path: Path, copies: tuple[str, ...], needed: int) -> None:
    device = os.stat(path).st_dev
    facts = os.statvfs(path)
    before = found.get(device, Room((), 0, None))
    found[device] = Room((*before.copies, *copies), before.needed + needed, facts.f_bavail * facts.f_frsize)
