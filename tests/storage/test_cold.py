"""What is read is what the disk has: pages in memory are dropped before, where that can be done."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import pytest

from fixity.audit import Expected, check
from storage import cold
from storage.digest import sha256
from storage.durable import filesystem_kind
from storage.local import Local
from storage.memory import Memory

DATA = os.urandom(1 << 20)


def in_memory(path: Path) -> int:
    """How many pages of a file the page cache has (mincore(2))."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        pages = -(-len(mapped) // mmap.PAGESIZE)
        found = (ctypes.c_ubyte * pages)()
        start = ctypes.c_char.from_buffer(mapped)
        assert ctypes.CDLL(None).mincore(ctypes.byref(start), ctypes.c_size_t(len(mapped)), found) == 0
        del start
        return sum(page & 1 for page in found)


def test_pages_are_dropped_before_a_file_is_read(tmp_path: Path) -> None:
    store = Local("first", tmp_path / "copy", tmp_path / "scratch")
    (tmp_path / "copy").mkdir()
    if not cold.is_cold(store):
        pytest.skip("the folder for tests is in memory")
    store.create("a", DATA)  # durable: nothing waits to be written
    place = tmp_path / "copy" / "a"
    place.chmod(0o644)
    assert in_memory(place)
    with place.open("rb") as file:
        cold.forget(file)
    assert in_memory(place) == 0
    assert check(store, Expected("a", sha256(DATA), len(DATA))).word == "intact"


def test_what_lies_in_memory_is_never_cold() -> None:
    assert not cold.is_cold(Memory("first"))
    shared = Path("/dev/shm")  # only asked where it lies
    if shared.is_dir():
        device = os.stat(shared).st_dev
        assert cold.is_cold(Local("m", shared, shared)) == (
            filesystem_kind(f"{os.major(device)}:{os.minor(device)}") != "tmpfs"
        )


def test_a_priority_is_given_back() -> None:
    before = cold._priority()
    with cold.idly():
        assert cold._priority() in (3 << 13, -1)
    assert cold._priority() == before
