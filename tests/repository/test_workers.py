"""A crew of workers: the same from one step to the next, and nothing of a step goes on beyond it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from repository import workers
from repository.errors import WorkerLost
from repository.workers import LITTLE_FILES, crew
from storage.parallel import Inline

MANY = 20


def slow(mark: Path) -> int:
    time.sleep(0.1)
    mark.touch()
    return os.getpid()


def test_little_is_done_here() -> None:
    with crew() as executors, executors(1, 0) as executor:
        assert isinstance(executor, Inline)


def test_workers_stay_and_a_step_leaves_nothing_under_way(tmp_path: Path) -> None:
    pids = []
    with crew(os.getpid) as executors:
        for step in range(2):
            marks = [tmp_path / f"{step}-{number}" for number in range(MANY)]
            with executors(LITTLE_FILES, 0) as executor:
                futures = [executor.submit(slow, mark) for mark in marks]
            assert all(mark.exists() for mark in marks)
            pids.append({future.result() for future in futures})
    assert pids[0] & pids[1]
    assert os.getpid() not in pids[0] | pids[1]


def test_what_is_called_off_is_not_waited_for(tmp_path: Path) -> None:
    with crew() as executors, executors(LITTLE_FILES, 0) as executor:
        futures = [executor.submit(slow, tmp_path / str(number)) for number in range(MANY)]
        executor.shutdown(cancel_futures=True)
        assert all(future.done() for future in futures)
        assert any(future.cancelled() for future in futures)


def test_a_worker_that_is_killed_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkerLost), crew() as executors, executors(LITTLE_FILES, 0) as executor:
        executor.submit(os.kill, executor.submit(os.getpid).result(), 9).result()


def test_one_that_is_killed_after_others_were_called_off_holds_nobody_up(tmp_path: Path) -> None:
    """As where a group of processes is ended: the pool met what was called off, and waited for its others for ever."""
    before = time.monotonic()
    with pytest.raises(WorkerLost):
        _called_off_and_killed(tmp_path)
    assert time.monotonic() - before < 10


def _called_off_and_killed(folder: Path) -> None:
    with crew() as executors, executors(LITTLE_FILES, 0) as executor:
        pid = executor.submit(os.getpid).result()
        futures = [executor.submit(slow, folder / str(number)) for number in range(10 * MANY)]
        for future in futures[MANY:]:
            future.cancel()
        os.kill(pid, signal.SIGKILL)
        futures[MANY - 1].result()


def test_a_crew_that_cannot_begin_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the fork server was killed."""

    def refused(**arguments: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(workers._CONTEXT, "Process", refused)
    with pytest.raises(WorkerLost), crew(os.getpid):
        pass
