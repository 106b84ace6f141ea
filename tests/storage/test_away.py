"""A folder without a vault is a disk that was unmounted, whatever lies there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage import layout
from storage.away import answers
from storage.errors import Unreachable
from storage.local import Local
from storage.memory import Memory


@pytest.mark.parametrize("key", ["junk.txt", layout.CHECKPOINT, "lost+found/1"])
def test_what_is_no_vault_does_not_answer(key: str) -> None:
    store = Memory("second")
    store.create(key, b"something")
    assert not answers(store)
    store.create(layout.VAULT, b"{}")
    assert answers(store)


WRITES: dict[str, Callable[[Local], object]] = {
    "create": lambda store: store.create("log/checkpoint", b"1"),
    "replace": lambda store: store.replace("log/checkpoint", b"1"),
    "incoming": lambda store: store.incoming("run").abandon(),
    "batch": lambda store: ExitStack().enter_context(store.batch("run")),
}


@pytest.mark.parametrize("write", WRITES)
def test_nothing_is_written_to_the_mount_point_of_a_disk_that_is_gone(tmp_path: Path, write: str) -> None:
    (root := tmp_path / "second").mkdir()
    store = Local("second", root, root / ".scratch")
    store.create(layout.VAULT, b"{}")
    root.rename(tmp_path / "unplugged")
    root.mkdir()
    with pytest.raises(Unreachable, match="unmounted"):
        WRITES[write](store)
    assert not list(root.iterdir())
    root.rmdir()
    (tmp_path / "unplugged").rename(root)
    WRITES[write](store)


def test_another_folder_with_a_vault_is_a_disk_that_came(tmp_path: Path) -> None:
    (root := tmp_path / "second").mkdir()
    store = Local("second", root, root / ".scratch")
    root.rmdir()
    (new := tmp_path / "plugged").mkdir()
    (new / layout.VAULT).write_bytes(b"{}")
    new.rename(root)
    store.create("log/checkpoint", b"1")
    assert (root / "log" / "checkpoint").read_bytes() == b"1"
