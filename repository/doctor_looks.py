"""What the doctor sees of a disk without writing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repository.doctor_check import Advice, Wrong
from repository.doctor_mounts import device_of
from storage.durable import Disk, kind_of
from storage.errors import StorageError

_LITTLE = 0.05  # of a disk, free
_FLEETING = frozenset({"tmpfs", "ramfs", "overlay"})


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to be examined. Trials go into a new folder in `scratch`."""

    name: str
    root: Path
    scratch: Path
    answers: Callable[[], None] = lambda: None
    """Raises StorageError where it is there, and yet is not what it should be."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`look` gets the place, a folder to write in, and the disk; it returns what it found or raises Wrong, OSError."""

    what: str
    advice: Advice
    look: Callable[[Place, Path, Disk], str]


def reachable(place: Place, room: Path, disk: Disk) -> str:
    if not place.root.is_dir():
        raise Wrong(f"{place.root} is not there")
    os.listdir(place.root)
    try:
        place.answers()
    except StorageError as error:
        raise Wrong(str(error)) from error
    return str(place.root)


def _kind(place: Place, room: Path, disk: Disk) -> str:
    found = kind_of(place.root)
    if found in _FLEETING:
        raise Wrong(found)
    return f"{found or 'unknown'}, device {device_of(place.root)}"


def _whole_sync(place: Place, room: Path, disk: Disk) -> str:
    if not disk.syncs_whole(str(place.root)):
        raise Wrong("not sound here: each file and folder is synced by itself")
    return "makes a whole batch durable"


def _free(place: Place, room: Path, disk: Disk) -> str:
    """Of bytes, and of inodes where the file system counts them."""
    facts = os.statvfs(place.root)
    share = facts.f_bavail / facts.f_blocks if facts.f_blocks else 1.0
    inodes = facts.f_favail / facts.f_files if facts.f_files else 1.0
    found = f"{facts.f_bavail * facts.f_frsize / 2**30:,.1f} GiB, {share:.0%}; {inodes:.0%} of inodes"
    if min(share, inodes) < _LITTLE:
        raise Wrong(found)
    return found


AWAY = Advice(
    "error", "What is taken in now is not in it, and it is not audited.", "Mount its disk; `tianyi replicate`."
)
LOOKS = (
    Trial("file system", Advice("warning", "What is kept here may end with the machine or its container.",
                                "Move it to a disk of its own, or to a volume."), _kind),
    Trial("one syncfs", Advice("info", "Many small files take several times longer to keep.",
                               "Nothing has to be done; ext4, xfs and btrfs are faster."), _whole_sync),
    Trial("free space", Advice("warning", "Accessions that do not fit are turned away, whole.",
                               "Make room, or move to a larger disk."), _free),
)  # fmt: skip
