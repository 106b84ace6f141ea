"""An ingest that was cut short goes on: the same AIP comes of it, and what was settled is not read again."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ingest import examine, intake, pipeline
from repository import Repository
from storage import bag, layout
from storage.aip import parse_aip
from storage.commit import Committer
from storage.durable import Disk
from storage.event import Event
from tests.conftest import Tally, Tianyi
from tests.crash.forked import die, forked
from tests.crash.quick import opened
from tests.crash.recording import Recording
from tests.crash.scene import each_once_and_whole, found, leftovers
from tests.faulty import ANY, Faulty
from tests.servers.clamd import INFECTED, Running
from tests.stopping import Stops, faulty

FILES = 24
Reads = Callable[[], int]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in small portions, so that there is much to be cut between."""
    monkeypatch.setattr(intake, "CHUNK_FILES", 2)
    monkeypatch.setattr(intake, "BATCH_FILES", 4)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """How many of the producer's files were opened to be examined."""
    opens, count = examine.open_source, [0]

    def counting(path: bytes) -> object:
        count[0] += 1
        return opens(path)

    monkeypatch.setattr(examine, "open_source", counting)
    return lambda: count[0]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for number in range(FILES):
        (folder / str(number % 3)).mkdir(parents=True, exist_ok=True)
        (folder / str(number % 3) / f"{number}.txt").write_text(f"file {number // 2}\n")  # each twice
    return folder


@pytest.fixture
def cut(repository: Path) -> Callable[[Path], None]:
    """`cut(path)` begins an ingest that is interrupted at the thirteenth file: twelve are settled by then."""

    def begin(path: Path) -> None:
        with Repository.open(repository, progress=Stops(12)) as interrupted, pytest.raises(KeyboardInterrupt):
            interrupted.ingest(path, title="Letters")

    return begin


def content(repository: Repository, aip: str) -> list[tuple[str, str]]:
    """Path and digest of each file that was delivered, as its AIP has them."""
    [record] = repository.vault.records(parse_aip(aip))
    payload = repository.vault.payload(record)
    return [(line.path, str(line.digest)) for line in payload if line.path.startswith(bag.ORIGINAL)]


