"""Job processes, one at a time, and the way to stop them.

Why processes: an audit of a large vault takes days. A process can be abandoned at once by a signal, as any command
can (a thread cannot), its crash or its hunger for memory is not the scheduler's, and what it held is gone with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from repository import edge, job
from repository.jobs import Run

_PATIENCE = 8.0  # seconds for a job to let go; containers are killed after 10. A kill is safe too
HOURS_OVER = {"code": "hours-over", "message": "Its hours are over; it goes on in the next ones."}


class JobProcesses:
    """Starts a process for each run. `run` is called in a thread that outlives the call: the process dies with it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self, folder: str, name: str, limit: float | None = None, hours: float | None = None) -> Run:
        """Run a job to its end; its failure, crash or interruption is an answer.

        One at work after `limit` seconds hangs, and is stopped; after `hours` (seconds too) it is abandoned.
        """
        command = [sys.executable, "-P", "-m", "repository.job", folder, name, str(os.getpid())]
        with self._lock:
            if self._stopping:
                return Run(name, "interrupted", {})
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            self._running = process
        given = min((time for time in (limit, hours) if time is not None), default=None)
        try:
            output, _ = process.communicate(timeout=given)
        except subprocess.TimeoutExpired:
            return self._cut_short(process, Path(folder), name, given if given == limit else None)
        return self._answer(Path(folder), name, output, process.returncode)

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """End the running job, and let none begin for as long as the block lasts."""
        with self._lock:
            self._stopping, process = True, self._running
        try:
            if process is not None:
                _end(process)
            yield
        finally:
            self._stopping = False

    def _cut_short(self, process: subprocess.Popen[bytes], folder: Path, name: str, limit: float | None) -> Run:
        """End a run: one that hangs is written down, one whose hours are over is due again in the next ones."""
        _end(process)
        if process.stdout:
            process.stdout.close()
        if limit is None:
            return Run(name, "interrupted", HOURS_OVER)
        how = f"It was still at work after {limit:,.0f} seconds, its limit, and was stopped."
        return job.note_lost(folder, name, how, "stopped", "job-limit", int(limit))

    def _answer(self, folder: Path, name: str, output: bytes, code: int) -> Run:
        if code == edge.DONE:
            with suppress(ValueError, IndexError):
                return Run(name, **json.loads(output.splitlines()[-1]))
        if code == edge.INTERRUPTED or self._stopping:
            return Run(name, "interrupted", {})
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return job.note_lost(folder, name, f"The job's process ended with {how} and gave no account of itself.")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, then kill it; one that a dead disk holds in the kernel is not waited for."""
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
