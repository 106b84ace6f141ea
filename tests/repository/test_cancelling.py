"""Cancelling an accession: the run at work on it stops at its next chunk, and nothing of it is kept."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ingest import intake
from ingest.errors import Cancelled
from ingest.examine import Desk, Task, examine
from ingest.identify import Identification, Sample
from repository import Repository
from repository.accession import Accession
from repository.errors import AccessionState
from storage.durable import Disk
from storage.errors import Locked
from storage.progress import Progress
from storage.receive import HoldsNothing
from storage.staging import running
from tests.conftest import Tally, Tianyi, tree_of
from tests.crash.forked import die, forked
from tests.crash.quick import opened
from tests.crash.recording import Recording
from tests.crash.scene import deliver, found, leftovers
from tests.crash.verbs import cut_short
from tests.faulty import ANY, Faulty

FILES = 24


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in small portions, so that there is much to be stopped between."""
    monkeypatch.setattr(intake, "CHUNK_FILES", 2)
    monkeypatch.setattr(intake, "BATCH_FILES", 4)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:02d}.txt").write_text(f"file {number}\n")
    return folder


class At(Progress):
    """Does something once, when so many files are done."""

    def __init__(self, files: int, act: Callable[[], None]) -> None:
        self.left, self.act = files, act

    def begin(self, what: str, files: int, size: int) -> None: ...
    def end(self) -> None: ...

    def advance(self, files: int, size: int) -> None:
        before, self.left = self.left, self.left - files
        if before > 0 >= self.left:
            self.act()


def nothing_is_left(repository: Path) -> bool:
    with Repository.open(repository) as opened:
        assert list(opened.aips()) == []
        assert opened.in_flight.all() == []
        assert list(opened.resume()) == []
    work = repository / "work"
    assert [path for name in ("resume", "cancelling") for path in (work / name).glob("*")] == []
    return leftovers(repository) == []


def test_a_run_stops_at_its_next_chunk(tianyi: Tianyi, repository: Path, source: Path) -> None:
    before, work = tree_of(source), repository / "work"
    said: list[Accession] = []

    def cancel() -> None:
        with Repository.open(repository, agent="ann") as another:
            [one] = another.accessions()
            said.append(another.cancel(one.accession, "not yet complete"))

    def begin() -> None:
        threads.append(threading.Thread(target=cancel))
        threads[0].start()
        while not list((work / "cancelling").glob("*")):
            time.sleep(0.001)

    threads: list[threading.Thread] = []
    with Repository.open(repository, progress=At(12, begin)) as opened:
        with pytest.raises(Cancelled):
            opened.ingest(source)
        threads[0].join()
    assert [one.state for one in said] == ["cancelled"]
    assert nothing_is_left(repository)
    [row] = tianyi("accessions", at=repository).rows
    assert (row["state"], row["aip"], row["next"], row["because"]) == ("cancelled", None, None, ["not yet complete"])
    [event] = [one for one in tianyi("events", at=repository).rows if one["type"] == "cancellation"]
    assert (event["agent"], event["detail"]["why"]) == ("ann", "not yet complete")
    assert tree_of(source) == before
    tianyi("rebuild", at=repository)
    assert tianyi("accessions", at=repository).said == row
    assert tianyi("ingest", source, at=repository).said["accession"] != row["accession"]


def test_one_that_was_interrupted_is_cancelled_at_once(tianyi: Tianyi, repository: Path, source: Path) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    with Repository.open(repository, progress=At(13, press)) as opened, pytest.raises(KeyboardInterrupt):
        opened.ingest(source)
    [row] = tianyi("accessions", at=repository).rows
    assert (row["state"], f"tianyi cancel {row['accession']}" in row["next"]) == ("interrupted", True)
    assert list((repository / "work" / "resume").glob("*.jsonl"))
    assert tianyi("cancel", row["accession"], at=repository).code == 2  # no reason
    answer = tianyi("cancel", row["accession"], "--reason", "a mistake", at=repository)
    assert (answer.code, answer.said["state"]) == (0, "cancelled")
    assert nothing_is_left(repository)
    again = tianyi("cancel", row["accession"], "--reason", "twice", at=repository)
    assert (again.code, again.said["code"]) == (5, "accession-state")
    assert tianyi("show", row["accession"], at=repository).said["code"] == "not-kept"
    assert tianyi("cancel", "1999-0001", "--reason", "x", at=repository).code == 4


def test_what_does_not_stop_is_not_cancelled(repository: Path, source: Path) -> None:
    with Repository.open(repository, patience=0.1) as opened:
        number = opened.ingest(source).accession
        with pytest.raises(AccessionState):
            opened.cancel(number, "too late")
        opened.progress = At(2, lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            opened.ingest(source)
        late = list(opened.accessions())[-1]
        with running(late.accession, repository / "work"), pytest.raises(Locked):
            opened.cancel(late.accession, "now")
        assert list(opened.accessions())[-1].state == "interrupted"
        assert [one.outcome for one in opened.resume()] == ["accepted"]


def test_a_large_file_is_stopped_within(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3 << 20))
    task = Task(1, b"large", bytes(tmp_path / "large"), 3 << 20, None)

    def stop() -> None:
        raise Cancelled("2026-0001")

    class Nobody:
        name = version = ""

        def identify(self, sample: Sample) -> Identification:
            raise AssertionError("it was read to its end")

    with pytest.raises(Cancelled):
        examine(Desk((), "", HoldsNothing(), Nobody, heed=stop), [task])


def _cut(scene: Path, deliveries: Path) -> None:
    with opened(scene, Disk(), seed=1) as repository:
        cut_short(repository, deliveries)


def _cancel(scene: Path, disk: Disk) -> None:
    with opened(scene, disk, seed=2) as repository:
        cancel_all(repository)


def cancel_all(repository: Repository) -> list[str]:
    """Cancel what is interrupted; return every accession's state."""
    for one in repository.accessions():
        if one.allows("cancel"):
            repository.cancel(one.accession, "a mistake")
    return [one.state for one in repository.accessions()]


def test_killed_at_any_step_it_is_cancelled_or_not(tmp_path: Path, tally: Tally) -> None:
    deliveries = deliver(tmp_path / "deliveries")
    _cut(found(tmp_path / "whole"), deliveries)
    disk = Recording(tmp_path / "whole", whole=False)
    _cancel(tmp_path / "whole", disk)
    killed = 0
    for at in range(1, len(disk.ops) + 1, 2):
        scene = found(tmp_path / f"scene-{at}")
        _cut(scene, deliveries)
        killed += forked(partial(_cancel, scene, Faulty(Disk()).on(ANY, at, die))) == -signal.SIGKILL
        with opened(scene, Disk(), seed=3) as repository:
            assert cancel_all(repository) == ["cancelled"]
            assert [event.outcome for event in repository.events() if event.type == "cancellation"] == ["cancelled"]
            assert list(repository.resume()) == list(repository.aips()) == []
            assert repository.in_flight.all() == list((scene / "work" / "resume").iterdir()) == []
        assert leftovers(scene) == []
    tally("processes killed", killed)
    assert killed > 5
