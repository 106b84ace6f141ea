"""The doctor: what is installed, and whether the disks keep their promises. It changes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from repository import (
    config,
    doctor_disk,
    doctor_ledger,
    doctor_policies,
    doctor_scan,
    doctor_software,
    doctor_store,
    founding,
)
from repository.config import Config, Copy
from repository.doctor_check import Check
from repository.doctor_looks import AWAY, Place
from repository.doctor_mounts import disk_of
from repository.errors import BadConfig, NoRepository, UnsupportedCopy
from storage.durable import DISK, Disk
from storage.errors import StorageError
from storage.local import Local
from storage.lock import locked
from storage.s3 import S3


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
    disks: dict[str, str] = {}
    for copy in settings.copies:
        checks, where = _copy(copy, settings, disk, run)
        yield from checks
        if checks[0].ok:
            disks[copy.name] = where()
    yield doctor_disk.apart(disks)
    yield doctor_policies.examine(settings)
    yield from doctor_ledger.examine(settings)
    yield from doctor_scan.examine(settings, datetime.now(UTC))
    yield from doctor_disk.examine(Place("work", settings.work, settings.work / "staging"), disk, run)


def _copy(copy: Copy, settings: Config, disk: Disk, run: str) -> tuple[list[Check], Callable[[], str]]:
    """What can be said of a copy, and how to know what it is on once it is reached."""
    try:
        store = config.open_copy(copy, settings)
    except (UnsupportedCopy, BadConfig) as error:
        told = Check(f"{copy.name}: reachable", False, AWAY.severity, str(error), AWAY.cost, error.next)
        return [told], str
    answers = partial(founding.check, store, settings.vault_id)
    if isinstance(store, S3):
        return doctor_store.examine(store, answers, run, datetime.now(UTC)), lambda: store.place.where
    assert isinstance(store, Local)
    return doctor_disk.examine(Place(copy.name, store.root, store.scratch, answers), disk, run), lambda: disk_of(
        store.root
    )


@contextmanager
def _marked(work: Path, run: str) -> Iterator[None]:
    """Mark a run, so that what is left of one that was killed is removed like that of any other."""
    mark = work / "runs" / run
    with ExitStack() as stack:
        with suppress(OSError, StorageError):  # a work folder that cannot be written to is told by a check
            stack.enter_context(locked(mark, f"run {run}", patience=0))
            stack.callback(mark.unlink, missing_ok=True)
        yield
