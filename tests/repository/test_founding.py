"""A repository that cannot be founded leaves nothing behind, and touches nothing that was there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repository import founding
from repository.errors import NotEmpty
from storage.durable import Disk

Tianyi = Callable[..., Any]
CREATE = Disk.create


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int, int], None]:
    """From that call on, counted over all copies, the system refuses new files."""

    def fail(code: int, call: int) -> None:
        calls = iter(range(1, 1000))

        def create(disk: Disk, path: str, mode: int = 0o444) -> int:
            if next(calls) >= call:
                raise OSError(code, os.strerror(code), path)
            return CREATE(disk, path, mode)

        monkeypatch.setattr(Disk, "create", create)

    return fail


@pytest.mark.parametrize("call", [1, 2, 5, 6, 7, 9, 12])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_no_more(
    tianyi: Tianyi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: Callable[[int, int], None], code: int,
    call: int,
) -> None:  # fmt: skip
    """Full or read-only, whenever that shows: it says so, and the same command does it once the cause is seen to."""
    (empty := tmp_path / "empty").mkdir()
    failing(code, call)
    line = ("init", tmp_path / "new", "--copy", empty, "--copy", tmp_path / "other")
    answer = tianyi(*line)
    assert (answer.code, answer.said["code"]) == (6, "disk-full" if code == errno.ENOSPC else "unreachable")
    assert answer.said["next"]
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]
    monkeypatch.undo()
    assert tianyi(*line).code == 0
    assert tianyi("audit", at=tmp_path / "new").code == 0


def test_somebody_else_s_files_are_left_alone(tianyi: Tianyi, tmp_path: Path) -> None:
    other = tmp_path / "theirs" / "a.txt"
    other.parent.mkdir()
    other.write_text("theirs")
    answer = tianyi("init", tmp_path / "new", "--copy", tmp_path / "first", "--copy", other.parent)
    assert (answer.code, answer.said["code"]) == (5, "not-a-vault")
    assert "something in it" in answer.said["message"]
    assert tianyi("init", other.parent).code == 2
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "theirs"]
    assert other.read_text() == "theirs"


def test_a_file_in_the_way_is_named(tianyi: Tianyi, tmp_path: Path) -> None:
    (file := tmp_path / "file").write_text("theirs")
    for line in ([file], [file / "in"], [tmp_path / "new", "--copy", file], [tmp_path / "new", "--copy", file / "in"]):
        answer = tianyi("init", *line)
        assert answer.code in (2, 5, 6)
        assert str(file) in answer.said["message"]
        assert [path.name for path in tmp_path.rglob("*")] == ["file"]


def test_of_two_at_once_one_is_told(tianyi: Tianyi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both had found the place empty: the second one makes nothing, and takes nothing away."""
    monkeypatch.setattr(founding, "_check_unused", lambda copy, made: tianyi("init", made.folder))
    with pytest.raises(NotEmpty):
        founding.make(tmp_path / "new", [str(tmp_path / "copy")], "8d9f", "2026-01-01T00:00:00Z", "one")  # type: ignore[arg-type]
    assert tianyi("audit", at=tmp_path / "new").code == 0
