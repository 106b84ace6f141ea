"""Drills: what they find on the user's own disks, and that they leave everything as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repository import doctor_injuries
from repository.drill import sample

Tianyi = Callable[..., Any]
AFTER_2262 = 2**63 + 10**9  # nanoseconds: beyond what fits into 64 bits


@pytest.fixture
def filled(tianyi: Tianyi, repository: Path, tmp_path: Path) -> Path:
    """Three AIPs, the first with names, links, modes and times that restoring tools stumble over."""
    odd = tmp_path / "odd"
    (odd / "empty").mkdir(parents=True)
    for name in (b"not UTF-8 \xff", b"50%25 ", b"cafe\xcc\x81", b"caf\xc3\xa9", b"two\nlines", b"n" * 255):
        Path(os.fsdecode(os.path.join(os.fsencode(odd), name))).write_bytes(name)
    (odd / "link").symlink_to("nowhere")
    (odd / "script").write_text("#!/bin/sh\n")
    (odd / "script").chmod(0o750)
    os.utime(odd / "script", ns=(AFTER_2262, AFTER_2262))
    for number in range(3):
        (odd / "number").write_text(f"{number}")
        assert tianyi("ingest", odd, at=repository).code == 0
    return repository


def below(folder: Path) -> set[str]:
    return {os.path.join(root, name) for root, folders, files in os.walk(folder) for name in (*folders, *files)}


def spoil(copy: Path) -> None:
    """One byte more in every blob."""
    for path in (copy / "blobs").rglob("sha256/*/*"):
        path.chmod(0o644)
        path.write_bytes(path.read_bytes() + b"\0")


class TestRestore:
    def test_what_comes_back_is_identical(self, tianyi: Tianyi, filled: Path) -> None:
        before = below(filled / "work")
        answer = tianyi("drill", "restore", at=filled)
        told = answer.said
        assert (answer.code, told["copy"], told["aips"], told["identical"], told["different"]) == (0, "copy-2", 3, 3, 0)
        assert below(filled / "work") == before
        last = tianyi("events", at=filled).rows[-1]
        assert (last["type"], last["object"], last["outcome"]) == ("drill", "copy-2", "pass")

    def test_it_reads_that_copy_alone(self, tianyi: Tianyi, filled: Path, copies: tuple[Path, Path]) -> None:
        spoil(copies[1])
        answer = tianyi("drill", "restore", "--copy", "copy-2", "--seed", 1, at=filled)
        assert (answer.code, answer.said["identical"], answer.said["different"]) == (3, 0, 3)
        assert all(found["aip"] and found["why"] for found in answer.said["findings"])
        assert tianyi("drill", "restore", "--copy", "first", at=filled).code == 0
        [last, *_] = [row for row in tianyi("events", at=filled).rows if row["outcome"] == "fail"]
        assert (filled / "vault").joinpath(*_blob(last["detail"]["findings"])).is_file()

    def test_a_copy_that_is_away_or_not_there(
        self, tianyi: Tianyi, filled: Path, copies: tuple[Path, Path], tmp_path: Path
    ) -> None:
        assert tianyi("drill", "restore", "--copy", "third", at=filled).code == 4
        copies[1].rename(tmp_path / "unplugged")
        answer = tianyi("drill", "restore", at=filled)
        assert (answer.code, answer.said["code"]) == (6, "unreachable")

    def test_a_seed_chooses_the_same_again(self) -> None:
        aips = [f"aip {number}" for number in range(100)]
        assert sample(aips, 5, seed=7) == sample(aips, 5, seed=7) != sample(aips, 5, seed=8)
        assert sample(aips, 1000, seed=7) == aips
        assert sample([], 5, seed=7) == []


def _blob(digest: str) -> tuple[str, ...]:
    name = digest.removeprefix("sha256:")
    return "blobs", "sha256", name[:3], name


class TestDoctor:
    def test_all_is_found_and_healed_and_nothing_is_left(
        self, tianyi: Tianyi, filled: Path, tree: Callable[[Path], Any]
    ) -> None:
        before = tree(filled.parent)
        answer = tianyi("doctor", "--drill", at=filled)
        told = answer.said
        assert (answer.code, told["injected"], told["detected"], told["lost"]) == (0, 13, 13, 0)
        assert told["repaired"] == 11  # all but the file too many in each copy, which is left alone
        assert {one["copy"] for one in told["injuries"]} == {"first", "copy-2", None}
        after = tree(filled.parent)
        assert {path for path in before.keys() | after.keys() if _differs(path, before, after)} == set()

    def test_with_one_copy_what_is_damaged_is_lost(self, tianyi: Tianyi, tmp_path: Path) -> None:
        assert tianyi("init", tmp_path / "alone").code == 0
        answer = tianyi("doctor", "--drill", at=tmp_path / "alone")
        told = answer.said
        assert (answer.code, told["injected"], told["detected"]) == (3, 6, 6)
        assert told["repaired"] == 0  # the catalogue is made anew, without what its record would have told
        assert told["lost"] >= 4

    def test_a_copy_that_is_away_is_left_out(self, tianyi: Tianyi, repository: Path, copies: tuple[Path, Path]) -> None:
        copies[1].rename(copies[1].with_name("unplugged"))
        answer = tianyi("doctor", "--drill", at=repository)
        assert (answer.code, answer.said["left_out"]) == (3, ["copy-2"])  # one copy is left to play with

    def test_nothing_is_left_when_it_is_interrupted(
        self, tianyi: Tianyi, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = below(repository.parent)

        def interrupted(root: Path) -> None:
            assert below(repository.parent) > before
            raise KeyboardInterrupt

        monkeypatch.setattr(doctor_injuries, "forget", interrupted)
        assert tianyi("doctor", "--drill", at=repository).code == 130
        assert below(repository.parent) == before

    def test_what_is_not_found_fails_it(
        self, tianyi: Tianyi, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(doctor_injuries, "inflict", lambda injury, root: (root / "stray.txt").touch())
        answer = tianyi("doctor", "--drill", at=repository)
        assert (answer.code, answer.said["detected"]) == (3, 3)  # the files too many, and the catalogue

    def test_it_needs_a_repository(self, tianyi: Tianyi, tmp_path: Path) -> None:
        assert tianyi("doctor", "--drill", at=tmp_path).code == 4


def _differs(path: bytes, before: Any, after: Any) -> bool:
    """Whether something else than a folder's time has changed."""
    return path not in before or path not in after or before[path]._replace(mtime=0) != after[path]._replace(mtime=0)
