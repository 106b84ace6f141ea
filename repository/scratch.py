"""Folders for what is tried out and thrown away: gone on leaving, and with the next start after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from storage import durable
from storage.staging import running


@contextmanager
def scratch(work: Path, run: str, *places: Path) -> Iterator[list[Path]]:
    """A folder called `run` in each of the places (by default one, in the repository's own), held by that run's mark.

    What is made in a place is removed again, the place itself where it was missing. Raises Locked or OSError.
    """
    with running(run, work), ExitStack() as stack:
        yield [stack.enter_context(_folder(place / run)) for place in places or (work / "staging",)]


@contextmanager
def _folder(folder: Path) -> Iterator[Path]:
    made = durable.make_folders(durable.DISK, folder)
    try:
        yield folder
    finally:
        durable.remove_tree(durable.DISK, folder)
        for above in reversed(made[:-1]):
            above.rmdir()
