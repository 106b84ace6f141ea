"""A folder that was removed behind a process's back and made anew: its new name is as little durable as any other."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import layout
from storage.digest import sha256
from storage.local import Local
from storage.store import Pending
from tests.crash.powercut import replay, states
from tests.crash.recording import Recording

FIRST, SECOND = "aips/one", "aips/two"


@pytest.fixture
def disk(tmp_path: Path) -> Recording:
    (tmp_path / "second").mkdir()
    return Recording(tmp_path, whole=False)


@pytest.fixture
def store(disk: Recording) -> Local:
    return Local("copy-2", disk.scene / "second", disk.scene / "work" / "copies" / "copy-2", disk)


def come_in(store: Local, key: str) -> Pending:
    incoming = store.incoming("run")
    incoming.write(key.encode())
    return incoming.finish(key)


def keep(store: Local, *keys: str) -> None:
    with store.batch("run") as batch:
        batch.place([come_in(store, key) for key in keys])
        batch.flush()


def left(disk: Recording) -> Iterator[set[str]]:
    """What can be seen after a power cut at the end, whatever it takes."""
    *_, (index, moment) = replay({}, disk.ops)
    for _, state in states(moment, index):
        yield set(state)


def remove_rooms(disk: Recording, *folders: str) -> None:
    """As a person does, or a tool that tidies empty folders."""
    for folder in folders:
        for file in (disk.scene / "second" / folder).glob("*/*" if folder == "aips" else "*"):
            if file.is_file():
                disk.unlink(str(file))
        disk.rmdir(str(disk.scene / "second" / folder))


def test_before_it_is_placed_into(disk: Recording, store: Local) -> None:
    keep(store, f"{FIRST}/v1.json")
    with store.batch("run") as batch:
        pending = come_in(store, f"{FIRST}/v2.json")
        remove_rooms(disk, FIRST, "aips")
        batch.place([pending])
        batch.flush()
    assert all(f"second/{FIRST}/v2.json" in seen for seen in left(disk))


def test_by_a_worker_that_makes_it_anew(disk: Recording, store: Local) -> None:
    """Who places knows of it by what the worker hands over."""
    keep(store, f"{FIRST}/v1.json", f"{SECOND}/v1.json")
    worker = Local(store.name, store.root, store.scratch, disk)
    with store.batch("run") as batch:
        remove_rooms(disk, FIRST)
        pending = pickle.loads(pickle.dumps(come_in(worker, f"{FIRST}/v2.json")))
        batch.place([pending])
        batch.flush()
    assert all(f"second/{FIRST}/v2.json" in seen for seen in left(disk))


def test_where_one_small_file_is_published(disk: Recording, store: Local) -> None:
    store.create(f"{FIRST}/v1.json", b"{}")
    remove_rooms(disk, FIRST)
    store.create(f"{FIRST}/v2.json", b"{}")
    assert all(f"second/{FIRST}/v2.json" in seen for seen in left(disk))


def test_what_was_not_removed_is_synced_once(disk: Recording, store: Local) -> None:
    """What is known still counts: a batch syncs the folder that it places into, and none above."""
    key = layout.blob_key(sha256(b"x"))
    keep(store, key)
    before = len(disk.ops)
    keep(store, key)
    assert [op.path for op in disk.ops[before:] if op.kind == "sync_folder"] == [f"second/{key.rpartition('/')[0]}"]
