"""A copy of the vault in memory: the reference that the contract holds other stores against, and a help in tests."""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import BinaryIO

from storage.errors import AlreadyThere, NotFound
from storage.store import Batch, Incoming, Pending


class Memory:
    """Keys and bytes in a dictionary."""

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.kept: dict[str, bytes] = {}
        self.scratch: dict[str, bytes] = {}
        self.keeps_all = ""
        self.at_once = 1
        self._written: dict[str, datetime] = {}
        self._serial = count()

    def open(self, key: str) -> BinaryIO:
        return io.BytesIO(self._found(key))

    def size(self, key: str) -> int:
        return len(self._found(key))

    def listing(self, prefix: str = "", after: str = "") -> Iterator[str]:
        yield from sorted(key for key in self.kept if key.startswith(prefix) and key > after)

    def written(self, key: str) -> datetime:
        self._found(key)
        return self._written[key]

    def incoming(self, run: str) -> Incoming:
        return _Bytes(self, f"{run}/{next(self._serial)}")

    @contextmanager
    def batch(self, run: str) -> Iterator[Batch]:
        try:
            yield _Batch(self)
        finally:
            self.scratch = {n: data for n, data in self.scratch.items() if not n.startswith(f"{run}/")}

    def tidy(self, lives: Callable[[str], bool]) -> None:
        self.scratch = {name: data for name, data in self.scratch.items() if lives(name.split("/")[0])}

    def create(self, key: str, data: bytes) -> None:
        if self.kept.setdefault(key, data) is not data:
            raise AlreadyThere(key, self.name)
        self._written[key] = datetime.now(UTC)

    def replace(self, key: str, data: bytes) -> None:
        self.kept[key] = data
        self._written[key] = datetime.now(UTC)

    def drop(self, key: str) -> None:
        self._found(key)
        del self.kept[key]

    def _found(self, key: str) -> bytes:
        try:
            return self.kept[key]
        except KeyError as error:
            raise NotFound(key, self.name) from error


class _Bytes:
    def __init__(self, store: Memory, scratch: str) -> None:
        self._store, self._scratch, self._buffer = store, scratch, io.BytesIO()

    def write(self, data: bytes) -> None:
        self._buffer.write(data)

    def finish(self, key: str) -> Pending:
        self._store.scratch[self._scratch] = self._buffer.getvalue()
        return Pending(key, self._buffer.tell(), self._scratch)

    def abandon(self) -> None:
        self._buffer.close()


class _Batch:
    def __init__(self, store: Memory) -> None:
        self._store = store

    @property
    def filesystem(self) -> Hashable:
        return id(self._store)

    def flush(self) -> None:
        """Memory is as durable as it gets."""

    def place(self, pending: Iterable[Pending]) -> None:
        for blob in pending:
            self._store.replace(blob.key, self._store.scratch.pop(blob.scratch))
