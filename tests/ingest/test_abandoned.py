"""A run that gives up waits for no worker to come to the end of a large file."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from ingest.cancelling import heed, heeding
from repository.workers import LITTLE_FILES, workers

MANY = 2_000  # parts of a file; nobody waits for so many


def read_on(work: Path, abandoned: Path, begun: Path, ended: Path) -> None:
    """Reads a large file, as a worker does."""
    for _ in range(MANY):
        begun.touch()
        heed(work, "2026-0001", abandoned)
        time.sleep(0.01)
    ended.touch()


def test_an_interrupt_is_passed_on_to_workers(tmp_path: Path) -> None:
    abandoned, begun, ended = (tmp_path / name for name in ("abandoned", "begun", "ended"))

    def interrupted() -> None:
        with heeding(workers, abandoned)(LITTLE_FILES, 0) as executor:
            executor.submit(partial(read_on, tmp_path, abandoned, begun, ended))
            for _ in range(MANY):
                if begun.exists():
                    break
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (begun.exists(), abandoned.exists(), ended.exists()) == (True, True, False)


def test_one_that_comes_to_its_end_abandons_nothing(tmp_path: Path) -> None:
    with heeding(workers, tmp_path / "abandoned")(1, 0) as executor:
        assert executor.submit(int, "7").result() == 7
    assert list(tmp_path.iterdir()) == []
