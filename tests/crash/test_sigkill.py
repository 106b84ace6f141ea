"""Real processes, really killed, on a real disk: at each kind of step, and at every step about the commit."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from storage.durable import Disk
from tests.conftest import Tally
from tests.crash.conftest import Fresh
from tests.crash.forked import die, forked
from tests.crash.quick import opened
from tests.crash.recording import Op, Recording
from tests.crash.scene import each_once_and_whole, leftovers
from tests.crash.verbs import INGEST, Verb, ingest, is_whole
from tests.faulty import ANY, Faulty
from tests.stopping import Stops

pytestmark = pytest.mark.slow  # kills


def run(verb: Verb, scene: Path, deliveries: Path, at: int) -> None:
    """A whole run of a verb, which ends at the disk's operation of that number."""
    with opened(scene, Faulty(Disk()).on(ANY, at, die), seed=1) as repository:
        verb.run(repository, deliveries)


def test_killed_at_a_step(verb: Verb, fresh: Fresh, deliveries: Path, tally: Tally) -> None:
    steps = list(chosen(_operations(verb, fresh(verb), deliveries)))
    assert len(steps) > 10
    tally("processes killed", len(steps))
    for at in steps:
        scene = fresh(verb)
        assert forked(partial(run, verb, scene, deliveries, at)) == -signal.SIGKILL, f"never came to step {at}"
        try:
            _goes_on(verb, scene, deliveries)
        except Exception as error:
            error.add_note(f"killed at step {at}")
            raise


def _operations(verb: Verb, scene: Path, deliveries: Path) -> list[Op]:
    """What a run does to its disks, in order."""
    disk = Recording(scene, whole=False)
    with opened(scene, disk, seed=1) as repository:
        verb.run(repository, deliveries)
    return [op for op in disk.ops if op.kind != "mark"]


def chosen(ops: list[Op]) -> Iterator[int]:
    """The numbers of steps to be killed at: the first of each kind in each place, and all from the intent on."""
    seen: set[tuple[str, str]] = set()
    committing = False
    for number, op in enumerate(ops, start=1):
        committing |= op.to.startswith("work/intents/")
        site = (op.kind, "/".join((op.to or op.path).split("/")[:2]))
        if site not in seen or (committing and number % 2) or number == len(ops):
            yield number
        seen.add(site)


def _goes_on(verb: Verb, scene: Path, deliveries: Path) -> None:
    damaged = verb.mends or verb.name == "audit"  # before it was run
    with opened(scene, Disk(), seed=2) as repository:
        assert damaged or each_once_and_whole(repository)
        verb.run(repository, deliveries)
    with opened(scene, Disk(), seed=3) as repository:
        repository.audit()
        repository.repair()
        assert is_whole(repository)
        assert verb.done(repository)
        assert each_once_and_whole(repository)
        assert leftovers(scene) == []


@pytest.mark.parametrize("form", ["bag", "folder", "rocrate"])
def test_an_export_is_whole_or_not_there(form: str, fresh: Fresh, deliveries: Path, tmp_path: Path) -> None:
    scene = fresh(INGEST)
    with opened(scene, seed=1) as repository:
        ingest("harbour")(repository, deliveries)
        [aip] = [aip.aip for aip in repository.aips()]

    def export(files: int) -> None:
        with opened(scene, Disk()) as repository:
            repository.progress = Stops(files - 1, die)
            repository.export(aip, tmp_path / "dip", form)

    for files in range(1, 5):
        assert forked(partial(export, files)) == -signal.SIGKILL
        assert not (tmp_path / "dip").exists()
    with opened(scene, Disk()) as repository:
        told = repository.export(aip, tmp_path / "dip", form).leftovers
    assert (tmp_path / "dip").is_dir()
    assert told
    assert {*told, tmp_path / "dip"} >= {path for path in tmp_path.iterdir() if ".proof" not in path.name}
