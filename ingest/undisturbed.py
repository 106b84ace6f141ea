"""A stretch that no interrupt cuts short: from the commit of a delivery until its receipt is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Undisturbed:
    """Signals come to a process, so there is one for the process: who handles them asks whether it `lasts`, and lets
    them wait."""

    def __init__(self) -> None:
        self.lasts = False

    def begin(self) -> None:
        """From now on what was begun is done, to the end of the block around it."""
        self.lasts = True

    @contextmanager
    def at_most_here(self) -> Iterator[None]:
        """Surround what may begin it, and ends it."""
        try:
            yield
        finally:
            self.lasts = False


undisturbed = Undisturbed()
