"""Several accessions at once: processes at work on one repository, with the same files, and one killed in between."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repository import Repository
from tests.conftest import Tianyi
from tests.crash.scene import each_once_and_whole, leftovers

SHARED, OWN = 260, 40  # files: enough for workers to be started


def deliver(folder: Path, number: int, shared: int = SHARED, own: int = OWN) -> Path:
    """A delivery: most files are the same in all, in another order of names each."""
    folder.mkdir()
    for file in range(shared):
        (folder / f"{(file * 7 + number * 11) % shared:04d}.txt").write_text(f"shared {file}\n" * 9)
    for file in range(own):
        (folder / f"own {file}.txt").write_text(f"delivery {number}, file {file}\n")
    return folder


def begun(repository: Path, *command: object) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", "from repository.cli import main; main()", "-C", str(repository), *map(str, command)]
    return subprocess.Popen([*line, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def whole(tianyi: Tianyi, repository: Path, expected: int) -> None:
    """Every version is there, once, in every copy; audits find all intact, and a rebuild gives the same answers."""
    audited = tianyi("audit", at=repository)
    assert (audited.code, audited.said["intact"]) == (0, audited.said["checked"])
    before = [tianyi(verb, at=repository).rows for verb in ("list", "accessions")]
    assert len(before[0]) == expected
    assert tianyi("rebuild", at=repository).code == 0
    assert [tianyi(verb, at=repository).rows for verb in ("list", "accessions")] == before
    with Repository.open(repository) as opened:
        assert each_once_and_whole(opened)
    assert leftovers(repository) == []


def test_three_at_once(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    sources = [deliver(tmp_path / f"source-{number}", number, 12, 3) for number in range(3)]
    processes = [begun(repository, "ingest", source) for source in sources]
    answers = [(process.communicate(timeout=300), process.returncode) for process in processes]
    told = [json.loads(out) for (out, _), code in answers if not code]
    assert [code for _, code in answers] == [0, 0, 0], answers
    assert len({one["accession"] for one in told}) == len({one["aip"] for one in told}) == 3
    whole(tianyi, repository, 3)
    assert tianyi("audit", at=repository).said["extra"] == 0


@pytest.mark.slow
def test_three_at_once_and_one_is_killed(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    chance, held = random.Random(7), 0
    for turn in range(4):
        sources = [deliver(tmp_path / f"source-{turn}-{number}", 3 * turn + number) for number in range(3)]
        processes = [begun(repository, "ingest", source) for source in sources]
        victim = chance.choice(processes)
        time.sleep(chance.uniform(1.0, 6.0))
        os.kill(victim.pid, signal.SIGKILL)
        for process in processes:
            out, errors = process.communicate(timeout=300)
            assert process is victim or (process.returncode, errors) == (0, ""), (out, errors)
        resumed = tianyi("ingest", "--resume", at=repository)
        assert resumed.code == 0, resumed
        states = [row["state"] for row in tianyi("accessions", at=repository).rows]
        before, held = held, states.count("accepted")
        assert before + 2 <= held <= before + 3
        assert set(states) <= {"accepted", "interrupted"}  # killed before it was known where it lies
        whole(tianyi, repository, held)
