"""The doctor on disks: does each keep the promises that a vault leans on? Tried out, not believed.

Trials are made in a scratch folder, never among the vault's keys, through `storage.durable`, and are removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from repository.doctor_check import Check, checked
from repository.doctor_looks import AWAY, LOOKS, Place, Trial, reachable
from repository.doctor_trials import TRIALS, WRITABLE
from storage import durable
from storage.durable import Disk


def examine(place: Place, disk: Disk, run: str) -> list[Check]:
    """What can be said of a place; `run` names the folder of the trials, which is gone afterwards."""
    reached = _check(place, Trial("reachable", AWAY, reachable), place.root, disk)
    if not reached.ok:
        return [reached]
    checks = [reached, *(_check(place, trial, place.root, disk) for trial in LOOKS)]
    try:
        with _room(disk, place.scratch, run) as room:
            return [*checks, *(_check(place, trial, room, disk) for trial in TRIALS)]
    except OSError as error:
        return [*checks, *_unwritable(place, error)]


def apart(disks: Mapping[str, str]) -> Check:
    """Whether the copies that are there are on disks of their own; `disks` are theirs, or the stores, by copy."""
    by_disk: dict[str, list[str]] = {}
    for name, disk in disks.items():
        by_disk.setdefault(disk, []).append(name)
    shared = [f"{' and '.join(names)} on {disk}" for disk, names in by_disk.items() if len(names) > 1]
    found = "; ".join(shared) or ", ".join(f"{names[0]} on {disk}" for disk, names in by_disk.items())
    if len(disks) > 1 and not shared:
        return Check("copies apart", True, "warning", found)
    cost = "One disk dies, and all of them die." if shared else "If it dies, nothing is left to repair it from."
    next_step = "Keep each copy on a disk of its own, and one of them in another building."
    return Check("copies apart", False, "warning", found or "no copy is there", cost, next_step)


def _check(place: Place, trial: Trial, room: Path, disk: Disk) -> Check:
    return checked(f"{place.name}: {trial.what}", trial.advice, partial(trial.look, place, room, disk))


def _unwritable(place: Place, error: OSError) -> list[Check]:
    """No trial could be made: one check says why, the others are not applicable."""
    read_only = os.statvfs(place.root).f_flag & os.ST_RDONLY
    found = "mounted read-only" if read_only else error.strerror or str(error)
    first = Check(f"{place.name}: writable", False, WRITABLE.severity, found, WRITABLE.cost, WRITABLE.next)
    return [
        first,
        *(Check(f"{place.name}: {one.what}", None, one.advice.severity, "cannot be tried") for one in TRIALS[1:]),
    ]


@contextmanager
def _room(disk: Disk, scratch: Path, run: str) -> Iterator[Path]:
    """A folder for trials; on leaving, it and what had to be made for it are gone, whatever happened."""
    made: list[Path] = []
    try:
        durable.make_folders(disk, scratch / run, made)
        yield scratch / run
    finally:
        if scratch / run in made:
            durable.remove_tree(disk, scratch / run)
        for folder in reversed(made):
            with suppress(OSError):  # it is gone, or somebody else has put something there meanwhile
                disk.rmdir(str(folder))
