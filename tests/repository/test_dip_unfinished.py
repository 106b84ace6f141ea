"""What an export that was killed left is told, nothing of it is taken along, and nothing is removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repository import dip_unfinished

Tianyi = Callable[..., Any]


@pytest.fixture
def out(tianyi: Tianyi, repository: Path, tmp_path: Path) -> Path:
    source = tmp_path / "one"
    source.mkdir()
    (source / "a.txt").write_text("a\n")
    tianyi("ingest", source, at=repository)
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def leave(folder: Path) -> Path:
    (folder / "new").mkdir(parents=True)
    (folder / "new" / "half").write_text("written")
    return folder


@pytest.mark.parametrize("form", ["bag", "folder", "rocrate", "ocfl"])
def test_it_is_told_and_left_alone(tianyi: Tianyi, repository: Path, out: Path, form: str) -> None:
    """By a process of the same number, too: in a container every command may be process 7."""
    left = [leave(out / f".dip.partial-{os.getpid()}"), leave(out / ".dip.proof.partial-7-123-4")]
    leave(out / ".other.partial-7")
    (out / ".dip.partial-8").write_text("a file")
    (out / ".dip.partial-9").symlink_to(out)
    answer = tianyi("export", "2026-0001", out / "dip", "--as", form, at=repository)
    assert (answer.code, answer.said["leftovers"]) == (0, [str(folder) for folder in left])
    assert all((folder / "new" / "half").read_text() == "written" for folder in left)
    assert not list((out / "dip").rglob("half"))


def test_nor_into_a_storage_root(tianyi: Tianyi, repository: Path, out: Path) -> None:
    assert tianyi("export", "2026-0001", out / "root", "--as", "ocfl", at=repository).said["leftovers"] == []
    left = [leave(out / f".root.partial-{os.getpid()}"), leave(out / "root" / ".root.partial-7")]
    answer = tianyi("export", "2026-0001", out / "root", "--as", "ocfl", at=repository)
    assert (answer.code, answer.said["leftovers"]) == (0, sorted(map(str, left)))


def test_what_is_at_work_is_no_leftover(tianyi: Tianyi, repository: Path, out: Path) -> None:
    with dip_unfinished.held(leave(out / ".dip.partial-7-123-4")):
        assert tianyi("export", "2026-0001", out / "dip", at=repository).said["leftovers"] == []
    assert dip_unfinished.left_behind(out / "dip") == [out / ".dip.partial-7-123-4"]


def test_a_name_as_long_as_names_can_be(tianyi: Tianyi, repository: Path, out: Path) -> None:
    assert tianyi("export", "2026-0001", out / ("d" * 255), at=repository).code == 0
    assert [path.name for path in out.iterdir()] == ["d" * 255]
