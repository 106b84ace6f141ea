"""A witness that is a folder: one file a checkpoint, none ever overwritten. Let it be one that only adds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fixity.witness import NotGiven, Parcel
from storage.checkpoint import parse_checkpoint
from storage.durable import DISK, Disk, write_file
from storage.errors import StorageError

_NAME = re.compile(r"checkpoint-(0|[1-9][0-9]{0,15})\.txt")


class FileWitness:
    """The folder at a path; it has to be there: one of a disk that is not mounted is not."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self._folder, self._disk = folder, disk

    def newest(self) -> str | None:
        return next(checkpoints(self._folder), None)

    def give(self, parcel: Parcel) -> str:
        add(self._folder, parcel, self._disk)
        return ""


def checkpoints(folder: Path) -> Iterator[str]:
    """Yield the checkpoints in a folder, the longest log first; what is none (cut off by a crash) is passed over."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise NotGiven(f"its folder cannot be read: {error.strerror}") from error
    sizes = sorted((int(match[1]) for name in names if (match := _NAME.fullmatch(name))), reverse=True)
    for size in sizes:
        with suppress(ValueError, OSError):
            data = (folder / f"checkpoint-{size}.txt").read_bytes()
            if parse_checkpoint(data)[0].size == size:
                yield data.decode()


def add(folder: Path, parcel: Parcel, disk: Disk = DISK) -> None:
    """Write a checkpoint's file, durably; one that is there stays as it is, but for what a crash left of this one."""
    path, data = folder / parcel.name, parcel.checkpoint.encode()
    try:
        if _is_torn(path, data):
            disk.unlink(str(path))
        _write(disk, path, data)
        disk.sync_folder(str(folder))
        there = path.read_bytes()
    except (OSError, StorageError) as error:
        raise NotGiven(f"its folder cannot be written: {error}") from error
    if there != data:
        raise NotGiven(f"there is another file called {parcel.name}")


def _is_torn(path: Path, data: bytes) -> bool:
    """Whether a file is how these bytes begin, and no more: a crash came while they were written."""
    with suppress(FileNotFoundError):
        return (there := path.read_bytes()) != data and data.startswith(there.rstrip(b"\0"))
    return False


def _write(disk: Disk, path: Path, data: bytes) -> None:
    """A new file; one that could not be made durable is taken back, and one that is there is left."""
    with suppress(FileExistsError):
        try:
            write_file(disk, path, data, 0o444)
        except (OSError, StorageError) as error:
            if not isinstance(error, FileExistsError):
                with suppress(OSError):
                    disk.unlink(str(path))
            raise
