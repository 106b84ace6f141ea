"""Kernel locks (flock): they die with their holder, whatever happens to it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import Locked

_PAUSE = 0.02  # seconds between two tries
_NAMED = 120  # bytes that name the holder


@contextmanager
def locked(path: Path, what: str, patience: float = 60.0, about: str = "") -> Iterator[None]:
    """Hold the lock at `path`, made where missing; raise Locked after `patience` seconds.

    The file's content names the holder for people, with what is said `about` it; only the kernel's lock counts.
    """
    end = time.monotonic() + patience
    descriptor = _held(path, what, end)
    while not _is_at(descriptor, path):  # somebody swept the file between our opening and our locking it
        os.close(descriptor)
        descriptor = _held(path, what, end)
    try:
        os.pwrite(descriptor, f"process {os.getpid()} {about}".encode()[:_NAMED].ljust(_NAMED), 0)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock at this moment; False where there is no such file, and none is made."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def remove_dead(folder: Path) -> None:
    """Remove the locks in a folder that nobody holds; each is ours at that moment, and who waits makes it anew."""
    for path in sorted(folder.iterdir()):
        with suppress(Locked), locked(path, str(path), patience=0):
            path.unlink()


def _held(path: Path, what: str, end: float) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _wait(descriptor, what, end)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _wait(descriptor: int, what: str, end: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= end:
                holder = os.pread(descriptor, _NAMED, 0).decode("utf-8", "replace").strip() or "another process"
                raise Locked(what, holder) from error
        time.sleep(_PAUSE)
