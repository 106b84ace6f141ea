"""The only caller of write, rename, link, unlink and sync: everything that changes a disk goes through a `Disk`.

Tests put a double in its place that records each call and replays what a power cut could leave of them. POSIX
promises little: bytes are durable after their file was synced, names after their folder was.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from types import TracebackType

from storage.errors import NoRoom, SyncFailed, Unreachable

_SOUND = frozenset({"ext4", "xfs", "btrfs"})  # their syncfs waits for data and names, and reports what failed
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_WRITABLE = "Mount it read-write, then try again; a disk that became read-only by itself is failing."
_PIECE = 1 << 15  # bytes a call: for more at once Linux looks for large free pieces of memory, which may be dear
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)
_SYNC_FILE_RANGE_WRITE = 2
_DEEP = 3_000  # bytes of a path; Linux takes 4,095, and a name has 255
_REMEMBERED = 100_000  # folders known to be durable; more than the blobs' 4,096
_serial = count()


class Disk:
    """The operations themselves, one system call each. Without state, so that it travels to workers."""

    def create(self, path: str, mode: int = 0o444) -> int:
        """A descriptor to write a new file; raise FileExistsError."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)

    def write(self, descriptor: int, data: bytes) -> None:
        written = os.write(descriptor, data[:_PIECE])
        while written < len(data):
            written += os.write(descriptor, memoryview(data)[written : written + _PIECE])

    def write_out(self, descriptor: int, offset: int, size: int) -> None:
        """Begin to bring a part of a file to the disk, so that the sync to come has less to wait for; a hint that
        promises nothing and reports nothing (sync_file_range(2), Linux)."""
        with suppress(AttributeError):
            ctypes.CDLL(None).sync_file_range(
                descriptor, ctypes.c_int64(offset), ctypes.c_int64(size), _SYNC_FILE_RANGE_WRITE
            )

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        os.replace(old, new)

    def link(self, old: str, new: str) -> None:
        os.link(old, new)

    def exchange(self, one: str, other: str) -> None:
        """Swap what two names stand for, at once (renameat2, Linux 3.15); an OSError where the file system cannot."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def unlink(self, path: str) -> None:
        os.unlink(path)

    def mkdir(self, path: str) -> None:
        os.mkdir(path)

    def rmdir(self, path: str) -> None:
        os.rmdir(path)

    def change_mode(self, path: str, mode: int) -> None:
        """Of a regular file alone, also one that may not be read, and never through a link (open(2), O_PATH)."""
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.chmod(f"/proc/self/fd/{descriptor}", mode)
        finally:
            os.close(descriptor)

    def let_in(self, folder: str) -> None:
        """Let its owner read, write and enter a folder, which is no link."""
        descriptor = os.open(folder, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.chmod(f"/proc/self/fd/{descriptor}", 0o700)
        finally:
            os.close(descriptor)

    def sync_file(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def sync_folder(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_filesystem(self, descriptor: int) -> None:
        """Everything on the file system of that descriptor; errors since it was opened are reported (Linux 5.8)."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def filesystem(self, descriptor: int) -> int:
        """Which file system a descriptor is on; one sync_filesystem serves all descriptors of the same."""
        return os.fstat(descriptor).st_dev

    def syncs_whole(self, folder: str) -> bool:
        """Whether one syncfs makes a batch durable there: Linux 5.8 or later on ext4, xfs or btrfs."""
        if platform.system() != "Linux" or _release(platform.release()) < (5, 8):
            return False
        return kind_of(folder) in _SOUND


DISK = Disk()


def told(where: str) -> AbstractContextManager[None]:
    """Turn the system's errors into ours: a full disk is NoRoom, the rest Unreachable, but FileExistsError stays."""
    return _Told(where)


class _Told(AbstractContextManager[None]):
    """No generator: it surrounds each of millions of files, some of them several times."""

    __slots__ = ("_where",)

    def __init__(self, where: str) -> None:
        self._where = where

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, OSError) and not isinstance(error, FileExistsError):
            raise ours(error, self._where) from error


