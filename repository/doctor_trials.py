"""What the doctor tries out on a disk: each trial a few system calls in a folder of its own, through a `Disk`."""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from repository.doctor_check import Advice, Wrong
from repository.doctor_looks import Place, Trial
from repository.doctor_mounts import mount_of
from storage.durable import Disk

_SYNCS = 7
_BELIEVABLE = 20_000  # nanoseconds: no disk that we know makes 4 KiB durable in less
_NAMES: dict[str, list[bytes]] = {
    "not UTF-8": [b"\xff\xfe"],
    "255 bytes": [b"n" * 255],
    "NFC/NFD twins": [unicodedata.normalize(form, "\u00e9").encode() for form in ("NFC", "NFD")],
    "case twins": [b"a", b"A"],
}


def _writable(place: Place, room: Path, disk: Disk) -> str:
    _write(disk, os.path.join(room, "written"))
    return "yes"


def _one_mount(place: Place, room: Path, disk: Disk) -> str:
    if mount_of(place.root) != mount_of(room):
        raise Wrong(f"{place.scratch} is on another mount than {place.root}")
    return "the same mount"


def _links(place: Place, room: Path, disk: Disk) -> str:
    one, other = os.path.join(room, "one"), os.path.join(room, "other")
    _write(disk, one)
    disk.link(one, other)
    if os.stat(one).st_nlink != 2:
        raise Wrong("a copy was made instead of a link")
    return "work"


def _sync_time(place: Place, room: Path, disk: Disk) -> str:
    took = median(_write(disk, os.path.join(room, f"synced-{number}")) for number in range(_SYNCS))
    found = f"{took / 1e3:,.1f} µs (median of {_SYNCS})"
    if took < _BELIEVABLE:
        raise Wrong(f"{found}, too fast to be true")
    return found


def _names(place: Place, room: Path, disk: Disk) -> str:
    folders = {what: os.path.join(room, f"names-{number}") for number, what in enumerate(_NAMES)}
    lost = [what for what, names in _NAMES.items() if not _keeps(disk, folders[what], names)]
    if lost:
        raise Wrong(f"not kept: {', '.join(lost)}")
    return f"kept: {', '.join(_NAMES)}"


def _keeps(disk: Disk, folder: str, names: Sequence[bytes]) -> bool:
    """Whether files of these names are there, each its own, after they were made."""
    disk.mkdir(folder)
    try:
        for name in names:
            disk.close(disk.create(os.path.join(folder, os.fsdecode(name))))
    except OSError:
        return False
    return sorted(os.listdir(os.fsencode(folder))) == sorted(names)


def _write(disk: Disk, path: str) -> int:
    """Write a new file of 4 KiB and sync it; return how many nanoseconds the sync took."""
    descriptor = disk.create(path)
    try:
        disk.write(descriptor, bytes(4096))
        began = time.perf_counter_ns()
        disk.sync_file(descriptor)
        return time.perf_counter_ns() - began
    finally:
        disk.close(descriptor)


WRITABLE = Advice(
    "error", "Nothing can be taken in, repaired or migrated.", "Mount it read-write, and see to the folder's owner."
)
TRIALS = (
    Trial("writable", WRITABLE, _writable),
    Trial("scratch", Advice("error", "What was received cannot be moved into the vault.",
                            "Mount the copy and its scratch folder as one."), _one_mount),
    Trial("hard links", Advice("error", "No version can be committed: exactly one writer has to win.",
                               "Use a file system with hard links: not exFAT, not FAT."), _links),
    Trial("fsync", Advice("warning", "What was told to be durable may be gone after a power cut.",
                          "Look for a disk, a hypervisor or a layer that ignores flushes (eatmydata, cache=unsafe)."),
          _sync_time),
    Trial("names", Advice("warning", "Exports of such names would fail here; what the vault keeps is safe.",
                          "Export to another file system, or as a bag with portable names."), _names),
)  # fmt: skip
