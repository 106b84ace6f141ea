"""Kernel locks (flock): they die with their holder, whatever happens to it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import Locked

_PAUSE = 0.02  # seconds between two tries


@contextmanager
def locked(path: Path, what: str, patience: float = 60.0) -> Iterator[None]:
    """Hold the lock at `path`, made where missing; raise Locked after `patience` seconds.

    The file's content names the holder for people; only the kernel's lock counts.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _wait(descriptor, what, patience)
        os.pwrite(descriptor, f"process {os.getpid()}".ljust(40).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock at this moment; False where there is no such file."""
    try:
        with locked(path, str(path), patience=0):
            return False
    except Locked:
        return True


def _wait(descriptor: int, what: str, patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= end:
                holder = os.pread(descriptor, 40, 0).decode("utf-8", "replace").strip() or "another process"
                raise Locked(what, holder) from error
        time.sleep(_PAUSE)
