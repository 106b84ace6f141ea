"""The doctor: what is installed, and whether the disks keep their promises. It changes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from repository import config, doctor_disk, doctor_software, founding
from repository.config import Config
from repository.doctor_check import Check
from repository.doctor_looks import AWAY, Place
from repository.errors import BadConfig, NoRepository, UnsupportedCopy
from storage.durable import DISK, Disk
from storage.errors import StorageError
from storage.lock import locked


def examine(folder: Path, disk: Disk = DISK) -> list[Check]:
    """Every check, of the repository at `folder` or, where there is none, of that folder's disk."""
    run = f"doctor-{os.getpid()}-{time.monotonic_ns()}"
    software = list(doctor_software.examine())
    try:
        settings = config.load(folder)
    except NoRepository:
        told = Check("repository", None, "info", f"none at {folder}; the disk of that folder was examined")
        return [*software, told, *doctor_disk.examine(Place("folder", folder, folder), disk, run)]
    except BadConfig as error:
        told = Check("repository", False, "error", str(error), "No command can open it.", error.next)
        return [*software, told, *doctor_disk.examine(Place("folder", folder, folder), disk, run)]
    with _marked(settings.work, run):
        return [*software, Check("repository", True, "error", str(folder)), *_repository(settings, disk, run)]


def is_well(checks: Sequence[Check]) -> bool:
    """Whether nothing that is needed is missing."""
    return not any(check.ok is False and check.severity == "error" for check in checks)


def wire(check: Check) -> dict[str, Any]:
    return {
        "name": check.name, "ok": check.ok, "severity": check.severity, "found": check.found, "cost": check.cost,
        "next": check.next,
    }  # fmt: skip


def _repository(settings: Config, disk: Disk, run: str) -> Iterator[Check]:
    places: list[Place] = []
    for copy in settings.copies:
        try:
            store = config.open_copy(copy, settings)
        except UnsupportedCopy as error:
            yield Check(f"{copy.name}: reachable", False, AWAY.severity, str(error), AWAY.cost, error.next)
            continue
        place = Place(copy.name, store.root, store.scratch, partial(founding.check, store, settings.vault_id))
        checks = doctor_disk.examine(place, disk, run)
        yield from checks
        if checks[0].ok:
            places.append(place)
    yield doctor_disk.apart(places)
    yield from doctor_disk.examine(Place("work", settings.work, settings.work / "staging"), disk, run)


@contextmanager
def _marked(work: Path, run: str) -> Iterator[None]:
    """Mark a run, so that what is left of one that was killed is removed like that of any other."""
    mark = work / "runs" / run
    with ExitStack() as stack:
        with suppress(OSError, StorageError):  # a work folder that cannot be written to is told by a check
            stack.enter_context(locked(mark, f"run {run}", patience=0))
            stack.callback(mark.unlink, missing_ok=True)
        yield
