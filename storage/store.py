"""What a copy of the vault can do, as narrow verbs; a copy is the sum of them. Local folders, memory and
object stores implement it, wrappers keep its shape, and one contract suite tests every one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, NamedTuple, Protocol

CHUNK = 1 << 20  # bytes read at a time


class Pending(NamedTuple):
    """Bytes of one blob that lie in a copy's scratch space, hashed, and wait to be placed under `key`; `made` are the
    folders that were made for it, whose names are not durable yet."""

    key: str
    size: int
    scratch: str
    made: Sequence[str] = ()


class Opens(Protocol):
    @property
    def name(self) -> str:
        """The copy's name in tianyi.toml, for people and for findings."""

    @property
    def at_once(self) -> int:
        """How many questions are best asked side by side: 1 of a disk, more of what takes its time to answer."""

    def open(self, key: str) -> BinaryIO:
        """A seekable stream at its start; raise NotFound or Unreachable."""

    def size(self, key: str) -> int:
        """Bytes under the key, without reading them; raise NotFound or Unreachable."""


class Lists(Protocol):
    def listing(self, prefix: str = "", after: str = "") -> Iterator[str]:
        """Yield every key under a prefix (empty, or ending in "/") and greater than `after` once, ascending; raise
        Unreachable."""

    def written(self, key: str) -> datetime:
        """When the bytes under a key were written, by its keeper's clock (UTC); raise NotFound or Unreachable."""


class Incoming(Protocol):
    """One blob on its way in. Leave it without `finish` and nothing was kept."""

    def write(self, data: bytes) -> None:
        """Take the next bytes; raise NoRoom or Unreachable."""

    def finish(self, key: str) -> Pending:
        """All bytes are here; they are to be placed under `key`."""

    def abandon(self) -> None:
        """Forget the bytes."""


class Batch(Protocol):
    """Blobs that become durable together: flush (their bytes), place (their names), flush (the names)."""

    @property
    def filesystem(self) -> Hashable:
        """Batches with the same value are made durable by one flush; None: what is placed is durable by that."""

    def flush(self) -> None:
        """Everything written or placed so far is durable on return; raise SyncFailed: then trust none of it."""

    def place(self, pending: Iterable[Pending]) -> None:
        """Give the blobs their names, replacing whatever was there."""


class Keeps(Protocol):
    def incoming(self, run: str) -> Incoming:
        """Begin a blob in the scratch space of that run; safe to call in many processes."""

    def batch(self, run: str) -> AbstractContextManager[Batch]:
        """Open a batch before its first byte is written; on leaving, what was not placed is forgotten."""

    def tidy(self, lives: Callable[[str], bool]) -> None:
        """Remove from the scratch space what belongs to no run that lives. Call under the commit lock."""

    def create(self, key: str, data: bytes) -> None:
        """Durably and only if absent; raise AlreadyThere."""

    def replace(self, key: str, data: bytes) -> None:
        """Durably and atomically, whatever was there."""


class Drops(Protocol):
    @property
    def keeps_all(self) -> str:
        """Why this copy cannot give up what it has (versioned, locked), "" where it can; else nobody calls `drop`."""

    def drop(self, key: str) -> None:
        """Remove the key; raise NotFound."""


class Store(Opens, Lists, Keeps, Drops, Protocol):
    """One copy of the vault."""
