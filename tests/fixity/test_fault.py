"""What was wrong is told to the byte and the bit, however the good bytes come, and whatever lies there."""

from __future__ import annotations

import errno
import io
import os
from typing import BinaryIO

from hypothesis import given
from hypothesis import strategies as st

from fixity.fault import Comparing, Fault
from storage.memory import Memory
from storage.names import escape_path
from tests.fixity.injuries import difference


class Worn(io.BytesIO):
    """A file whose disk gives nothing beyond an offset."""

    def __init__(self, data: bytes, last: int) -> None:
        super().__init__(data)
        self._last = last

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() + (size or 0) > self._last:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


class WornStore(Memory):
    last = 0

    def open(self, key: str) -> BinaryIO:
        return Worn(self.kept[key], self.last)


def compared(store: Memory, good: bytes, size: int) -> Fault:
    with Comparing(store, "key") as comparing:
        for start in range(0, len(good), size):
            comparing.feed(good[start : start + size])
        return comparing.fault()


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(1, 50))
def test_any_two_files(good: bytes, bad: bytes, size: int) -> None:
    store = Memory()
    store.kept["key"] = bad
    wanted = difference(good, bad) if good != bad else Fault("intact", len(good), None, 0)
    assert compared(store, good, size) == wanted


@given(st.binary(min_size=1, max_size=200), st.data(), st.integers(1, 50))
def test_one_bit(good: bytes, data: st.DataObject, size: int) -> None:
    where, bit = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 7))
    store = Memory()
    store.kept["key"] = good[:where] + bytes([good[where] ^ 1 << bit]) + good[where + 1 :]
    assert compared(store, good, size) == Fault("altered", len(good), where, 1)


def test_what_is_not_there() -> None:
    assert compared(Memory(), b"good", 2) == Fault("missing")


def test_what_a_disk_does_not_give() -> None:
    store = WornStore()
    store.kept["key"], store.last = bytes(100), 60
    assert compared(store, bytes(100), 20) == Fault("unreadable", 100, 60, None, os.strerror(errno.EIO))
    assert compared(store, b"x" + bytes(99), 20).first == 0


def test_a_reason_is_short_in_an_entry() -> None:
    assert len(Fault("unreadable", why=escape_path(b"\xff" * 1_000)).told()["why"]) == 200  # type: ignore[arg-type]
