"""Leftovers go, however deep, and nothing beside them."""

from __future__ import annotations

import os
from pathlib import Path

from storage.durable import DISK, remove_tree

DEPTH = 3_000  # folders: `os.walk` gives up at a thousand, and their path is too long for Linux


def deep(folder: Path) -> None:
    """Folders in folders, made one by one from within."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("in", dir_fd=here)
        inner = os.open("in", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_however_deep(tmp_path: Path) -> None:
    kept, folder = tmp_path / "kept", tmp_path / "leftovers"
    for one in (kept, folder / "a" / "b"):
        one.mkdir(parents=True)
        (one / "file").touch()
    (folder / "link").symlink_to(kept)
    (folder / "a" / "link").symlink_to(kept / "file")
    deep(folder / "a" / "b")
    remove_tree(DISK, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").exists()
    remove_tree(DISK, folder)  # what is not there any more is no error
