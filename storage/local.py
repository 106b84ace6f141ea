"""A copy of the vault in a local folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from storage import durable, layout
from storage.durable import DISK, Disk, ours, told
from storage.errors import AlreadyThere, NotFound, Unreachable
from storage.store import Batch, Incoming, Pending

READ_ONLY = 0o444  # the mode of all that is kept, less what the process's umask takes
_REMEMBERED = 10_000  # folders that were looked at; more than the blobs' 4,096, and each AIP has one
_WRITE_OUT = 8 << 20  # bytes of a blob after which the disk is set to work, while more come in


class Local:
    """A folder with the vault's keys as paths.

    `scratch` holds what has no name yet. It lies outside the copy, on the same file system; each run has a folder
    of its own in it, so that what a killed run leaves behind can be told from what a live one needs.
    """

    def __init__(
        self, name: str, root: Path, scratch: Path, disk: Disk = DISK, *, may_be_written: bool = False
    ) -> None:
        self.name = name
        self.root, self.scratch = root, scratch
        self._start, self._runs = f"{root}/", f"{scratch}/"
        self.disk = disk
        self.keeps_all = ""
        self.at_once = 1
        self.folders = durable.Folders(root)
        self._syncs_whole: bool | None = None
        self._rooms: set[str] = set()  # folders that this process found there, as keys begin
        self._mode: int | None = None
        self._may_be_written = may_be_written  # by others' tools: then modes say nothing
        self._identity = self._looked_up()  # workers take it along

    def __repr__(self) -> str:
        return f"Local({self.name!r}, {str(self.root)!r})"

    def open(self, key: str) -> BinaryIO:
        with self._answering(key):
            self.check_way(key)
            descriptor = os.open(self.path(key), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise Unreachable(f"{key} in {self.name}", "it is not a regular file")
            return open(descriptor, "rb", buffering=0)

    def size(self, key: str) -> int:
        with self._answering(key):
            self.check_way(key)
            return os.lstat(self.path(key)).st_size

    def listing(self, prefix: str = "", after: str = "") -> Iterator[str]:
        with told(str(self.root)):
            if not self.root.is_dir():
                raise Unreachable(str(self.root), "there is no such folder")
            self.check_way(prefix)
            if _is_folder(start := self.path(prefix)):
                yield from _walk(start, prefix, after)

    def written(self, key: str) -> datetime:
        with self._answering(key):
            return datetime.fromtimestamp(os.lstat(self.path(key)).st_mtime, UTC)

    def incoming(self, run: str) -> Incoming:
        try:
            return _File(self, self._runs + run)
        except OSError as error:
            raise ours(error, str(self.root)) from error

    @contextmanager
    def batch(self, run: str) -> Iterator[Batch]:
        with told(str(self.root)):
            self.check_root()
            durable.make_folders(self.disk, self.scratch / run)
            opened = _Batch(self)
        try:
            yield opened
        finally:
            opened.close()
            with suppress(OSError):  # what was placed stays placed; the rest goes when leftovers are removed
                durable.remove_tree(self.disk, self.scratch / run)

    def tidy(self, lives: Callable[[str], bool]) -> None:
        with told(str(self.root)):
            durable.remove_leftovers(self.disk, self.scratch, lives)

    def create(self, key: str, data: bytes) -> None:
        try:
            self._publish(key, data, exclusive=True)
        except FileExistsError as error:
            raise AlreadyThere(key, self.name) from error

    def replace(self, key: str, data: bytes) -> None:
        self._publish(key, data, exclusive=False)

    def drop(self, key: str) -> None:
        with self._answering(key):
            self.check_way(key)
            self.disk.unlink(self.path(key))

    def clear(self, key: str) -> None:
        """Remove a folder that lies where a file should, with all in it; raise NotFound or Unreachable."""
        with self._answering(key):
            self.check_way(key)
            durable.remove_tree(self.disk, Path(self.path(key)))

    def wrong_mode(self, key: str, stream: BinaryIO | None = None) -> str:
        """What is wrong with a file's mode, "" where nothing is: what is kept can be read, and by nobody be written.

        `stream` is the file, where it is open. What the file system gives to each file, as one does that knows no
        modes, is right there. Raises NotFound or Unreachable; whether it is a file at all is for others to say.
        """
        with self._answering(key):
            facts = os.fstat(stream.fileno()) if stream else os.lstat(self.path(key))
        mode = stat.S_IMODE(facts.st_mode)
        if self._may_be_written or not stat.S_ISREG(facts.st_mode) or (not mode & ~READ_ONLY and mode & stat.S_IRUSR):
            return ""
        return "" if mode == self._given_mode() else f"{mode:04o} instead of {self._given_mode():04o}"

    def seal(self, key: str) -> None:
        """Give a file the mode that one has that is written now; raise NotFound or Unreachable. Not synced: where a
        power cut undoes it, the next audit sees that."""
        with self._answering(key):
            self.disk.change_mode(self.path(key), self._given_mode())

    def _given_mode(self) -> int:
        """The mode of a file that is written now, after umask and file system have had their say; asked once."""
        if self._mode is None:
            with told(str(self.root)):
                self.check_root()
                probe = str(durable.scratch_name(self.disk, self.scratch))
                descriptor = self.disk.create(probe, READ_ONLY)
                self._mode = stat.S_IMODE(os.fstat(descriptor).st_mode) | stat.S_IRUSR
                self.disk.close(descriptor)
                self.disk.unlink(probe)
        return self._mode

    def path(self, key: str) -> str:
        return self._start + key

    def _publish(self, key: str, data: bytes, *, exclusive: bool) -> None:
        with told(str(self.root)):
            self.check_root()
            self.check_way(key)
            target = Path(self.path(key))
            durable.publish(self.disk, target, data, self.scratch, exclusive=exclusive, folders=self.folders)

    def check_root(self) -> None:
        """Never make the copy's own folder anew, and never write into a bare mount point: where the folder is gone, or
        another one without a vault stands in its place, the disk was unmounted."""
        if (found := self._looked_up()) is None:
            raise Unreachable(str(self.root), "there is no such folder")
        if found != self._identity:
            if self._identity and not os.path.lexists(self.path(layout.VAULT)):
                raise Unreachable(str(self.root), "another folder is there now: its disk was unmounted meanwhile")
            self._identity = found

    def check_way(self, key: str) -> None:
        """Raise Unreachable where a folder on the way to a key is a link: what is read through it is another copy's,
        perhaps, and this one has nothing. Looked at once in each process."""
        end = key.rfind("/")
        if end < 0 or (folder := key[:end]) in self._rooms:
            return
        self.check_way(folder)
        with suppress(FileNotFoundError, NotADirectoryError):
            mode = os.lstat(self.path(folder)).st_mode
            if stat.S_ISLNK(mode):
                raise Unreachable(f"{folder} in {self.name}", "it is a link and no folder: remove it, then repair")
            if stat.S_ISDIR(mode):
                if len(self._rooms) >= _REMEMBERED:
                    self._rooms.clear()
                self._rooms.add(folder)

    def _looked_up(self) -> tuple[int, int] | None:
        """Which folder is there now, by device and number; None where there is none."""
        with suppress(OSError):
            facts = os.stat(self.root)
            return (facts.st_dev, facts.st_ino) if stat.S_ISDIR(facts.st_mode) else None
        return None

    def make_room(self, key: str) -> Sequence[str]:
        """Make the folder that a key is to be in, but never the copy's own; return what was made. One that was there
        is not asked for again: where it is gone meanwhile, `remake_room` is for whoever finds that."""
        folder, _, _ = key.rpartition("/")
        if folder and folder not in self._rooms:
            self.check_way(key)
            made = self.remake_room(self.path(folder))
            self.check_way(key)
            return tuple(map(str, made))
        return ()

    def remake_room(self, folder: str) -> Sequence[Path]:
        """Make a folder where it is missing; return what was made, outermost first."""
        made = [Path(folder)]
        try:
            self.disk.mkdir(folder)
        except FileExistsError:
            return ()
        except FileNotFoundError:
            self.check_root()
            made = durable.make_folders(self.disk, Path(folder))
        self.folders.forget(made)
        return made

    @property
    def syncs_whole(self) -> bool:
        """Whether one syncfs makes a batch durable there (storage.durable); asked of the system once."""
        if self._syncs_whole is None:
            self._syncs_whole = self.disk.syncs_whole(str(self.scratch))
        return self._syncs_whole

    def _answering(self, key: str) -> AbstractContextManager[None]:
        return _Answering(self, key)


class _Answering(AbstractContextManager[None]):
    """Turns the system's errors about a key into ours: nothing there, in a copy that is there, is NotFound."""

    __slots__ = ("_key", "_store")

    def __init__(self, store: Local, key: str) -> None:
        self._store, self._key = store, key

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, FileNotFoundError | NotADirectoryError) and self._store.root.is_dir():
            raise NotFound(self._key, self._store.name) from error
        if isinstance(error, OSError) and not isinstance(error, FileExistsError):
            raise ours(error, str(self._store.root)) from error


