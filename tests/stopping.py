"""A progress that stops the work that tells it how far it is."""

from __future__ import annotations

from collections.abc import Callable

from storage.progress import Progress


def interrupt() -> None:
    """As if somebody had pressed Ctrl-C."""
    raise KeyboardInterrupt


class Stops(Progress):
    """Lets so many files be done; `stop` is called by every one after them."""

    def __init__(self, files: int, stop: Callable[[], object] = interrupt) -> None:
        self.left, self.stop = files, stop

    def begin(self, what: str, files: int, size: int) -> None: ...
    def end(self) -> None: ...

    def advance(self, files: int, size: int) -> None:
        self.left -= files
        if self.left < 0:
            self.stop()
