"""Asking a run to stop: whoever cancels an accession holds a kernel lock, and the run that is at work on it looks.

No signal is sent and no process is named; where whoever asked is gone, the asking is gone with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import Cancelled
from storage.lock import is_held, locked


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


def heed(work: Path, accession: str) -> None:
    """Raise Cancelled where somebody asks that the work on an accession stops."""
    if is_held(_mark(work, accession)):
        raise Cancelled(accession)


def _mark(work: Path, accession: str) -> Path:
    return work / "cancelling" / accession
