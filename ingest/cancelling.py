"""Asking a run to stop: whoever cancels an accession holds a kernel lock, and the run that is at work on it looks.

No signal is sent and no process is named; where whoever asked is gone, the asking is gone with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import Cancelled
from storage.lock import is_held, locked
from storage.parallel import Workers


@contextmanager
def asking(work: Path, accession: str, patience: float) -> Iterator[None]:
    """Ask as long as the block lasts; raise Locked where somebody else is cancelling it."""
    mark = _mark(work, accession)
    mark.parent.mkdir(exist_ok=True)
    with locked(mark, f"the cancelling of {accession}", patience):
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)


def unheeded() -> None:
    """For work that nobody asks to stop."""


def heed(work: Path, accession: str, abandoned: Path) -> None:
    """Raise Cancelled where somebody asks that the work on an accession stops, or the run has given up already."""
    if is_held(_mark(work, accession)) or abandoned.exists():
        raise Cancelled(accession)


def heeding(workers: Workers, abandoned: Path) -> Workers:
    """Executors whose workers are told by the file `abandoned` when an exception leaves the block: an interrupt, which
    they do not get, waits for no large file to be read to its end."""

    @contextmanager
    def executor(files: int, size: int) -> Iterator[Executor]:
        with workers(files, size) as opened:
            try:
                yield opened
            except BaseException:
                abandoned.touch()
                raise

    return executor


def _mark(work: Path, accession: str) -> Path:
    return work / "cancelling" / accession
