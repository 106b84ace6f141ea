"""A full disk and a sync that fails, at every call: the old state stands, and the same command again succeeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import NoRoom, StorageError, SyncFailed
from tests.crash.promises import Promises
from tests.crash.scene import Quick, answers, opened, promised, snapshot
from tests.crash.test_powercut import leftovers
from tests.faulty import Fault, Faulty, Unsynced, broken_disk, full_disk

Fresh = Callable[[], Path]
FULL = [("create", 1), ("write", 3), ("rename", 1), ("link", 1), ("mkdir", 3)]  # of a kind, each or each third
SYNCS = ["sync_file", "sync_folder", "sync_filesystem"]


@pytest.mark.parametrize(("operation", "step"), FULL)
def test_a_full_disk(operation: str, step: int, fresh: Fresh, deliveries: Path) -> None:
    calls = _calls(operation, True, fresh(), deliveries)
    assert calls >= 4
    for call in range(1, calls + 1, step):
        _fails_and_goes_on(Faulty(Unsynced(whole=True)).on(operation, call, full_disk), NoRoom, fresh(), deliveries)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "each"])
@pytest.mark.parametrize("operation", SYNCS)
def test_a_sync_that_fails(operation: str, whole: bool, fresh: Fresh, deliveries: Path) -> None:
    calls = _calls(operation, whole, fresh(), deliveries)
    assert calls >= 4 or (operation == "sync_filesystem" and not whole)
    for call in range(1, calls + 1):
        disk = Faulty(Unsynced(whole=whole)).on(operation, call, broken_disk)
        _fails_and_goes_on(disk, SyncFailed, fresh(), deliveries)


@pytest.mark.parametrize(
    ("operation", "call"), [("mkdir", 2), ("write", 5), ("rename", 9), ("sync_filesystem", 2), ("link", 1)]
)
@pytest.mark.parametrize("do", [full_disk, broken_disk])
def test_a_second_copy_that_dies_midway_is_behind(
    operation: str, call: int, do: Fault, fresh: Fresh, deliveries: Path
) -> None:
    """From that call on, nothing that is asked of it is done."""
    scene = fresh()
    disk = Faulty(Unsynced(whole=True))
    with opened(scene, disk) as repository, disk:
        its_own = (scene / "second", scene / "work" / "copies" / "copy-2")
        disk.on(operation, call, do, within=its_own, onwards=True)
        receipt = repository.ingest(deliveries / "harbour")
        assert receipt.behind == {"copy-2"}
        _stands(scene, repository, receipt.aip, receipt.behind)


def _calls(operation: str, whole: bool, scene: Path, deliveries: Path) -> int:
    """How many calls of an operation an ingest makes."""
    disk = Faulty(Unsynced(whole=whole))
    with opened(scene, disk, seed=1) as repository:
        before = disk.calls[operation]
        repository.ingest(deliveries / "harbour")
    assert before == 0
    return disk.calls[operation]


def _fails_and_goes_on(disk: Faulty, error: type[StorageError], scene: Path, deliveries: Path) -> None:
    with opened(scene, disk, seed=1) as repository, disk:
        kept = _taken(repository, error, scene, deliveries)
        assert [path for path in leftovers(scene) if "intents" not in path.parts] == []
        again = repository.ingest(deliveries / "harbour")
        assert (again.outcome, again.behind) == ("accepted", frozenset())
    with opened(scene, seed=2) as repository:
        assert len(list(repository.aips())) == 1 + kept
        _stands(scene, repository, again.aip, again.behind)
        told = answers(repository)
        repository.rebuild()
        assert answers(repository) == told
        assert leftovers(scene) == []


def _taken(repository: Quick, error: type[StorageError], scene: Path, deliveries: Path) -> bool:
    """Whether the version is kept in spite of the fault: then either nothing was raised, or what was says so."""
    advice = ""
    try:
        receipt = repository.ingest(deliveries / "harbour")
    except error as raised:
        advice = raised.next
    else:
        assert receipt.behind <= {"copy-2"}
        _stands(scene, repository, receipt.aip, receipt.behind)
    kept = list(repository.vault.all_records())
    assert ("is kept all the same" in advice) == bool(advice and kept)
    return bool(kept)


def _stands(scene: Path, repository: Quick, aip: str, behind: frozenset[str]) -> None:
    state = {path: data for path, data in snapshot(scene).items() if data is not None}
    assert list(Promises(state).broken(state, [promised(repository, aip, behind)])) == []
