"""Where commands are run, and what lies there, is nothing that Tianyi's own code comes from or goes to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from repository.workers import LITTLE_FILES
from tests.conftest import Tianyi

SCRIPT = "from repository.cli import main; main()"
POISON = "import pathlib; pathlib.Path(__file__).with_name('ran').touch()\n"
MODULES = [
    "storage/__init__.py",
    "ingest/__init__.py",
    "ctypes.py",
    "multiprocessing/__init__.py",
    "signal.py",
    "zlib.py",
]


def test_nothing_in_the_current_folder_is_run(repository: Path, tmp_path: Path) -> None:
    """A producer's delivery may be the current folder."""
    source = tmp_path / "delivery"
    for name in MODULES:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(POISON)
    for number in range(LITTLE_FILES):  # so many that processes are started
        (source / f"{number}.txt").write_text(f"{number}\n")
    line = [sys.executable, "-P", "-c", SCRIPT, "-C", str(repository)]
    done = subprocess.run([*line, "ingest", ".", "--json"], cwd=source, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(source.rglob("ran")) == []


@pytest.mark.parametrize("name", ["p?x", "p#x", "p%41x", "p x&y=1"])
def test_a_repository_of_any_name_takes_things_in(tianyi: Tianyi, tmp_path: Path, name: str) -> None:
    (source := tmp_path / "source").mkdir()
    (source / "a.txt").write_text("a\n")
    repository = tmp_path / name
    assert tianyi("init", repository).code == 0
    assert [tianyi("ingest", source, at=repository).code for _ in range(2)] == [0, 0]
    assert sorted(os.listdir(tmp_path)) == sorted([name, "source"])


@pytest.mark.parametrize("linked", ["blobs", "aips", "one room"])
def test_a_copy_that_is_a_link_into_another_has_nothing(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], tmp_path: Path, linked: str
) -> None:
    """What is read through the link is the other copy: neither whole here nor written to from here."""
    (source := tmp_path / "source").mkdir()
    (source / "a.txt").write_text("a\n")
    assert tianyi("ingest", source, at=repository).code == 0
    first, second = copies
    room = linked if linked != "one room" else str(next((second / "blobs" / "sha256").iterdir()).relative_to(second))
    shutil.rmtree(second / room)
    (second / room).symlink_to(first / room)
    audited = tianyi("audit", at=repository)
    before = sorted((first / room).rglob("*"))
    assert audited.code == 3
    told = [found["why"] for found in audited.said["findings"] if found["outcome"] == "unreadable"]
    assert told
    assert all("no folder" in why for why in told)
    assert tianyi("replicate", at=repository).code != 0
    assert sorted((first / room).rglob("*")) == before
    (second / room).unlink()
    assert tianyi("replicate", at=repository).code == 0
    tianyi("repair", at=repository)
    assert tianyi("audit", at=repository).code == 0


def test_beside_rebuilds_everything_goes_on(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    (source := tmp_path / "source").mkdir()
    for number in range(20):
        (source / f"{number}.txt").write_text(f"{number}\n")
    assert tianyi("ingest", source, at=repository).code == 0
    line = [sys.executable, "-c", SCRIPT, "-C", str(repository)]
    commands = [verb for _ in range(3) for verb in ("rebuild", "list", "audit")]
    begun = [subprocess.Popen([*line, verb, "--json"], stdout=subprocess.PIPE, text=True) for verb in commands]
    answers = [(process.communicate(timeout=120)[0], process.returncode) for process in begun]
    assert [code for _, code in answers] == [0] * len(begun), [
        one[0][one[0].find("findings") :] for one in answers if one[1]
    ]
    assert tianyi("list", at=repository).rows[0]["files"] == 20
