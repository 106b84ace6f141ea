"""What cannot fit into the first copy is refused before it is read, and what may fit is not: on small disks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import examine, intake
from ingest.cancelling import unheeded
from ingest.fits import check_fits
from ingest.item import Item
from ingest.worklist import Worklist
from repository import Repository
from storage.capacity import most_free
from storage.errors import WillNotFit
from storage.local import Local
from storage.memory import Memory
from storage.namemap import Kind
from tests.conftest import Tianyi, tree_of
from tests.stopping import Stops

MIB = 1 << 20
Disk = Callable[[str], Path]
SMALL = range(700_000, 1_000_000, 25_000)  # twelve lengths, 10 MB; a file of one piece is known before it is written


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file has its name in the vault before the next is read, as in a delivery of many batches."""
    for name in ("CHUNK_FILES", "BATCH_FILES", "MORE_AHEAD"):
        monkeypatch.setattr(intake, name, 1)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Which of the producer's files were opened to be examined."""
    opens, opened = examine.open_source, list[bytes]()
    monkeypatch.setattr(examine, "open_source", lambda path: (opened.append(path), opens(path))[1])
    return opened


def deliver(folder: Path, *contents: bytes) -> Path:
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(content)
    return folder


def test_what_cannot_fit_is_refused_before_it_is_read(
    tianyi: Tianyi, tmp_path: Path, small_disk: Disk, read: list[bytes]
) -> None:
    archive = small_disk("16M") / "archive"
    assert tianyi("init", archive).code == 0
    source = deliver(tmp_path / "source", os.urandom(9 * MIB), os.urandom(10 * MIB))
    refused = tianyi("ingest", source, at=archive)
    assert (refused.code, refused.said["code"], read) == (6, "disk-full", [])
    assert f"at least {19 * MIB:,} bytes in {archive / 'vault'}, and at most " in refused.said["message"]
    assert not tree_of(archive / "vault" / "blobs")
    assert [row["state"] for row in tianyi("accessions", at=archive).rows] == ["interrupted"]
    small_disk("64M")
    resumed = tianyi("ingest", "--resume", at=archive)
    assert (resumed.code, resumed.said["outcome"], len(read)) == (0, "accepted", 2)


def test_lengths_that_come_again_count_once(tianyi: Tianyi, tmp_path: Path, small_disk: Disk) -> None:
    archive = small_disk("16M") / "archive"
    assert tianyi("init", archive).code == 0
    taken = tianyi("ingest", deliver(tmp_path / "source", *[os.urandom(5 * MIB)] * 4), at=archive)
    assert (taken.code, taken.said["bytes"], taken.said["new_bytes"]) == (0, 20 * MIB, 5 * MIB)


def test_what_is_held_already_needs_no_room(tianyi: Tianyi, tmp_path: Path, small_disk: Disk) -> None:
    archive = small_disk("16M") / "archive"
    assert tianyi("init", archive).code == 0
    source = deliver(tmp_path / "source", *map(os.urandom, SMALL))
    assert tianyi("ingest", source, at=archive).code == 0
    again = tianyi("ingest", shutil.copytree(source, tmp_path / "again"), at=archive)
    assert (again.code, again.said["new_bytes"], again.said["bytes"]) == (0, 0, sum(SMALL))


@pytest.mark.parametrize("remembered", [True, False])
def test_what_an_interrupted_run_left_needs_no_room(
    tianyi: Tianyi, tmp_path: Path, small_disk: Disk, remembered: bool
) -> None:
    archive = small_disk("16M") / "archive"
    assert tianyi("init", archive).code == 0
    source = deliver(tmp_path / "source", *map(os.urandom, SMALL))
    with Repository.open(archive, progress=Stops(9)) as cut, pytest.raises(KeyboardInterrupt):
        cut.ingest(source)
    assert sum(entry.kind == "file" for entry in tree_of(archive / "vault" / "blobs").values()) >= 8
    if not remembered:
        shutil.rmtree(archive / "work" / "resume")
    resumed = tianyi("ingest", "--resume", at=archive)
    assert (resumed.code, resumed.said["outcome"]) == (0, "accepted")


def test_a_full_copy_that_is_not_the_first_stops_nothing(tianyi: Tianyi, tmp_path: Path, small_disk: Disk) -> None:
    archive = tmp_path / "archive"
    assert tianyi("init", archive, "--copy", small_disk("4M") / "second").code == 0
    taken = tianyi("ingest", deliver(tmp_path / "source", os.urandom(5 * MIB)), at=archive)
    assert (taken.said["outcome"], taken.said["behind"]) == ("accepted", ["copy-2"])


@pytest.mark.parametrize("place", ["vault/blobs/sha256/abc/abcd", "scratch/run/1"])
def test_lengths_that_lie_in_the_copy_do_not_count(small_disk: Disk, place: str) -> None:
    disk = small_disk("8M")
    for folder in (disk / "vault", (disk / place).parent):
        folder.mkdir(parents=True)
    (disk / place).write_bytes(bytes(6 * MIB))
    copy, worklist = Local("first", disk / "vault", disk / "scratch"), Worklist()
    worklist.add(Item(Kind.FILE, b"there, perhaps", size=6 * MIB))
    check_fits(copy, worklist, unheeded)
    worklist.add(Item(Kind.FILE, b"not there", size=5 * MIB))
    with pytest.raises(WillNotFit, match=f"at least {5 * MIB:,} bytes"):
        check_fits(copy, worklist, unheeded)


def test_a_disk_that_cannot_say_what_is_free_is_not_asked(small_disk: Disk) -> None:
    disk = small_disk("8M")
    assert (most_free(disk) or 0) <= 8 * MIB < (most_free(small_disk("16M")) or 0)
    assert most_free(small_disk("0")) is None  # no limit
    assert most_free(Path("/proc")) is None
    worklist = Worklist()
    worklist.add(Item(Kind.FILE, b"large", size=1 << 60))
    check_fits(Memory("first"), worklist, unheeded)
    check_fits(Local("first", disk, disk), worklist, unheeded)
