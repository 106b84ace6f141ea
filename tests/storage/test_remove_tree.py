"""Leftovers go, however deep, and nothing beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from storage.durable import DISK, remove_leftovers, remove_tree

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


@pytest.fixture
def others() -> Iterator[Path]:
    """A folder of somebody who is not root, to whom no mode would be an obstacle."""
    with TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        yield Path(folder)


def test_a_folder_that_is_locked_goes_too_and_stops_nobody(others: Path) -> None:
    """As a format tool can leave it."""
    if (child := os.fork()) == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            for name in ("a", "b"):
                (others / name / "in").mkdir(parents=True)
                (others / name / "in" / "file").touch()
                (others / name / "in").chmod(0)
            (others / "a").chmod(0o300)
            remove_leftovers(DISK, others, lambda _: False)
            os._exit(len(list(others.iterdir())))
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
