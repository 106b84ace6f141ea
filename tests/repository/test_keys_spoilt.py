"""Whatever becomes of the files in `keys/`: reading goes on and says so; what would write to the ledger stops."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Tianyi
from tests.repository.test_copies import archive, keys
from tests.repository.test_ledger import COPIES, codes, forge, root_of

__all__ = ["archive"]  # the fixture
Spoil = Callable[[Path], object]


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff garbage")


def unreadable(path: Path) -> None:
    """As a disk that does not give it: not even root can read a folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.mkdir()


def unreadable_folder(path: Path) -> None:
    shutil.rmtree(path)
    path.write_bytes(b"")


STOPPING: dict[str, tuple[str, Spoil]] = {
    "checkpoint garbage": ("checkpoint", garbage),
    "checkpoint unreadable": ("checkpoint", unreadable),
    "all of it unreadable": ("", unreadable_folder),
}
HARMLESS: dict[str, tuple[str, Spoil]] = {
    "public keys garbage": ("ledger.pub", garbage),
    "public keys unreadable": ("ledger.pub", unreadable),
    "key garbage": ("ledger.key", garbage),
    "key unreadable": ("ledger.key", unreadable),
    "announced garbage": ("underway.json", garbage),
    "announced unreadable": ("underway.json", unreadable),
    "kept ones unreadable": ("checkpoints", unreadable_folder),
}
READING = (["list"], ["search", "harbour"], ["events"], ["ledger", "show"], ["jobs"], ["accessions"])


def reads(tianyi: Tianyi, archive: Path) -> str:
    """Read all that can be read; return what was warned of."""
    said = ""
    [aip, _] = [row["aip"] for row in tianyi("list", at=archive).rows]
    for command in (*READING, ["show", aip], ["files", aip]):
        answer = tianyi(*command, at=archive)
        assert (answer.code, bool(answer.rows)) == (0, True), command
        said += answer.errors
    assert {row["state"] for row in tianyi("copies", at=archive).rows} == {"complete"}
    return said


@pytest.mark.parametrize("spoil", [*STOPPING, *HARMLESS])
def test_reading_goes_on(archive: Path, tianyi: Tianyi, spoil: str) -> None:
    name, act = {**STOPPING, **HARMLESS}[spoil]
    act(archive / "keys" / name)
    said = reads(tianyi, archive)
    assert ("keys/checkpoint is damaged" in said) == (spoil in STOPPING)


@pytest.mark.parametrize("spoil", STOPPING)
def test_what_would_write_stops_with_the_next_step(archive: Path, tmp_path: Path, tianyi: Tianyi, spoil: str) -> None:
    name, act = STOPPING[spoil]
    act(archive / "keys" / name)
    before = {copy: keys(root_of(archive, copy) / "log") for copy in COPIES}
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "a.txt").write_text("late")
    for command in (
        ("ingest", tmp_path / "late"), ("audit",), ("repair",), ("replicate",), ("ledger", "rotate-key"),
        ("audit", "--sample", "1"), ("copies", "promote", "copy-2"), ("jobs", "pause", "audit"),
    ):  # fmt: skip
        answer = tianyi(*command, at=archive)
        assert (answer.code, answer.said["code"]) == (3, "mark-damaged"), command
        assert "move it away" in answer.said["next"]
    assert {copy: keys(root_of(archive, copy) / "log") for copy in COPIES} == before
    assert tianyi("ledger", "verify", at=archive).code == 3
    assert "ledger" in {one["kind"] for one in tianyi("alerts", at=archive).rows}


def test_a_dip_is_given_out_and_says_that_it_is_not_on_record(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    garbage(archive / "keys" / "checkpoint")
    [aip, _] = [row["aip"] for row in tianyi("list", at=archive).rows]
    for form in ("bag", "rocrate", "folder", "ocfl"):
        given = tianyi("export", aip, tmp_path / form, "--as", form, at=archive)
        assert (given.code, given.said["noted"]) == (6, False)
        assert "no entry of the ledger tells of it" in given.errors
        assert any((tmp_path / form).iterdir())


def test_what_others_wrote_meanwhile_does_not_count(archive: Path, tianyi: Tianyi) -> None:
    """It was read while nothing told what to believe, and is forgotten when the mark is back."""
    mark = (archive / "keys" / "checkpoint").read_bytes()
    garbage(archive / "keys" / "checkpoint")
    forge(root_of(archive, "copy-2"))
    assert "mallory" in {row["agent"] for row in tianyi("events", at=archive).rows}
    (archive / "keys" / "checkpoint").write_bytes(mark)
    assert "is kept" in tianyi("list", at=archive).errors
    assert "mallory" not in {row["agent"] for row in tianyi("events", at=archive).rows}
    assert ("entries-unsigned", "copy-2") in codes(tianyi, archive)
