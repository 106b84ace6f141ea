"""The contract, held against every store; and what only a folder can do wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from storage.durable import Disk
from storage.errors import NotFound, Unreachable
from storage.local import Local
from storage.memory import Memory
from storage.store import Store
from tests.contract.store_contract import StoreContract
from tests.faulty import Faulty


class Each(Disk):
    """Where no syncfs is to be relied on."""

    def syncs_whole(self, folder: str) -> bool:
        return False


class Whole(Disk):
    def syncs_whole(self, folder: str) -> bool:
        return True


def local(folder: Path, disk: Disk) -> Local:
    (folder / "copy").mkdir()
    return Local("first", folder / "copy", folder / "scratch", disk)


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return Memory()

    def scratch(self, store: Store) -> list[str]:
        assert isinstance(store, Memory)
        return list(store.scratch)


class _LocalContract(StoreContract):
    def scratch(self, store: Store) -> list[str]:
        assert isinstance(store, Local)
        return [str(path) for path in store.scratch.rglob("*")]

    def test_a_copy_whose_folder_is_gone_is_unreachable(self, store: Store) -> None:
        assert isinstance(store, Local)
        store.create("a/b", b"")
        shutil.rmtree(store.root)
        for act in (store.open, store.size, store.drop, lambda key: list(store.listing(key))):
            with pytest.raises(Unreachable):
                act("a/b")
        for write in (store.create, store.replace):
            with pytest.raises(Unreachable):
                write("a/b", b"")
        with pytest.raises(Unreachable), store.batch("run"):
            raise AssertionError
        assert not store.root.exists()

    def test_a_folder_that_goes_midway_is_not_made_anew(self, store: Store) -> None:
        assert isinstance(store, Local)
        with store.batch("run") as batch:
            pending = store.incoming("run").finish("blobs/ab/1")
            shutil.rmtree(store.root)
            with pytest.raises(Unreachable):
                batch.place([pending])
        assert not store.root.exists()

    def test_a_descriptor_is_closed_once(self, store: Store) -> None:
        assert isinstance(store, Local)
        store.disk = Faulty(store.disk)
        with store.batch("run"):
            for finished in (True, False):
                incoming = store.incoming("run")
                if finished:
                    incoming.finish("blobs/ab/1")
                incoming.abandon()
                incoming.abandon()

    def test_an_error_is_not_an_empty_listing(self, store: Store) -> None:
        assert isinstance(store, Local)
        store.create("log/tile/entries/000.p/1", b"")
        loop = store.root / "loop"
        loop.symlink_to(loop)
        with pytest.raises(Unreachable):
            list(store.listing("loop/"))
        with pytest.raises(Unreachable):
            store.open("loop/a")

    def test_files_are_read_only_and_keys_are_paths(self, store: Store) -> None:
        assert isinstance(store, Local)
        store.create("a/b", b"bytes")
        assert (store.root / "a" / "b").read_bytes() == b"bytes"
        assert os.stat(store.root / "a" / "b").st_mode & 0o222 == 0

    def test_scratch_on_a_disk_of_its_own_is_not_listed(self, store: Store, tmp_path: Path) -> None:
        assert isinstance(store, Local)
        inside = Local("own", store.root, store.root / ".scratch", store.disk)
        with inside.batch("run"):
            inside.incoming("run").finish("blobs/ab/1")
            inside.create("a", b"")
            assert list(inside.listing()) == ["a"]
        with pytest.raises(NotFound):
            inside.open("b")


class TestLocalWhole(_LocalContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return local(tmp_path, Whole())


class TestLocalEach(_LocalContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return local(tmp_path, Each())
