"""Killed and interrupted at any moment: the old state or the new one, and nothing that was in flight stays."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.lock import locked
from tests.cli.test_orphans import processes

pytestmark = pytest.mark.slow  # kills

Tianyi = Callable[..., Any]
FILES = 300


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough small files, no two alike, that workers are started."""
    folder = tmp_path_factory.mktemp("source")
    for number in range(FILES):
        place = folder / f"{number % 20:02d}"
        place.mkdir(exist_ok=True)
        (place / f"{number}.txt").write_text(f"{number}\n" * (number % 50 + 1))
    return folder


def begun(repository: Path, *command: object, first: str = "") -> subprocess.Popen[str]:
    code = f"{first}\nfrom repository.cli import main; main()"
    line = [sys.executable, "-c", code, "-C", str(repository), *map(str, command)]
    return subprocess.Popen(
        [*line, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def ended(session: int) -> None:
    """Wait until its workers have died with it."""
    while any(processes(session)):
        time.sleep(0.01)


def left_over(repository: Path) -> list[Path]:
    """Work in flight, in the repository and beside its copies."""
    work = repository / "work"
    folders = [work / name for name in ("staging", "runs", "scratch", "intents", "copies/first", "copies/copy-2")]
    return [path for folder in folders if folder.is_dir() for path in folder.rglob("*")]


def whole(tianyi: Tianyi, repository: Path, expected: list[int]) -> None:
    """Whether what is listed is all there, and nothing is left over."""
    listed = tianyi("list", at=repository)
    assert (listed.code, [row["files"] for row in listed.rows]) == (0, expected)
    assert left_over(repository) == []
    audited = tianyi("audit", at=repository)
    assert (audited.code, audited.said["intact"]) == (0, audited.said["checked"])


def test_killed(tianyi: Tianyi, repository: Path, source: Path, tree: Any) -> None:
    before = tree(source)
    for done in (1, 2):  # the second one has its signatures ready, as those to come
        (source / "00" / "0.txt").write_text(f"version {done}\n")  # so that no version is like another
        started = time.monotonic()
        process = begun(repository, "ingest", source)
        assert json.loads(process.communicate()[0])["outcome"] == "accepted"
        lasts = time.monotonic() - started
    for number, part in enumerate((0.1, 0.3, 0.5, 0.8), 1):
        (source / "00" / "0.txt").write_text(f"kill {number}\n")
        process = begun(repository, "ingest", source)
        time.sleep(lasts * part)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        ended(process.pid)
        listed = tianyi("list", at=repository)
        done = len(listed.rows)  # what was committed before the kill stays
        assert [row["files"] for row in listed.rows] == [FILES] * done
        assert left_over(repository) == []
    assert done < 6
    process = begun(repository, "ingest", source)
    assert json.loads(process.communicate()[0])["outcome"] == "accepted"
    whole(tianyi, repository, [FILES] * (done + 1))
    assert tree(source).keys() == before.keys()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Something to migrate."""
    found = Path(__file__).parents[2] / "samples" / "accession" / "Pictures" / "BMP"
    return Path(shutil.copytree(found, tmp_path / "pictures"))


def test_any_command_killed_at_random_moments(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], pictures: Path, tmp_path: Path
) -> None:
    chance = random.Random(3)
    aip = tianyi("ingest", pictures, at=repository).said["aip"]
    pieces = sorted((copies[1] / "blobs").rglob("sha256/*/*"))
    commands = {"migrate": ["run"], "audit": [], "repair": [], "replicate": [], "export": [aip, tmp_path / "dip"]}
    for command, arguments in commands.items():
        for moment in (chance.uniform(0.2, 1.0), chance.uniform(0.4, 1.6)):
            if command in ("repair", "replicate"):
                chance.choice(pieces).unlink(missing_ok=True)
            process = begun(repository, command, *arguments)
            time.sleep(moment)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            ended(process.pid)
            [row] = tianyi("list", at=repository).rows
            assert row["versions"] in (1, 2)
            assert left_over(repository) == []
        if (tmp_path / "dip").exists():  # it came to its end before the kill: then it is whole
            assert (tmp_path / "dip" / "manifest-sha256.txt").is_file()
            shutil.rmtree(tmp_path / "dip")
        assert tianyi(command, *arguments, at=repository).code in (0, 3)  # an audit tells of what was removed
    tianyi("audit", at=repository)
    tianyi("repair", at=repository)
    whole(tianyi, repository, [2 * len(list(pictures.iterdir()))])
    assert tianyi("show", aip, at=repository).said["versions"] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tianyi: Tianyi, repository: Path, source: Path, number: int) -> None:
    process = begun(repository, "ingest", source)
    while process.poll() is None and not list((repository / "work" / "staging").glob("*/worklist.db")):
        time.sleep(0.01)  # until it is at work
    with locked(repository / "work" / "commit.lock", "the test"):  # however slow we are, it is not done before
        time.sleep(0.2)
        process.send_signal(number)
        out, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (130, "")
    assert {"code": "interrupted"}.items() <= json.loads(out.splitlines()[-1]).items()
    assert left_over(repository) == []  # it swept up itself, and finished what it had begun to commit
    listed = tianyi("list", at=repository)
    assert [row["files"] for row in listed.rows] in ([], [FILES])
    assert tianyi("ingest", "--resume", at=repository).code == 0
    whole(tianyi, repository, [FILES])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_until_what_is_kept_is_told(
    tianyi: Tianyi, repository: Path, source: Path, number: int
) -> None:
    interrupting = f"""
import os
from storage.commit import Committer
decide = Committer._decide
def interrupted(*arguments):
    decide(*arguments)
    os.kill(os.getpid(), {int(number)})
Committer._decide = interrupted"""
    process = begun(repository, "ingest", source, first=interrupting)
    out, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (130, "")
    assert json.loads(out)["outcome"] == "accepted"
    assert list((repository / "work" / "reports").glob("*.html"))
    assert tianyi("ingest", "--resume", at=repository).said == {"resumed": 0}
    whole(tianyi, repository, [FILES])
