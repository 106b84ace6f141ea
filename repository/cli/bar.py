"""How far a command has come, for people who wait at a terminal. Rich's bars are imported when one appears."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from repository.words import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

PATIENCE = 1.0  # seconds before it appears


class Bar:
    """A progress bar with rate and time left (storage.progress.Progress), on a terminal, after a second."""

    def __init__(self, console: Callable[[], Console]) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._what, self._files, self._size, self._done, self._bytes, self._since = "", 0, 0, 0, 0, 0.0

    def begin(self, what: str, files: int, size: int) -> None:
        self.end()
        self._what, self._files, self._size = what, files, size
        self._done = self._bytes = 0
        self._since = time.monotonic()

    def advance(self, files: int, size: int) -> None:
        self._done, self._bytes = self._done + files, self._bytes + size
        if self._bar is None and time.monotonic() - self._since > PATIENCE and self._console().is_terminal:
            self._start()
        if self._bar is not None:
            count = f"{self._done:,} of {self._files:,} files" if self._files else counted(self._done, "file")
            if not self._size:  # else the bytes have a rate
                count += f", {self._done / (time.monotonic() - self._since):,.0f}/s"
            self._bar.update(self._bar.task_ids[0], completed=self._bytes or self._done, count=count)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self) -> None:
        from repository.cli.bar_columns import bar

        self._bar = bar(self._console(), rated=bool(self._size))
        self._bar.add_task(self._what, total=self._size or self._files or None, count="")
        self._bar.start()
