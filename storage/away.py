"""A copy that does not answer, in a store's shape: whatever is asked of it is Unreachable, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, NoReturn, Protocol

from storage import layout
from storage.errors import StorageError, Unreachable
from storage.store import Batch, Incoming, Lists, Opens


class Away:
    """Stands for a copy whose disk is not mounted, or whose store does not answer; `next_step` says what to do."""

    def __init__(self, name: str, where: str, why: str, next_step: str = "") -> None:
        self.name = name
        self.at_once = 1
        self._where, self._why, self._next = where, why, next_step

    def open(self, key: str) -> BinaryIO:
        self._refuse()

    def size(self, key: str) -> int:
        self._refuse()

    def listing(self, prefix: str = "", after: str = "") -> Iterator[str]:
        self._refuse()

    def written(self, key: str) -> datetime:
        self._refuse()

    def incoming(self, run: str) -> Incoming:
        self._refuse()

    def batch(self, run: str) -> AbstractContextManager[Batch]:
        self._refuse()

    def tidy(self, lives: Callable[[str], bool]) -> None:
        self._refuse()

    def create(self, key: str, data: bytes) -> None:
        self._refuse()

    def replace(self, key: str, data: bytes) -> None:
        self._refuse()

    @property
    def keeps_all(self) -> str:
        return f"it does not answer: {self._why}"

    def drop(self, key: str) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise Unreachable(self._where, self._why, self._next)


def has(store: Opens, key: str) -> bool:
    """Whether a copy has something under a key; one that does not answer has not."""
    try:
        return store.size(key) > 0
    except StorageError:
        return False


class Asked(Opens, Lists, Protocol):
    """A store that can be asked what it has."""


def answers(store: Asked) -> bool:
    """Whether a copy can be asked at all; one that can, and not everywhere, is another matter."""
    return not why_away(store)


def why_away(store: Asked) -> str:
    """Why a copy does not answer, "" where it does. A folder without a vault is one whose disk was unmounted, whatever
    else lies there."""
    if any(has(store, key) for key in layout.FIXED):
        return ""
    try:
        if next(store.listing(layout.AIPS), None) or next(store.listing(layout.BLOBS), None):
            return ""
    except StorageError as error:
        return str(error)
    return "there is no vault in it: its disk is not mounted, or is a new one"
