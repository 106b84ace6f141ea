"""A drop folder: each delivery is taken in once, when it has come to rest, whatever happens between."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from ingest import pipeline
from ingest.cancelling import asking
from ingest.delivery import Receipt
from ingest.errors import NoSuchPackage, UnknownPackage
from repository import Repository, edge
from repository.drops import Drop, DropFolder
from repository.errors import DeliveryChanged
from storage.commit import Committer
from storage.errors import Locked
from storage.progress import SILENT, Progress
from tests.conftest import Tianyi, tree_of
from tests.stopping import Stops, faulty

SETTLE = 30.0
Step = Callable[[], object]


class Over(Exception):
    """There is no step left."""


@dataclass
class Watched:
    """A folder that is watched by a clock that the steps move: one happens in each pause."""

    folder: Path
    repository: Path
    now: float = 0.0
    steps: list[Step] = field(default_factory=list)
    progress: Progress = SILENT

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if not self.steps:
            raise Over
        self.steps.pop(0)()

    def drops(self, *steps: Step, once: bool = False) -> Iterator[Drop]:
        self.steps = list(steps)

        def opens() -> Repository:
            return Repository.open(self.repository, progress=self.progress)

        work = self.repository / "work"
        watching = DropFolder(self.folder, work, opens, lambda: self.now, self.sleep, SETTLE).watch(once=once)
        with suppress(Over):
            yield from watching

    def outcomes(self, *steps: Step, once: bool = False) -> list[tuple[str, str]]:
        """Name and outcome of each entry that something was said of."""
        return [(drop.name.decode(), outcome(drop)) for drop in self.drops(*steps, once=once)]


def outcome(drop: Drop) -> str:
    return drop.result.outcome if isinstance(drop.result, Receipt) else type(drop.result).__name__


def rest() -> None:
    """Nothing happens."""


QUIET: tuple[Step, ...] = (rest,) * 8  # longer than the settling, at five seconds a pause


@pytest.fixture
def watched(repository: Path, tmp_path: Path) -> Watched:
    (tmp_path / "drop").mkdir()
    return Watched(tmp_path / "drop", repository)


def put(folder: Path, text: str = "a letter\n") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "a.txt").write_text(text)
    return folder


def test_what_is_at_rest_is_taken_once(watched: Watched) -> None:
    one = put(watched.folder / "one")
    (watched.folder / ".hidden").mkdir()
    put(watched.folder / "two.part")
    (watched.folder / "empty").mkdir()
    before = tree_of(watched.folder)
    assert watched.outcomes(*QUIET, *QUIET) == [("one", "accepted")]
    assert tree_of(watched.folder) == before  # it is only read
    assert watched.outcomes(*QUIET) == []  # nor by the next watcher
    renamed = partial((watched.folder / "two.part").rename, watched.folder / "two")
    assert watched.outcomes(rest, renamed, *QUIET) == [("two", "accepted")]
    one.rename(watched.folder / "other name")
    assert watched.outcomes(*QUIET) == []


def test_what_was_cut_short_before_it_had_a_number_was_not_taken(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(watched.folder / "one")

    def killed(*_: object) -> frozenset[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Committer, "note_locked", killed)
        with pytest.raises(KeyboardInterrupt):
            watched.outcomes(*QUIET)
    assert watched.outcomes(*QUIET) == [("one", "accepted")]


def test_a_link_that_takes_the_place_of_a_delivery_is_not_followed(watched: Watched, tmp_path: Path) -> None:
    """Between the last look at it and the ingest: who may write into the drop folder may not read all that we may."""
    one, secret = put(watched.folder / "one"), put(tmp_path / "secret")
    opened: list[Repository] = []

    def opens() -> Repository:
        if opened:  # the first time is for what was interrupted
            one.rename(tmp_path / "away")
            one.symlink_to(secret)
        opened.append(Repository.open(watched.repository))
        return opened[-1]

    watched.steps = [rest]
    watching = DropFolder(watched.folder, watched.repository / "work", opens, lambda: watched.now, watched.sleep, 0.0)
    assert {outcome(drop) for drop in watching.watch(once=True)} == {"UnknownPackage"}
    with Repository.open(watched.repository) as repository:
        assert list(repository.aips()) == []


def test_what_changes_is_waited_for(watched: Watched) -> None:
    one = put(watched.folder / "one")
    grows = [partial((one / f"{number}.txt").write_text, "more\n") for number in range(8)]
    told = list(watched.drops(*grows, *QUIET))
    assert [(outcome(drop), drop.result.files) for drop in told if isinstance(drop.result, Receipt)] == [
        ("accepted", 9)
    ]
    assert watched.now >= (len(grows) + 6) * 5


def test_what_changed_since_is_told_and_taken_when_renamed(watched: Watched) -> None:
    one = put(watched.folder / "one")
    assert watched.outcomes(*QUIET) == [("one", "accepted")]
    (one / "b.txt").write_text("forgotten\n")
    [drop] = watched.drops(*QUIET, *QUIET)
    assert isinstance(drop.result, DeliveryChanged)
    assert "-0001" in str(drop.result)
    one.rename(watched.folder / "one more")
    assert watched.outcomes(*QUIET) == [("one more", "accepted")]
    replaced = watched.folder / "box.zip"
    for number in range(2):  # another file under the same name, as of every night
        put(watched.folder.parent / "packed", f"{number}\n")
        made = subprocess.run([sys.executable, "-m", "zipfile", "-c", "new.zip", "packed"], cwd=watched.folder.parent)
        assert made.returncode == 0
        (watched.folder.parent / "new.zip").replace(replaced)
        assert watched.outcomes(*QUIET) == [("box.zip", "accepted")]


def test_what_cannot_be_taken_is_told_once_and_stops_nobody(watched: Watched, tmp_path: Path) -> None:
    put(tmp_path / "secret")
    (watched.folder / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(watched.folder / "fifo")
    (watched.folder / "note.txt").write_text("no package")
    (watched.folder / "root").mkdir()
    (watched.folder / "root" / "0=ocfl_1.1").write_text("ocfl_1.1\n")
    os.mkfifo(put(watched.folder / "with a fifo") / "fifo")
    (put(watched.folder / "with a link") / "out").symlink_to(tmp_path / "secret")
    told = {drop.name.decode(): drop.result for drop in watched.drops(*QUIET, *QUIET)}
    refused = {name for name, result in told.items() if isinstance(result, UnknownPackage)}
    assert refused == {"fifo", "link", "note.txt", "root"}
    assert {outcome(Drop(b"", told[name])) for name in told.keys() - refused} == {"accepted", "rejected"}
    with Repository.open(watched.repository) as opened:
        [aip] = opened.aips()
        assert [file.original_name for file in opened.files(aip.aip)] == ["a.txt"]  # the link is kept as one
    assert len(list(watched.drops(*QUIET))) == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_told_and_taken_when_it_may(watched: Watched) -> None:
    closed = [put(watched.folder / "folder"), watched.folder / "box.zip", put(watched.folder / "within") / "sub"]
    closed[1].write_bytes(b"PK\x05\x06" + bytes(18))
    put(closed[2])
    for path in closed:
        path.chmod(0)
    told = watched.outcomes(*QUIET, *QUIET)
    assert told == [("box.zip", "PermissionError"), ("folder", "PermissionError"), ("within", "rejected")]
    for path in closed:
        path.chmod(0o755)
    assert watched.outcomes(*QUIET) == [("box.zip", "rejected"), ("folder", "accepted"), ("within", "DeliveryChanged")]


def test_once(watched: Watched, tianyi: Tianyi) -> None:
    put(watched.folder / "one")
    put(watched.folder / "two")
    late = partial(put, watched.folder / "two", "changed\n")
    assert watched.outcomes(late, once=True) == [("one", "accepted")]
    answer = tianyi("ingest", "--watch", watched.folder, "--once", "--settle", 0, at=watched.repository)
    assert (answer.code, [(row["entry"], row["outcome"]) for row in answer.rows]) == (0, [("two", "accepted")])
    (watched.folder / "note.txt").write_text("no package")
    answer = tianyi("ingest", "--watch", watched.folder, "--once", "--settle", 0, at=watched.repository)
    assert (answer.code, answer.said["code"], answer.said["outcome"]) == (5, "unknown-package", "refused")
    wrong = tianyi("ingest", "--watch", watched.folder, "--title", "all the same", at=watched.repository)
    assert (wrong.code, wrong.said["code"]) == (2, "usage")
    with pytest.raises(NoSuchPackage):
        list(Watched(watched.folder / "not there", watched.repository).drops())


def interrupted(watched: Watched) -> None:
    """Put a delivery there, whose ingest is interrupted at its first file."""
    put(watched.folder / "one")
    watched.progress = Stops(0)
    with pytest.raises(KeyboardInterrupt):
        list(watched.drops(*QUIET))
    watched.progress = SILENT


def test_what_was_interrupted_is_gone_on_with(watched: Watched) -> None:
    interrupted(watched)
    assert watched.outcomes(*QUIET, *QUIET) == [("one", "accepted")]
    with Repository.open(watched.repository) as opened:
        assert [one.state for one in opened.accessions()] == ["accepted"]


def test_a_fault_in_one_keeps_nobody_from_taking_the_others(
    watched: Watched, tianyi: Tianyi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = partial(tianyi, "ingest", "--watch", watched.folder, "--once", "--settle", 0, at=watched.repository)
    put(watched.folder / "one")
    put(watched.folder / "two")
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path))  # where it is reported
        patch.setattr(pipeline, "take_in", faulty("one", pipeline.take_in))
        for later in ("two", "three"):  # at the next start it is tried again
            put(watched.folder / later)
            answer = watch()
            told = [(row["entry"], row.get("code", "")) for row in answer.rows]
            assert (answer.code, told) == (edge.FAULT, [("one", "fault"), (later, "")])
            assert len(list(tmp_path.glob("tianyi-fault-*"))) == (1 if later == "two" else 2)
    answer = watch()
    assert (answer.code, answer.said["entry"], answer.said["outcome"]) == (0, "one", "accepted")


def test_a_full_disk_stops_the_watching(watched: Watched, tianyi: Tianyi, monkeypatch: pytest.MonkeyPatch) -> None:
    put(watched.folder / "one")
    put(watched.folder / "two")
    monkeypatch.setattr(pipeline, "take_in", faulty("one", pipeline.take_in, OSError(errno.ENOSPC, "No space left")))
    answer = tianyi("ingest", "--watch", watched.folder, "--once", "--settle", 0, at=watched.repository)
    assert (answer.code, answer.said["code"]) == (edge.INCOMPLETE, "disk-full")


class Asks(Stops):
    """Somebody asks to cancel the accession when its first file is done."""

    def __init__(self, work: Path, asking: ExitStack) -> None:
        super().__init__(0, self.ask)
        self.work, self.asking = work, asking

    def ask(self) -> None:
        [number] = {run.name[:9] for run in (self.work / "runs").iterdir()}
        self.asking.enter_context(asking(self.work, number, 0))


def test_cancelling_one_leaves_the_others(watched: Watched) -> None:
    work = watched.repository / "work"
    put(watched.folder / "one")
    with ExitStack() as cancelling:
        watched.progress = Asks(work, cancelling)
        later = [partial(setattr, watched, "progress", SILENT), cancelling.close, partial(put, watched.folder / "two")]
        assert watched.outcomes(*QUIET, *later, *QUIET) == [("one", "Cancelled"), ("two", "accepted")]


def test_one_that_is_cancelled_is_not_taken_again(watched: Watched) -> None:
    interrupted(watched)
    with Repository.open(watched.repository) as opened:
        [one] = opened.accessions()
        opened.cancel(one.accession, "not ours")
    assert watched.outcomes(*QUIET) == []


def test_the_second_watcher_is_told_who_holds_it(watched: Watched) -> None:
    def another() -> None:
        with pytest.raises(Locked, match=f"process {os.getpid()}"):
            list(Watched(watched.folder.parent / "by another path", watched.repository).drops())

    (watched.folder.parent / "by another path").symlink_to(watched.folder)
    assert watched.outcomes(another) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_ends_and_one_that_follows(watched: Watched, tianyi: Tianyi, number: int) -> None:
    put(watched.folder / "one")
    line = [sys.executable, "-c", "from repository.cli import main; main()", "-C", str(watched.repository)]
    line += ["ingest", "--watch", str(watched.folder), "--settle", "0.1", "--json"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        put(watched.folder / "two")
        os.kill(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert (told["entry"], told["outcome"], errors) == ("one", "accepted", "")
    assert process.returncode == (0 if number == signal.SIGTERM else -number)
    tianyi("ingest", "--watch", watched.folder, "--once", "--settle", 0, at=watched.repository)
    rows = tianyi("accessions", at=watched.repository).rows
    taken = [(row["state"], row["entry"]) for row in rows]
    assert taken == [("accepted", str(watched.folder / name)) for name in ("one", "two")]
