"""A disk that is really full, or really read-only: what is said, what the exit code is, and that nothing is lost."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from repository.cli.running import run
from tests.crash.forked import forked

pytestmark = pytest.mark.slow  # mounts

Tianyi = Callable[..., Any]
SIZE, LARGE = 16 << 20, 24 << 20  # bytes of the disk, and of what does not fit


def _quietly(*command: object) -> bool:
    try:
        return subprocess.run([*map(str, command)], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small ext4 of its own, in a file."""
    image, mounted = tmp_path / "disk.img", tmp_path / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(SIZE)
    if not (_quietly("mkfs.ext4", "-q", "-m", 0, image) and _quietly("mount", "-o", "loop", image, mounted)):
        pytest.skip("no loop device can be mounted here: that takes root")
    (mounted / "lost+found").rmdir()
    try:
        yield mounted
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "a.txt").write_text("small\n")
    return tmp_path / "small"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    (tmp_path / "large").mkdir()
    with (tmp_path / "large" / "a.bin").open("wb") as file:
        file.write(os.urandom(1 << 20) * (LARGE >> 20))
    return tmp_path / "large"


def fill(path: Path) -> None:
    """Take all the room that is left."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    assert os.statvfs(path).f_bavail * os.statvfs(path).f_frsize < 8192


def is_intact(tianyi: Tianyi, repository: Path, aips: int) -> None:
    assert len(tianyi("list", at=repository).rows) == aips
    audited = tianyi("audit", at=repository)
    assert (audited.code, audited.said["intact"]) == (0, audited.said["checked"])
    leftovers = [path for name in ("staging", "scratch", "runs") for path in (repository / "work" / name).iterdir()]
    assert leftovers == []


def test_a_full_repository(tianyi: Tianyi, disk: Path, small: Path, large: Path) -> None:
    repository = disk / "archive"
    assert tianyi("init", repository).code == 0
    assert tianyi("ingest", small, at=repository).code == 0
    answer = tianyi("ingest", large, at=repository)
    assert (answer.code, answer.said["code"], bool(answer.said["next"])) == (6, "disk-full", True)
    is_intact(tianyi, repository, 1)
    filler = disk / "filler"
    fill(filler)
    answer = tianyi("ingest", small, at=repository)
    assert (answer.code, answer.said["code"]) == (6, "disk-full")
    filler.unlink()
    is_intact(tianyi, repository, 1)
    assert tianyi("ingest", small, at=repository).code == 0
    is_intact(tianyi, repository, 2)


def test_a_full_second_copy_is_behind(tianyi: Tianyi, disk: Path, tmp_path: Path, small: Path, large: Path) -> None:
    repository = tmp_path / "archive"
    assert tianyi("init", repository, "--copy", disk / "copy").code == 0
    answer = tianyi("ingest", large, at=repository)
    assert (answer.code, answer.said["outcome"], answer.said["behind"]) == (6, "accepted", ["copy-2"])
    answer = tianyi("replicate", at=repository)
    assert (answer.code, answer.said["behind"] > 0) == (6, True)
    answer = tianyi("ingest", small, at=repository)
    assert (answer.code, answer.said["behind"]) == (0, [])
    assert tianyi("copies", "retire", "copy-2", at=repository).code == 0
    assert tianyi("copies", "add", "roomy", tmp_path / "roomy", at=repository).code == 0
    assert tianyi("replicate", at=repository).code == 0
    is_intact(tianyi, repository, 2)


def test_a_disk_that_has_become_read_only(tianyi: Tianyi, disk: Path, tmp_path: Path, small: Path) -> None:
    repository = tmp_path / "archive"
    assert tianyi("init", repository, "--copy", disk / "copy").code == 0
    assert tianyi("ingest", small, at=repository).code == 0
    assert _quietly("mount", "-o", "remount,ro", disk)
    answer = tianyi("ingest", small, at=repository)
    assert (answer.code, answer.said["outcome"], answer.said["behind"]) == (6, "accepted", ["copy-2"])
    behind = tianyi("replicate", "--copy", "copy-2", at=repository)
    assert (behind.code, "Mount it read-write" in behind.said["copies"][0]["lacks"][0]["why"]) == (6, True), behind
    assert _quietly("mount", "-o", "remount,rw", disk)
    assert tianyi("replicate", at=repository).code == 0
    is_intact(tianyi, repository, 2)


def test_a_repository_on_a_disk_that_has_become_read_only(
    tianyi: Tianyi, disk: Path, tmp_path: Path, small: Path
) -> None:
    repository = disk / "archive"
    assert tianyi("init", repository).code == 0
    assert tianyi("ingest", small, at=repository).code == 0
    assert _quietly("mount", "-o", "remount,ro", disk)
    for command in (["ingest", small], ["audit"], ["repair"], ["replicate"], ["list"]):
        answer = tianyi(*command, at=repository)
        assert answer.code in (0, 6), (command, answer)
        assert answer.code == 0 or {"code", "message", "next"} <= answer.said.keys()
    assert _quietly("mount", "-o", "remount,rw", disk)
    is_intact(tianyi, repository, 1)


def test_a_limit_on_files(tianyi: Tianyi, repository: Path, small: Path, large: Path) -> None:
    """What a quota does, and needs no disk of its own."""
    assert tianyi("ingest", small, at=repository).code == 0

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))
        assert run(["-C", str(repository), "ingest", str(large), "--json"]) == 6

    assert forked(limited) == 0
    is_intact(tianyi, repository, 1)
    assert tianyi("ingest", large, at=repository).code == 0
    is_intact(tianyi, repository, 2)