def ours(error: OSError, where: str) -> NoRoom | Unreachable:
    """The error that we tell for one of the system's."""
    if error.errno in _FULL:
        return NoRoom(where)
    named = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    within = f" ({named.removeprefix(where).lstrip('/')})" if named.startswith(where) and named != where else ""
    next_step = _WRITABLE if error.errno == errno.EROFS else ""
    return Unreachable(where, f"{error.strerror or error}{within}", next_step)


@contextmanager
def syncing(where: str) -> Iterator[None]:
    """A sync that fails is SyncFailed, a full disk among its reasons."""
    try:
        yield
    except OSError as error:
        raise SyncFailed(where, error.strerror or str(error)) from error


def make_folders(disk: Disk, folder: Path, made: list[Path] | None = None) -> list[Path]:
    """Make a folder and its parents where missing; return those made, outermost first, not yet durable."""
    made = [] if made is None else made
    try:
        disk.mkdir(str(folder))
    except FileNotFoundError:
        make_folders(disk, folder.parent, made)
        with suppress(FileExistsError):  # another process made it in the meantime
            disk.mkdir(str(folder))
        made.append(folder)
    except FileExistsError:
        pass
    else:
        made.append(folder)
    return made


def sync_made(disk: Disk, folder: Path) -> None:
    """Make durable the name of a folder, and those of the folders above it that may be new."""
    with syncing(str(folder)):
        for above in folder.parents:
            with suppress(PermissionError):  # where we may not look, we made nothing
                disk.sync_folder(str(above))
            if os.path.ismount(above):
                return


