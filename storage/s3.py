"""A copy of the vault in an S3-compatible object store.

What comes in is spooled to a local folder, since a blob's name is known only at its end and workers are processes;
placing it uploads it. The store's answer is its durability. Nothing here is believed for fixity: audits hash what they
read.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from storage import durable, layout
from storage.durable import DISK, Disk, told
from storage.errors import AlreadyThere, NotFound, StorageError, Unreachable
from storage.parallel import side_by_side
from storage.s3_answers import Exhausted
from storage.s3_line import Line, Place
from storage.s3_parts import PART
from storage.s3_reading import TRIES, reading
from storage.s3_sending import send_bytes, send_file
from storage.store import Batch, Incoming, Pending

if TYPE_CHECKING:
    from obstore import ObjectMeta

_PAGE = 1000  # keys of one answer to a listing


class S3:
    """A prefix in a bucket with the vault's keys. `scratch` is a local folder for what is on its way in.

    Multipart uploads that a crash cut short stay in the bucket, where obstore cannot list them: a rule of the bucket
    has to remove them.
    """

    def __init__(self, name: str, place: Place, scratch: Path, disk: Disk = DISK) -> None:
        self.name = name
        self.place, self.scratch, self.disk = place, scratch, disk
        self.at_once = place.at_once
        self._line = Line(place)

    def __repr__(self) -> str:
        return f"S3({self.name!r}, {self.place.where!r})"

    def open(self, key: str) -> BinaryIO:
        with self._answering(key):
            return reading(self._line, key)

    def size(self, key: str) -> int:
        return self._head(key)["size"]

    def listing(self, prefix: str = "", after: str = "") -> Iterator[str]:
        before = ""
        for page in self._pages(prefix, after):
            for key in page:
                if key <= before:
                    raise Unreachable(self.place.where, f"it lists {key} after {before}, which is out of order")
                before = key
                if key <= after:
                    continue  # obstore asks without a "/" at the end, and so for more
                if prefix or not key.startswith("."):  # no key begins with a dot; trials do
                    yield key

    def _pages(self, prefix: str, after: str) -> Iterator[list[str]]:
        """Pages of keys; where an answer breaks off, the rest is asked for again."""
        tries = 0
        while True:
            try:
                with self._line.asking() as client:
                    for page in client.list(prefix or None, offset=after or None, chunk_size=_PAGE):
                        yield (keys := [entry["path"] for entry in page])
                        after, tries = keys[-1], 0
                return
            except Unreachable as error:
                tries += 1
                if tries == TRIES or isinstance(error, Exhausted):
                    raise

    def written(self, key: str) -> datetime:
        return self._head(key)["last_modified"].astimezone(UTC)

    def incoming(self, run: str) -> Incoming:
        with told(str(self.scratch)):
            return _Spooled(self, durable.scratch_name(self.disk, self.scratch / run))

    @contextmanager
    def batch(self, run: str) -> Iterator[Batch]:
        with told(str(self.scratch)):
            durable.make_folders(self.disk, self.scratch / run)
        try:
            yield _Batch(self)
        finally:
            with suppress(OSError):  # the rest goes when leftovers are removed
                durable.remove_tree(self.disk, self.scratch / run)

    def tidy(self, lives: Callable[[str], bool]) -> None:
        with told(str(self.scratch)):
            durable.remove_leftovers(self.disk, self.scratch, lives)

    def create(self, key: str, data: bytes) -> None:
        """As every store (a put with If-None-Match), with one difference: on some, OpenStack Swift among them, it is
        not atomic, and of several writers at once more than one may be told that it won. What is committed is decided
        in the first copy, which is another.
        """
        try:
            send_bytes(self._line, key, data, "create")
        except FileExistsError as error:
            raise AlreadyThere(key, self.name) from error

    def replace(self, key: str, data: bytes) -> None:
        send_bytes(self._line, key, data)

    @property
    def keeps_all(self) -> str:
        """What the copy's table says; else whether its bucket keeps versions, which the answer to any key tells."""
        if self.place.keeps_all:
            return self.place.keeps_all
        try:
            version = self._head(layout.VAULT)["version"]
        except NotFound:
            return ""
        except StorageError as error:
            return f"it does not answer: {error}"
        return "" if version in (None, "null") else "its bucket keeps every version of every object"

    def drop(self, key: str) -> None:
        self._head(key)  # S3 does not tell whether there was anything to delete
        with self._line.asking() as client:
            client.delete(key)

    def _head(self, key: str) -> ObjectMeta:
        with self._answering(key), self._line.asking() as client:
            return client.head(key)

    @contextmanager
    def _answering(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            self._has_bucket()
            raise NotFound(key, self.name) from error

    def _has_bucket(self) -> None:
        """Raise Unreachable where not the key is missing but the bucket: the answer to HEAD does not tell."""
        with self._line.asking() as client:
            next(iter(client.list("none/")), None)


class _Spooled:
    """A blob on its way in (`Incoming`): a local file that need not outlive a crash."""

    def __init__(self, store: S3, path: Path) -> None:
        self._disk, self._where, self._path, self._size = store.disk, str(store.scratch), path, 0
        self._descriptor = store.disk.create(str(path))

    def write(self, data: bytes) -> None:
        with told(self._where):
            self._disk.write(self._descriptor, data)
        self._size += len(data)

    def finish(self, key: str) -> Pending:
        with told(self._where):
            self._close()
        return Pending(key, self._size, str(self._path))

    def abandon(self) -> None:
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            self._disk.unlink(str(self._path))

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            self._disk.close(descriptor)


class _Batch:
    """Uploads (`Batch`): small blobs side by side, large ones one at a time with their parts side by side."""

    def __init__(self, store: S3) -> None:
        self._store = store

    @property
    def filesystem(self) -> Hashable:
        return None

    def flush(self) -> None:
        """What the store has acknowledged is durable."""

    def place(self, pending: Iterable[Pending]) -> None:
        waiting = list(pending)
        send = partial(_send, self._store)
        small = (blob for blob in waiting if blob.size <= PART)
        for _ in side_by_side(self._store.at_once, send, small):
            pass  # the first that failed is raised here, and those that have not begun never will
        for blob in waiting:
            if blob.size > PART:
                send(blob)


def _send(store: S3, blob: Pending) -> None:
    send_file(store._line, blob)
    with suppress(OSError):  # it goes with the run's folder
        store.disk.unlink(blob.scratch)
