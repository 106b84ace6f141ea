"""The files of a DIP, written by workers: each copied from the vault, or sharing its bytes, all of them checked."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import BinaryIO, NamedTuple

from repository.errors import CannotLink
from storage.digest import Digest
from storage.durable import DISK, told
from storage.store import Store
from storage.vault import Vault

_FICLONE = 0x40049409  # ioctl_ficlone(2)
_REFUSED = frozenset({
    errno.EXDEV, errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EPERM, errno.EMLINK, errno.ENOSYS,
})  # fmt: skip


class Link(StrEnum):
    """How a DIP shares bytes with the vault: by clones, which either side may change, or as the very same files."""

    NONE = ""
    REFLINK = "reflink"
    HARD = "hard"


class Content(NamedTuple):
    """A blob that a DIP is to have under a path; mode and time of modification where they are known."""

    digest: Digest
    name: bytes
    mode: int | None = None
    mtime: int | None = None


class Done(NamedTuple):
    """What a worker wrote: files and bytes, and the copies and keys that were passed over because they were bad."""

    files: int
    size: int
    bad: list[tuple[str, str]]


def write(copies: Sequence[Store], folder: bytes, link: Link, contents: Sequence[Content]) -> Done:
    """A chunk of a DIP, for a worker: each file from the first of the copies that has it whole.

    Raises FileExistsError where a path is taken, CannotLink where bytes cannot be shared.
    """
    bad: list[tuple[str, str]] = []
    vault = Vault(copies, lambda copy, key: bad.append((copy, key)))
    with told(os.fsdecode(folder)):
        sizes = [_write(vault, os.path.join(folder, one.name), one, link) for one in contents]
    return Done(len(sizes), sum(sizes), bad)


def dress(place: bytes | int, mode: int | None, mtime: int | None) -> None:
    """Give a file, folder or link its mode (a link has none) and time of modification; never set-uid, set-gid or
    sticky bits. `place` is its path, or an open file's descriptor."""
    if mode is not None:
        os.chmod(place, mode & 0o777)
    if mtime is not None:
        with suppress(OverflowError):  # a time that this system cannot express
            os.utime(place, ns=(mtime, mtime), follow_symlinks=isinstance(place, int))


def _write(vault: Vault, target: bytes, content: Content, link: Link) -> int:
    if link is not Link.NONE:
        size = _share(vault, target, content.digest, link)
        if link is not Link.HARD:  # it would be the vault's own file that is dressed
            dress(target, content.mode, content.mtime)
        return size
    with _created(target) as file:
        write = partial(DISK.write, file.fileno())
        size = vault.copy_out(content.digest, write, lambda: (file.seek(0), file.truncate()))
        dress(file.fileno(), content.mode, content.mtime)
    return size


def _share(vault: Vault, target: bytes, digest: Digest, link: Link) -> int:
    """The file is opened once: what was checked is what is shared."""
    try:
        with vault.open(digest) as blob:
            if link is Link.HARD:
                _make_room(target)
                _link(blob.fileno(), target)
            else:
                with _created(target) as file:
                    fcntl.ioctl(file.fileno(), _FICLONE, blob.fileno())
            return os.fstat(blob.fileno()).st_size
    except OSError as error:
        if error.errno in _REFUSED or error.errno is None:  # what has no descriptor lies in no folder
            raise CannotLink(link, error.strerror or "it lies in no folder") from error
        raise


def _link(descriptor: int, target: bytes) -> None:
    """A name for an open file (linkat(2), AT_SYMLINK_FOLLOW, which Python passes on beside a folder's descriptor)."""
    os.link(f"/proc/self/fd/{descriptor}", target, src_dir_fd=descriptor, follow_symlinks=True)


def _created(target: bytes) -> BinaryIO:
    """A new file to write; its folders are made where they are missing."""
    with suppress(FileNotFoundError):
        return open(target, "xb", buffering=0)
    _make_room(target)
    return open(target, "xb", buffering=0)


def _make_room(target: bytes) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