class _File:
    """A blob on its way into a local copy (`Incoming`)."""

    def __init__(self, store: Local, folder: str) -> None:
        self._store, self._path = store, f"{folder}/{durable.new_name()}"
        self._size = self._written_out = 0
        try:
            self._descriptor = store.disk.create(self._path)
        except FileNotFoundError:  # at the first; or the disk is gone
            store.check_root()
            durable.make_folders(store.disk, Path(folder))
            self._descriptor = store.disk.create(self._path)

    def write(self, data: bytes) -> None:
        try:
            self._store.disk.write(self._descriptor, data)
        except OSError as error:
            raise ours(error, str(self._store.root)) from error
        self._size += len(data)
        if self._size - self._written_out >= _WRITE_OUT:
            self._store.disk.write_out(self._descriptor, self._written_out, self._size - self._written_out)
            self._written_out = self._size

    def finish(self, key: str) -> Pending:
        if not self._store.syncs_whole:
            with durable.syncing(self._path):
                self._store.disk.sync_file(self._descriptor)
        try:
            self._close()
            made = self._store.make_room(key)  # many workers do it sooner than one process
        except OSError as error:
            raise ours(error, str(self._store.root)) from error
        return Pending(key, self._size, self._path, made)

    def abandon(self) -> None:
        with suppress(OSError):  # what cannot be removed now goes with the run's scratch folder
            self._close()
        with suppress(OSError):
            self._store.disk.unlink(self._path)

    def _close(self) -> None:
        """Once: a number that was given back may be another file's already."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            self._store.disk.close(descriptor)


class _Batch:
    """Many blobs made durable together (`Batch`): by one syncfs where it is sound, else folder by folder."""

    def __init__(self, store: Local) -> None:
        self._store = store
        self._whole = store.syncs_whole
        self._descriptor = os.open(store.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._touched: dict[Path, None] = {}

    @property
    def filesystem(self) -> Hashable:
        return self._store.disk.filesystem(self._descriptor) if self._whole else id(self)

    def flush(self) -> None:
        with durable.syncing(str(self._store.root)):
            if self._whole:
                self._store.disk.sync_filesystem(self._descriptor)
            for folder in () if self._whole else self._touched:
                self._store.disk.sync_folder(str(folder))
        self._store.folders.synced(self._touched)
        self._touched.clear()

    def place(self, pending: Iterable[Pending]) -> None:
        with told(str(self._store.root)):
            self._store.check_root()
            for blob in pending:
                target = self._store.path(blob.key)
                if not self._whole:
                    self._touch(Path(target).parent, [Path(folder) for folder in blob.made])
                try:
                    self._store.disk.rename(blob.scratch, target)
                except FileNotFoundError:
                    made = self._store.remake_room(target[: target.rindex("/")])
                    self._touch(Path(target).parent, made)
                    self._store.disk.rename(blob.scratch, target)

    def _touch(self, folder: Path, made: Sequence[Path]) -> None:
        """The folder is to be synced, and those above it whose names are not durable, as `made` ones are not."""
        if made or folder not in self._touched:
            self._store.folders.forget(made)
            self._touched.update(dict.fromkeys(self._store.folders.to_sync(folder)))

    def close(self) -> None:
        os.close(self._descriptor)


def _is_folder(path: str) -> bool:
    """Whether a folder is there; an error is not an answer, and stays one (os.path.isdir says no)."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _walk(folder: str, prefix: str, after: str) -> Iterator[str]:
    """Keys below a folder, those up to `after` left out, ascending by the whole key: "a-b" comes before "a/b"."""
    with os.scandir(folder) as found:
        names = sorted(entry.name + "/" * entry.is_dir(follow_symlinks=False) for entry in found)
    for name in names:
        if not prefix and name.startswith("."):
            continue  # a copy on a disk of its own keeps its scratch there; no key begins with a dot
        key = prefix + name
        if key <= after and not after.startswith(key):
            continue
        if name.endswith("/"):
            yield from _walk(os.path.join(folder, name[:-1]), key, after)
        elif key > after:
            yield key