class Folders:
    """The folders below a root, and which of their names are durable as far as this process knows.

    One that is there may have been made by a process that was killed before it could sync its name: only what this
    process has synced itself counts.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lasting = {root}

    def __reduce__(self) -> tuple[type[Folders], tuple[Path]]:
        return Folders, (self._root,)  # workers begin with nothing known

    def to_sync(self, folder: Path) -> list[Path]:
        """What must be synced for names in a folder to last: it, and those above it that have a name not known."""
        found = [folder]
        while folder not in self._lasting:
            folder = folder.parent
            found.append(folder)
        return found

    def synced(self, folders: Iterable[Path]) -> None:
        """All of what `to_sync` had named was synced."""
        if len(self._lasting) > _REMEMBERED:
            self._lasting = {self._root}
        self._lasting.update(folders)

    def forget(self, folders: Iterable[Path]) -> None:
        """These were made just now: whatever had their names before is gone, and they are not durable yet. The root's
        own name is for others."""
        self._lasting.difference_update(folder for folder in folders if folder != self._root)


def publish(
    disk: Disk, target: Path, data: bytes, scratch: Path, *, exclusive: bool, mode: int = 0o444,
    folders: Folders | None = None,
) -> None:  # fmt: skip
    """Write a small file durably: scratch → sync → its name → sync.

    With `exclusive` its name is made by link, so that exactly one of several writers wins; raises FileExistsError
    for the others. Without, it replaces what was there. `scratch` lies on the same file system; `folders` are those
    that `target` lies in, by default only the one, whose own name is durable.
    """
    temporary = scratch_name(disk, scratch)
    try:
        write_file(disk, temporary, data, mode)
        folders = folders or Folders(target.parent)
        folders.forget(make_folders(disk, target.parent))
        if exclusive:
            disk.link(str(temporary), str(target))
        else:
            disk.rename(str(temporary), str(target))
        _sync_name(disk, target, folders, exclusive=exclusive)
    finally:
        with suppress(OSError):  # it is gone already, or stays until leftovers are removed
            disk.unlink(str(temporary))


def _sync_name(disk: Disk, target: Path, folders: Folders, *, exclusive: bool) -> None:
    """Make a new name durable; one that could not be, and replaced nothing, is taken back: nobody may trust it."""
    wanted = folders.to_sync(target.parent)
    try:
        with syncing(str(target)):
            for folder in wanted:
                disk.sync_folder(str(folder))
    except SyncFailed:
        if exclusive:
            with suppress(OSError):
                disk.unlink(str(target))
                disk.sync_folder(str(target.parent))
        raise
    folders.synced(wanted)


def scratch_name(disk: Disk, scratch: Path) -> Path:
    """A new name in a scratch folder (made where missing), of this process alone."""
    make_folders(disk, scratch)
    return scratch / new_name()


def new_name() -> str:
    """A file name that no other process and no other call comes to."""
    return f"{os.getpid()}-{time.monotonic_ns()}-{next(_serial)}"


def write_file(disk: Disk, path: Path, data: bytes, mode: int) -> None:
    """A new file with its bytes durable, its name not yet."""
    descriptor = disk.create(str(path), mode)
    try:
        disk.write(descriptor, data)
        with syncing(str(path)):
            disk.sync_file(descriptor)
    finally:
        disk.close(descriptor)


def remove_leftovers(disk: Disk, folder: Path, lives: Callable[[str], bool]) -> None:
    """Remove what lies in a folder and belongs to nobody who lives, by its name. A missing folder is empty; what cannot
    be removed stops nobody, and is tried again by the next who calls."""
    if not folder.is_dir():
        return
    for entry in sorted(os.listdir(folder)):
        if not lives(entry):
            path = folder / entry
            with suppress(OSError):  # or its run has just ended
                remove_tree(disk, path) if path.is_dir() and not path.is_symlink() else disk.unlink(str(path))


def remove_tree(disk: Disk, folder: Path) -> None:
    """Remove a folder of leftovers and all in it, however deep; what is not there any more is no error."""
    top = os.fsencode(folder)
    waiting = [(top, False)]  # folders, and whether they were emptied: as many as lie beside those on the way to one
    while waiting:
        path, emptied = waiting.pop()
        if emptied:
            with suppress(FileNotFoundError):
                disk.rmdir(os.fsdecode(path))
        else:
            waiting.append((path, True))
            waiting += [(_within_reach(disk, top, inner), False) for inner in _emptied_of_files(disk, path)]


def _emptied_of_files(disk: Disk, folder: bytes) -> list[bytes]:
    """Remove what lies in a folder and is none itself; return the folders in it."""
    folders = []
    with suppress(FileNotFoundError):
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):  # as a format tool may have made it
            disk.let_in(os.fsdecode(folder))
    with suppress(FileNotFoundError), os.scandir(folder) as found:
        for entry in list(found):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                with suppress(FileNotFoundError):
                    disk.unlink(os.fsdecode(entry.path))
    return folders


def _within_reach(disk: Disk, top: bytes, path: bytes) -> bytes:
    """Where a folder lies, after it was moved up if others in it could have paths too long for Linux."""
    if len(path) < _DEEP:
        return path
    nearer = os.path.join(top, new_name().encode())
    disk.rename(os.fsdecode(path), os.fsdecode(nearer))
    return nearer


def kind_of(folder: str | Path) -> str:
    """The kind of file system that a folder is on, like ext4; "" where the system does not tell, as for btrfs's
    subvolumes. Raises OSError."""
    device = os.stat(folder).st_dev
    return filesystem_kind(f"{os.major(device)}:{os.minor(device)}")


@cache
def filesystem_kind(device: str) -> str:
    """The kind of file system mounted from `major:minor` (man 5 proc_pid_mountinfo), "" where it is not told."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        if fields.split()[2] == device:
            return rest.split()[0]
    return ""


def _release(text: str) -> tuple[int, ...]:
    numbers = text.split("-")[0].split(".")[:2]
    return tuple(int(n) for n in numbers if n.isdigit())
