"""A process killed at any point, the next one at work in its leavings, and a power cut after that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Tally
from tests.crash.conftest import Fresh, end_of
from tests.crash.powercut import TORN, Moment, State, lost, replay, states
from tests.crash.promises import Promises, made_before
from tests.crash.quick import COPIES, opened
from tests.crash.recording import Killed, Op, Recording
from tests.crash.scene import Acknowledged, files_of, lacking, leftovers, promise, show, snapshot
from tests.crash.verbs import INGEST, Verb
from tests.faulty import Faulty, Unsynced, broken_disk

pytestmark = pytest.mark.slow  # kills


def killed(disk: Recording, at: int, verb: Verb | None, deliveries: Path, seed: int) -> bool:
    """Open and run, as a process that is killed at the recording's operation number `at`; whether it was."""
    disk.dies_at = at
    with suppress(Killed), opened(disk.scene, disk, seed) as repository:
        if verb:
            verb.run(repository, deliveries)
        disk.dies_at = 0
        return False
    disk.dies_at = 0
    disk.mark("killed")
    return True


def goes_on(disk: Recording, verb: Verb, deliveries: Path, seed: int) -> None:
    """The next process: what it shows and what it acknowledges must last from then on."""
    with opened(disk.scene, disk, seed) as repository:
        left = [one for one in repository.vault.all_records() if not verb.recovers and not lacking(repository, one)]
        show(repository, disk, but=left)
        size = repository.vault.ledger.size()
        promise(repository, disk, verb.run(repository, deliveries), since=size, mended=verb.mends, but=left)
    assert leftovers(disk.scene) == []


def check(start: dict[str, bytes | None], ops: list[Op], *, closely: bool = False) -> None:
    """From the first death on, what a cut may leave: everything, or only what shows most (at promises, and lost)."""
    promises = Promises(files_of(start), end_of(start, ops))
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


@pytest.mark.parametrize("part", [0, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_killed_anywhere(verb: Verb, whole: bool, part: int, fresh: Fresh, deliveries: Path, tally: Tally) -> None:
    """Every second point once there is an intent to commit, and every eighth else; the other part has those between."""
    point, count = 1 + part, 0
    while True:
        disk = Recording(fresh(verb), whole=whole)
        start = snapshot(disk.scene)
        if not killed(disk, point, verb, deliveries, seed=1):
            break
        committing = any(op.to.startswith("work/intents/") for op in disk.ops)
        goes_on(disk, verb, deliveries, seed=2)
        check(start, disk.ops)
        point, count = point + (2 if committing else 8), count + 1
    assert count > 5
    tally("kills with a power cut after them", count)


def test_killed_while_recovering(whole: bool, fresh: Fresh, deliveries: Path, tally: Tally) -> None:
    """Twice: between record and entry, and then anywhere in the recovery of that; its entry is made once."""
    at = _after_the_record(fresh(INGEST), whole, deliveries)
    for again in range(1, 100, 2):
        disk = Recording(fresh(INGEST), whole=whole)
        start = snapshot(disk.scene)
        assert killed(disk, at, INGEST, deliveries, seed=1)
        if not killed(disk, len(disk.ops) + again, None, deliveries, seed=2):
            break
        goes_on(disk, INGEST, deliveries, seed=3)
        check(start, disk.ops, closely=again % 10 == 0)
    assert again > 40  # operations of the recovery
    tally("kills with a power cut after them", again // 2)


def _after_the_record(scene: Path, whole: bool, deliveries: Path) -> int:
    """The number of the operation that follows the record's name in the first copy."""
    disk = Recording(scene, whole=whole)
    assert not killed(disk, 0, INGEST, deliveries, seed=1)
    return 2 + next(n for n, op in enumerate(disk.ops) if op.kind == "link" and op.to.startswith("vault/aips/"))


def _die() -> None:
    raise Killed


def test_recovery_gives_no_record_to_a_copy_that_fell_behind(fresh: Fresh, deliveries: Path) -> None:
    scene = fresh(INGEST)
    start = files_of(snapshot(scene))
    faulty = Faulty(Unsynced(whole=True)).on("rename", 3, broken_disk, within=[scene / "second" / "blobs"])
    entries = scene / "vault" / "log" / "tile" / "entries"
    faulty.on("link", 3, _die, within=[entries], onwards=True)  # after those of tianyi.toml and of the accession
    with suppress(Killed), opened(scene, faulty, seed=1) as repository:
        repository.ingest(deliveries / "harbour")
    assert faulty.unmet == []
    with opened(scene, seed=2) as repository:
        assert len(repository.recovered) == 1
        [record] = repository.vault.all_records()
        state = files_of(snapshot(scene))
        said = Acknowledged(record, frozenset(COPIES) - {"copy-2"})
        assert list(Promises(start, state).broken(state, [said])) == []
        assert not any(path.startswith("second/aips/") for path in state)
