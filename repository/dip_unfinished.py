"""The folders that DIPs are written into before they are whole, beside their place: their names, and those left behind.

Who writes into one holds a kernel lock on it. One that nobody holds was left by an export that was killed; it is told,
and never removed: it lies among somebody else's files, and a name alone does not prove that it is ours.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.durable import new_name

_LONGEST = 150  # bytes of a name that are kept, so that the new one fits a file system's 255


def folder_for(dest: Path) -> Path:
    """A new name beside a DIP's place, of this call alone: in containers many processes have the same number."""
    return dest.with_name(f"{_begins(dest)}.partial-{new_name()}")


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """A folder, while somebody writes into it; where the file system has no locks, nothing is told of leftovers."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        os.close(descriptor)


def left_behind(dest: Path) -> list[Path]:
    """The folders that killed exports to this place have left beside it, or in it where it is an OCFL root."""
    left = re.compile(re.escape(_begins(dest)) + r"(\.proof)?\.partial-[0-9]+(-[0-9]+-[0-9]+)?", re.DOTALL)
    return sorted(
        place / name
        for place in (dest.parent, dest)
        for name in _folders(place)
        if left.fullmatch(name) and not _is_held(place / name)
    )


def _begins(dest: Path) -> str:
    return os.fsdecode(b"." + os.fsencode(dest.name)[:_LONGEST])


def _folders(place: Path) -> list[str]:
    with suppress(OSError), os.scandir(place) as found:
        return [entry.name for entry in found if entry.is_dir(follow_symlinks=False)]
    return []


def _is_held(folder: Path) -> bool:
    """Whether somebody writes into it, or that cannot be told."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
