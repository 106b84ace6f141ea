"""Reading what a disk has, and not what memory remembers of it; and reading so that others are served first."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from storage.durable import kind_of
from storage.local import Local
from storage.store import Opens

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_CALLS = {("set", "x86_64"): 251, ("get", "x86_64"): 252, ("set", "aarch64"): 30, ("get", "aarch64"): 31}
_THIS_ONE, _IDLE = 1, 3 << 13  # IOPRIO_WHO_PROCESS, IOPRIO_CLASS_IDLE (ioprio_set(2))


def forget(stream: BinaryIO) -> None:
    """Drop the pages of an open file from the page cache, where it is a file and the system can (Linux).

    Pages that were not written yet stay: they are no older than the file's last writer.
    """
    with suppress(OSError, AttributeError):
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def is_cold(store: Opens) -> bool:
    """Whether `forget` makes reading ask the disk; else the memory may have answered, ours or another machine's."""
    return isinstance(store, Local) and hasattr(os, "posix_fadvise") and _kind(store.root) not in _IN_MEMORY


@contextmanager
def idly(asked: bool = True) -> Iterator[None]:
    """Let the disk serve every other process before this thread for as long as the block lasts, where it is asked for
    and the disk's scheduler knows that (Linux, BFQ)."""
    before = _priority() if asked else -1
    if before >= 0:
        _call("set", _IDLE)
    try:
        yield
    finally:
        if before >= 0:
            _call("set", before)


def _priority() -> int:
    return _call("get")


def _call(verb: str, *arguments: int) -> int:
    """ioprio_get or ioprio_set of this thread; -1 where the system has none."""
    if number := _CALLS.get((verb, platform.machine())):
        with suppress(AttributeError, OSError):
            return int(ctypes.CDLL(None).syscall(number, _THIS_ONE, 0, *arguments))
    return -1


def _kind(folder: Path) -> str:
    """The kind of file system that a folder is on, "" where it cannot be told."""
    with suppress(OSError):
        return kind_of(folder)
    return ""
