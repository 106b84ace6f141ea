"""The parent alone is killed while its workers are at work: they end with it, and write no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # kills

Tianyi = Callable[..., Any]
FILES = 500


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Enough for workers to be started, and to be still at it when they are seen."""
    folder = tmp_path / "source"
    for number in range(FILES):
        path = folder / f"{number % 20:02d}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n" * (number % 50 + 1))
    return folder


def processes(session: int) -> Iterator[int]:
    """Yield every living process of a session."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, _, its = (folder / "stat").read_text().rpartition(") ")[2].split()[:4]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(its) == session and state != "Z":
                yield int(folder.name)


def orphaned(repository: Path, *arguments: object) -> None:
    """Begin a command, kill it alone when its workers are there, and wait until those are gone too."""
    line = [sys.executable, "-c", "from repository.cli import main; main()", "-C", str(repository)]
    begun = subprocess.Popen(
        [*line, *map(str, arguments), "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    while begun.poll() is None and len(list(processes(begun.pid))) < 4:  # itself, two of Python's own, and a worker
        time.sleep(0.01)
    assert begun.poll() is None, "it was done before its workers were seen"
    os.kill(begun.pid, signal.SIGKILL)
    begun.wait()
    for _ in range(500):
        if not (left := list(processes(begun.pid))):
            return
        time.sleep(0.02)
    for process in left:
        os.kill(process, signal.SIGKILL)
    pytest.fail(f"{len(left)} processes outlived the parent")


def test_workers_end_with_their_parent(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], source: Path, tree: Callable[[Path], Any]
) -> None:
    orphaned(repository, "ingest", source)
    still = tree(repository.parent)
    time.sleep(0.5)
    assert tree(repository.parent) == still
    assert tianyi("list", at=repository).rows == []
    assert tianyi("ingest", source, at=repository).code == 0
    orphaned(repository, "audit")
    for blob in sorted((copies[1] / "blobs").rglob("sha256/*/*"))[::2]:
        blob.unlink()
    for record in copies[1].rglob("v1.json"):
        record.unlink()
    orphaned(repository, "replicate")
    assert tianyi("replicate", at=repository).code == 0
    audited = tianyi("audit", at=repository)
    assert (audited.code, audited.said["intact"]) == (0, audited.said["checked"])
    spaces = [repository / "work" / name for name in ("staging", "runs", "scratch", "intents", "copies/copy-2")]
    assert [path for space in spaces for path in space.rglob("*")] == []
