"""A full disk, a broken one and a sync that fails, at every call of every verb: the old state stands or the new one,
and the same command again succeeds."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from math import ceil
from pathlib import Path

import pytest

from storage.errors import NoRoom, StorageError, SyncFailed, Unreachable
from tests.conftest import Tally
from tests.crash.conftest import Fresh
from tests.crash.promises import Promises
from tests.crash.quick import COPIES, Quick, opened
from tests.crash.scene import Acknowledged, answers, files_of, lacking, leftovers, snapshot
from tests.crash.verbs import INGEST, Verb, is_whole
from tests.faulty import Fault, Faulty, Unsynced, broken_disk, full_disk

MAKING = ["create", "write", "rename", "link", "mkdir"]
SYNCS = ["sync_file", "sync_folder", "sync_filesystem"]
MOST = [  # calls of a kind that are tried, spread over all
    pytest.param(3, id="few"),
    pytest.param(10**6, id="every", marks=pytest.mark.exhaustive),
]


@pytest.mark.parametrize("most", MOST)
@pytest.mark.parametrize("operation", MAKING)
@pytest.mark.parametrize(("do", "error"), [(full_disk, NoRoom), (broken_disk, Unreachable)], ids=["full", "broken"])
def test_a_disk_that_takes_no_more(
    do: Fault, error: type[StorageError], operation: str, most: int, verb: Verb, fresh: Fresh, deliveries: Path,
    tally: Tally,
) -> None:  # fmt: skip
    calls = _calls(operation, most, verb, True, fresh(verb), deliveries)
    tally("calls refused by a full or broken disk", len(calls))
    for call in calls:
        disk = Faulty(Unsynced(whole=True)).on(operation, call, do)
        _fails_and_goes_on(disk, error, verb, fresh(verb), deliveries)


@pytest.mark.parametrize("most", MOST)
@pytest.mark.parametrize("operation", SYNCS)
def test_a_sync_that_fails(
    operation: str, most: int, verb: Verb, whole: bool, fresh: Fresh, deliveries: Path, tally: Tally
) -> None:
    calls = _calls(operation, most, verb, whole, fresh(verb), deliveries)
    tally("failed syncs", len(calls))
    for call in calls:
        disk = Faulty(Unsynced(whole=whole)).on(operation, call, broken_disk)
        _fails_and_goes_on(disk, SyncFailed, verb, fresh(verb), deliveries)


@pytest.mark.parametrize(
    ("operation", "call"), [("mkdir", 2), ("write", 5), ("rename", 9), ("sync_filesystem", 2), ("link", 1)]
)
@pytest.mark.parametrize("do", [full_disk, broken_disk])
def test_a_second_copy_that_dies_midway_is_behind(
    operation: str, call: int, do: Fault, fresh: Fresh, deliveries: Path
) -> None:
    """From that call on, nothing that is asked of it is done."""
    scene = fresh(INGEST)
    start = files_of(snapshot(scene))
    disk = Faulty(Unsynced(whole=True))
    with opened(scene, disk) as repository, disk:
        its_own = (scene / "second", scene / "work" / "copies" / "copy-2")
        disk.on(operation, call, do, within=its_own, onwards=True)
        receipt = repository.ingest(deliveries / "harbour")
        assert receipt.behind == {"copy-2"}
        _stands(start, scene, repository, receipt.behind)


def _calls(operation: str, most: int, verb: Verb, whole: bool, scene: Path, deliveries: Path) -> list[int]:
    """Which calls of an operation are to fail, of all that a verb makes."""
    disk = Faulty(Unsynced(whole=whole))
    with opened(scene, disk, seed=1) as repository:
        before = Counter(disk.calls)
        verb.run(repository, deliveries)
    assert before[operation] == 0
    calls = disk.calls[operation]
    return list(range(1, calls + 1, max(1, ceil(calls / most))))


def _fails_and_goes_on(disk: Faulty, error: type[StorageError], verb: Verb, scene: Path, deliveries: Path) -> None:
    start = files_of(snapshot(scene))
    with opened(scene, disk, seed=1) as repository, disk:
        _tried(repository, error, verb, deliveries)
        assert [path for path in leftovers(scene) if "intents" not in path.parts] == []
        verb.run(repository, deliveries)
    with opened(scene, seed=2) as repository:
        if not verb.done(repository):
            verb.run(repository, deliveries)
        repository.audit()
        repository.repair()
        assert is_whole(repository)
        assert verb.done(repository)
        _stands(start, scene, repository)
        told = answers(repository)
        repository.rebuild()
        assert answers(repository) == told
        assert leftovers(scene) == []


def _tried(repository: Quick, error: type[StorageError], verb: Verb, deliveries: Path) -> None:
    """A version that is kept in spite of the fault is told so: nothing is raised, or what is raised says it."""
    before = set(repository.vault.all_records())
    advice = ""
    with suppress(error):
        try:
            assert verb.run(repository, deliveries) <= {"copy-2"}
        except error as raised:
            advice = raised.next
            raise
    if advice:
        assert ("is kept all the same" in advice) == bool(set(repository.vault.all_records()) - before)


def _stands(start: dict[str, bytes], scene: Path, repository: Quick, behind: frozenset[str] = frozenset()) -> None:
    state = files_of(snapshot(scene))
    records = list(repository.vault.all_records())
    said = [Acknowledged(one, frozenset(COPIES) - behind - lacking(repository, one)) for one in records]
    assert records
    assert list(Promises(start, state).broken(state, said)) == []
