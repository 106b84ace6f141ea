"""How much a disk can take still, where its file system can say so; and how long the files are that lie on it."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from storage.durable import kind_of

WHOLE = 4096  # bytes; of less, ext4 may need no block beside the inode (inline_data)
_FS_IOC_FSGETXATTR, _FSXATTR, _FS_XFLAG_PROJINHERIT = 0x801C581F, 28, 0x200  # linux/fs.h
_SET_ASIDE = {"ext2": 0, "ext3": 0, "ext4": 0, "tmpfs": 0, "xfs": 8 << 30}
"""Where a byte takes a byte; and what is set aside there for a file that grows, and given back before a write fails."""


def most_free(folder: Path) -> int | None:
    """The most bytes that can be written there, with what is kept for root; None where that cannot be known.

    It cannot where bytes may be compressed or shared (btrfs, ZFS), where another machine has the disk (NFS), and where
    no limit is told (a tmpfs without a size), or it is one that may be passed for a while (a quota). Raises OSError.
    """
    facts, aside = os.statvfs(folder), _SET_ASIDE.get(kind_of(folder))
    if aside is None or not facts.f_blocks or _is_projects(folder):
        return None
    return facts.f_bfree * facts.f_frsize + aside


def _is_projects(folder: Path) -> bool:
    """Whether the folder is a project's: what statvfs tells there is what is left up to the soft limit of its quota."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        told = fcntl.ioctl(descriptor, _FS_IOC_FSGETXATTR, bytes(_FSXATTR))
    except OSError:  # a file system that knows no projects
        return False
    finally:
        os.close(descriptor)
    return bool(int.from_bytes(told[:4], sys.byteorder) & _FS_XFLAG_PROJINHERIT)


def lengths(folder: Path) -> Iterator[set[int]]:
    """Yield how long the files are, for each folder at or below this one; nothing where it is not there. Raises OSError
    where one cannot be looked into."""
    waiting = [str(folder)] if folder.exists() else []
    while waiting:
        found = set()
        with suppress(FileNotFoundError), os.scandir(waiting.pop()) as entries:  # a run that ended took its own away
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    found |= _length(entry)
        yield found


def _length(entry: os.DirEntry[str]) -> set[int]:
    with suppress(FileNotFoundError):
        return {entry.stat(follow_symlinks=False).st_size}
    return set()