def test_it_goes_on_without_reading_again(
    tianyi: Tianyi, repository: Path, source: Path, cut: Callable[[Path], None], reads: Reads
) -> None:
    cut(source)
    before = reads()
    [row] = tianyi("accessions", at=repository).rows
    assert (row["state"], "tianyi ingest --resume" in row["next"]) == ("interrupted", True)
    answer = tianyi("ingest", "--resume", at=repository)
    assert (answer.code, answer.said["accession"], answer.said["outcome"]) == (0, row["accession"], "accepted")
    assert (reads() - before, answer.said["files"]) == (FILES - 12, FILES)
    assert tianyi("show", row["accession"], at=repository).said["title"] == "Letters"
    assert answer.said["new_bytes"] == sum(len(f"file {number}\n") for number in range(FILES // 2))
    audited = tianyi("audit", at=repository).said
    assert (audited["intact"], audited["extra"]) == (audited["checked"], 0)
    nothing = tianyi("ingest", "--resume", at=repository)
    assert (nothing.code, nothing.said) == (0, {"resumed": 0})
    assert list((repository / "work" / "resume").iterdir()) == []
    assert tianyi("ingest", at=repository).said["code"] == "usage"
    assert tianyi("ingest", source, "--resume", at=repository).said["code"] == "usage"


def test_a_delivery_may_be_named_from_where_one_is(
    tianyi: Tianyi, repository: Path, source: Path, cut: Callable[[Path], None], reads: Reads,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(source.parent)
    cut(Path(source.name))
    monkeypatch.chdir("/")
    done = reads()
    answer = tianyi("ingest", "--resume", at=repository)
    assert (answer.said["outcome"], reads() - done) == ("accepted", FILES - 12)


@pytest.mark.parametrize("written", [True, False])
def test_what_has_a_number_can_be_gone_on_with(
    tianyi: Tianyi, repository: Path, source: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    """Killed as soon as the ledger has the number, or just before."""

    def killed(committer: Committer, *events: Event) -> frozenset[str]:
        if written:
            committer.scribe.write(events)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, Repository.open(repository) as cut_short:
        patch.setattr(Committer, "note_locked", killed)
        with pytest.raises(KeyboardInterrupt):
            cut_short.ingest(source, title="Letters")
    assert len(tianyi("accessions", at=repository).rows) == written
    answer = tianyi("ingest", "--resume", at=repository)
    assert (answer.code, answer.said.get("outcome")) == (0, "accepted" if written else None)
    with Repository.open(repository) as opened_again:
        assert opened_again.in_flight.all() == []


def test_one_that_cannot_be_gone_on_with_keeps_nobody_from_the_others(
    tianyi: Tianyi, repository: Path, source: Path, cut: Callable[[Path], None], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A fault, which is reported, and a delivery that went away."""
    for name in ("bad", "gone", "good"):
        cut(Path(shutil.copytree(source, tmp_path / name)))
    shutil.rmtree(tmp_path / "gone")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(pipeline, "take_in", faulty("bad", pipeline.take_in))
    answer = tianyi("ingest", "--resume", at=repository)
    told = [(row["accession"][5:], row.get("code", row.get("outcome"))) for row in answer.rows]
    assert (answer.code, told) == (1, [("0001", "fault"), ("0002", "no-such-package"), ("0003", "accepted")])
    assert "ZeroDivisionError: not foreseen" in next(tmp_path.glob("tianyi-fault-*")).read_text()
    states = {row["accession"][5:]: row["state"] for row in tianyi("accessions", at=repository).rows}
    assert states == {"0001": "interrupted", "0002": "interrupted", "0003": "accepted"}


def test_where_nobody_knows_the_place_it_is_told_and_cancelled(
    tianyi: Tianyi, repository: Path, source: Path, cut: Callable[[Path], None]
) -> None:
    cut(source)
    (repository / "work" / "state.db").unlink()
    [row] = tianyi("accessions", at=repository).rows
    assert (row["state"], row["next"][:13], "--resume" in row["next"]) == ("interrupted", "tianyi cancel", False)
    answer = tianyi("ingest", "--resume", at=repository)
    assert (answer.code, answer.said["code"], answer.said["accession"]) == (6, "source-unknown", row["accession"])
    assert row["next"] in answer.said["next"]
    assert "--resume" not in answer.said["next"]
    assert tianyi("cancel", row["accession"], "--reason", "lost", at=repository).code == 0
    assert tianyi("ingest", "--resume", at=repository).said == {"resumed": 0}


def test_what_changed_meanwhile_is_read_again(
    repository: Path, source: Path, cut: Callable[[Path], None], reads: Reads
) -> None:
    cut(source)
    first, second = source / "0" / "0.txt", source / "0" / "12.txt"
    before = first.stat()
    first.write_text("FILE 0\n")  # of the same size: its time tells
    os.utime(second, ns=(before.st_atime_ns, 1))  # and here nothing else does
    (source / "0" / "3.txt").unlink()
    (source / "0" / "new.txt").write_text("new")
    done = reads()
    with Repository.open(repository) as resumed:
        [receipt] = resumed.resume()
        names = dict(content(resumed, receipt.aip))
    assert reads() - done == FILES - 12 + 2 + 1
    assert bag.ORIGINAL + "0/3.txt" not in names
    assert bag.ORIGINAL + "0/new.txt" in names
    with Repository.open(repository) as again:
        assert content(again, again.ingest(source).aip) == sorted(names.items())


@pytest.mark.parametrize("loss", ["of a blob", "of a policy", "of the file"])
def test_what_cannot_be_relied_on_is_read_again(
    repository: Path, source: Path, copies: tuple[Path, Path], cut: Callable[[Path], None], reads: Reads, loss: str
) -> None:
    cut(source)
    [kept] = (repository / "work" / "resume").glob("*.jsonl")
    if loss == "of a blob":
        [blob, *_] = sorted((copies[1] / "blobs").rglob("sha256/*/*"))
        blob.unlink()  # of two files
    elif loss == "of a policy":
        (repository / "policies" / "ingest.yaml").write_text("digests: [md5]\n")
    else:
        kept.write_bytes(b"torn")
    done = reads()
    with Repository.open(repository) as resumed:
        [receipt] = resumed.resume()
        assert (receipt.outcome, receipt.behind) == ("accepted", frozenset())
        for copy in resumed.vault.copies:
            [record] = resumed.vault.records(parse_aip(receipt.aip))
            assert all(copy.size(layout.blob_key(line.digest)) >= 0 for line in resumed.vault.bag(record))
    assert reads() - done == (FILES - 12 + 2 if loss == "of a blob" else FILES)


def test_an_archive_is_unpacked_again_and_its_members_are_not_stored_again(
    repository: Path, source: Path, cut: Callable[[Path], None], reads: Reads, tmp_path: Path
) -> None:
    path = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", source))
    cut(path)
    done = reads()
    with Repository.open(repository) as resumed:
        [receipt] = resumed.resume()
        assert (receipt.kind, receipt.files, reads() - done) == ("zip", FILES, FILES - 12)
        first = content(resumed, receipt.aip)
        assert content(resumed, resumed.ingest(path).aip) == first
    cut(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more", "more")
    done = reads()
    with Repository.open(repository) as resumed:
        [receipt] = resumed.resume()
    assert (receipt.files, reads() - done) == (FILES + 1, FILES + 1)  # another archive: nothing of it is known


def test_one_that_was_returned_is_not_gone_on_with(repository: Path, source: Path, cut: Callable[[Path], None]) -> None:
    cut(source)
    with Repository.open(repository) as opened_again:
        [one] = opened_again.accessions()
        opened_again.give_back(one.accession, "the producer wants it back")
        assert list(opened_again.resume()) == []
    assert list((repository / "work" / "resume").iterdir()) == []


def _killed(scene: Path, source: Path, at: int) -> None:
    with opened(scene, Faulty(Disk()).on(ANY, at, die), seed=1) as repository:
        repository.ingest(source)


@pytest.mark.slow
def test_killed_at_any_step_it_gives_the_same_aip(source: Path, tmp_path: Path, tally: Tally, reads: Reads) -> None:
    whole = found(tmp_path / "whole")
    disk = Recording(whole, whole=False)
    with opened(whole, disk, seed=1) as repository:
        begun = reads()
        wanted = content(repository, repository.ingest(source).aip)
        each = reads() - begun
    steps = range(5, len(disk.ops), max(1, len(disk.ops) // 60))
    spared = 0
    for number, at in enumerate(steps):
        scene = found(tmp_path / f"scene-{number}")
        if forked(partial(_killed, scene, source, at)) != -signal.SIGKILL:
            continue  # it had come to its end
        begun = reads()
        with opened(scene, Disk(), seed=2) as repository:
            list(repository.resume())
            if not list(repository.aips()):  # it had no number yet
                repository.ingest(source)
            assert [content(repository, aip.aip) for aip in repository.aips()] == [wanted]
            states = [one.state for one in repository.accessions()]
            assert states == ["accepted"]  # whatever has a number can be gone on with
            assert repository.in_flight.all() == []
            assert each_once_and_whole(repository)
        assert leftovers(scene) == []
        spared += each - (reads() - begun)
        shutil.rmtree(scene)
    tally("processes killed", len(steps))
    assert spared > each  # in all, or nothing was gone on with


def test_what_a_virus_scanner_said_counts_and_what_is_infected_is_scanned_again(
    tianyi: Tianyi, repository: Path, source: Path, clamd: Running, cut: Callable[[Path], None], reads: Reads
) -> None:
    with (repository / "tianyi.toml").open("a") as file:
        file.write(f'\n[scan]\nclamd = "{clamd.address}"\n')
    (source / "0" / "0.exe").write_bytes(INFECTED)  # the first of all
    cut(source)
    done = reads()
    answer = tianyi("ingest", "--resume", at=repository)
    assert (answer.code, answer.said["outcome"]) == (6, "held")
    assert [found["path"] for found in answer.said["findings"] if found["code"] == "infected"] == ["0/0.exe"]
    assert not [found for found in answer.said["findings"] if found["code"] == "not-scanned"]
    assert 0 < reads() - done < FILES  # those settled were not read again
