"""Batches: who falls behind, who does not, and what is swept of runs that were killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import SyncFailed, Unreachable
from storage.local import Local
from storage.lock import is_held, locked, remove_dead
from storage.memory import Memory
from storage.receive import HoldsNothing
from storage.staging import lives, staging
from storage.store import Store
from tests.faulty import Faulty, Unsynced, broken_disk


class OneFilesystem(Unsynced):
    def filesystem(self, descriptor: int) -> int:
        return 1


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work" / "runs").mkdir(parents=True)
    return tmp_path / "work"


def three(folder: Path, disk: Faulty) -> list[Store]:
    for name in "abc":
        (folder / name).mkdir()
    return [Local(name, folder / name, folder / "scratch" / name, disk) for name in "abc"]


def test_copies_on_one_file_system_are_flushed_once(tmp_path: Path, work: Path) -> None:
    disk = Faulty(OneFilesystem(whole=True))
    with staging("run", three(tmp_path, disk), work) as stage:
        stage.settle([stage.receive([b"data"], HoldsNothing())])
    assert disk.calls["sync_filesystem"] == 2  # the bytes, then the names


def test_a_flush_that_failed_for_one_copy_says_nothing_for_the_next(tmp_path: Path, work: Path) -> None:
    """`b` and `c` share a file system that `a` is not on: where b's flush fails, c's is tried and fails too."""
    disk = Faulty(OneFilesystem(whole=True))
    stores = [Memory("a"), *three(tmp_path, disk)[1:]]
    with disk.on("sync_filesystem", 1, broken_disk).on("sync_filesystem", 2, broken_disk):
        with staging("run", stores, work) as stage:
            stage.settle([stage.receive([b"data"], HoldsNothing())])
        assert stage.behind == {"b", "c"}


def test_a_first_copy_that_fails_stops_all(tmp_path: Path, work: Path) -> None:
    disk = Faulty(Unsynced(whole=True))
    with (
        disk.on("sync_filesystem", 1, broken_disk),
        pytest.raises(SyncFailed),
        staging("run", three(tmp_path, disk), work) as stage,
    ):
        stage.settle([stage.receive([b"data"], HoldsNothing())])
    assert list((work / "runs").iterdir()) == []


def test_a_copy_that_is_away_is_behind_from_the_start(tmp_path: Path, work: Path) -> None:
    stores = three(tmp_path, Faulty(Unsynced(whole=True)))
    (tmp_path / "b").rmdir()
    with staging("run", stores, work) as stage:
        assert stage.behind == {"b"}
        stage.settle([stage.receive([b"data"], HoldsNothing())])
    assert not (tmp_path / "b").exists()
    with pytest.raises(Unreachable), staging("run", [stores[1], stores[0]], work):
        raise AssertionError


def test_a_run_lives_as_long_as_it_holds_its_mark(work: Path) -> None:
    (work / "runs" / "killed").touch()
    with staging("run", [Memory()], work):
        assert (lives(work, "run"), lives(work, "killed"), lives(work, "never was")) == (True, False, False)
        remove_dead(work / "runs")
        assert [mark.name for mark in (work / "runs").iterdir()] == ["run"]
    assert list((work / "runs").iterdir()) == []


def test_asking_for_a_lock_makes_none(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()
    with locked(tmp_path / "lock", "it"):
        assert is_held(tmp_path / "lock")
    assert not is_held(tmp_path / "lock")
