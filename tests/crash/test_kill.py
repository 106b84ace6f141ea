"""A process killed at any point, the next one at work in its leavings, and a power cut after that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.crash.conftest import end_of
from tests.crash.powercut import TORN, Moment, State, lost, replay, states
from tests.crash.promises import Promises, made_before
from tests.crash.recording import Killed, Op, Recording
from tests.crash.scene import opened, promise_all, promised, snapshot, take_in
from tests.crash.test_powercut import leftovers
from tests.faulty import Faulty, Unsynced, broken_disk

pytestmark = pytest.mark.slow  # kills

MODES = pytest.mark.parametrize("whole", [True, False], ids=["whole", "each"])


def killed(disk: Recording, at: int, delivery: Path | None, seed: int) -> bool:
    """Open and take in, as a process that is killed at the recording's operation number `at`; whether it was."""
    disk.dies_at = at
    with suppress(Killed), opened(disk.scene, disk, seed) as repository:
        if delivery:
            take_in(repository, delivery, disk)
        disk.dies_at = 0
        return False
    disk.dies_at = 0
    disk.mark("killed")
    return True


def goes_on(disk: Recording, delivery: Path, seed: int) -> None:
    """The next process: what it shows and what it acknowledges must last from then on."""
    with opened(disk.scene, disk, seed) as repository:
        promise_all(repository, disk)
        take_in(repository, delivery, disk)
    assert leftovers(disk.scene) == []


def check(start: dict[str, bytes | None], ops: list[Op], *, closely: bool = False) -> None:
    """From the first death on, what a cut may leave: everything, or only what shows most (at promises, and lost)."""
    promises = Promises(end_of(start, ops))
    death = next(n for n, op in enumerate(ops) if op.said == "killed")
    for index, moment in replay(start, ops):
        if index < death:
            continue
        for label, state in states(moment, index) if closely else _few(moment, at_promise=ops[index].kind == "mark"):
            broken = list(promises.broken(state, made_before(ops, index)))
            assert not broken, f"after {ops[index].kind} {ops[index].path} (operation {index}), {label}: {broken}"


def _few(moment: Moment, *, at_promise: bool) -> Iterator[tuple[str, State]]:
    if at_promise or len(moment.pending) % 3 == 0:
        yield "all pending lost", moment.state((), {}, lost)
    for how in TORN if at_promise else ():
        yield f"names kept, bytes {how.__name__}", moment.state(moment.pending, {}, how)


@MODES
@pytest.mark.parametrize("part", range(4))
def test_killed_anywhere(whole: bool, part: int, fresh: Callable[[], Path], deliveries: Path) -> None:
    """Every point of the commit, and every fourth before it."""
    point, count = 1 + part, 0
    while True:
        disk = Recording(fresh(), whole=whole)
        start = snapshot(disk.scene)
        if not killed(disk, point, deliveries / "harbour", seed=1):
            break
        committing = any(op.to.startswith("work/intents/") for op in disk.ops)
        goes_on(disk, deliveries / "harbour", seed=2)
        check(start, disk.ops)
        point, count = point + (4 if committing else 16), count + 1
    assert count > 10


@MODES
def test_killed_while_recovering(whole: bool, fresh: Callable[[], Path], deliveries: Path) -> None:
    """Twice: between record and entry, and then anywhere in the recovery of that; its entry is made once."""
    at = _after_the_record(fresh(), whole, deliveries)
    for again in range(1, 100, 2):
        disk = Recording(fresh(), whole=whole)
        start = snapshot(disk.scene)
        assert killed(disk, at, deliveries / "harbour", seed=1)
        if not killed(disk, len(disk.ops) + again, None, seed=2):
            break
        goes_on(disk, deliveries / "harbour", seed=3)
        check(start, disk.ops, closely=again % 10 == 0)
    assert again > 40  # operations of the recovery


def _after_the_record(scene: Path, whole: bool, deliveries: Path) -> int:
    """The number of the operation that follows the record's name in the first copy."""
    disk = Recording(scene, whole=whole)
    assert not killed(disk, 0, deliveries / "harbour", seed=1)
    return 2 + next(n for n, op in enumerate(disk.ops) if op.kind == "link" and op.to.startswith("vault/aips/"))


def _die() -> None:
    raise Killed


def test_recovery_gives_no_record_to_a_copy_that_fell_behind(fresh: Callable[[], Path], deliveries: Path) -> None:
    scene = fresh()
    faulty = Faulty(Unsynced(whole=True)).on("rename", 3, broken_disk, within=[scene / "second" / "blobs"])
    faulty.on("link", 3, _die, onwards=True)  # of the entry; the first is the accession's, the second the record's
    with suppress(Killed), opened(scene, faulty, seed=1) as repository:
        repository.ingest(deliveries / "harbour")
    assert faulty.unmet == []
    with opened(scene, seed=2) as repository:
        assert len(repository.recovered) == 1
        [aip] = repository.aips()
        state = {path: data for path, data in snapshot(scene).items() if data is not None}
        assert list(Promises(state).broken(state, [promised(repository, aip.aip, frozenset({"copy-2"}))])) == []
        assert not any(path.startswith("second/aips/") for path in state)
