"""How far a long work is, told to whoever listens; nobody does by default."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def begin(self, what: str, files: int, size: int) -> None:
        """A step begins: so many files and bytes are expected, 0 where it is not known."""

    def advance(self, files: int, size: int) -> None:
        """So many files and bytes more are done."""

    def end(self) -> None:
        """The step is done."""


class _Silent:
    def begin(self, what: str, files: int, size: int) -> None: ...
    def advance(self, files: int, size: int) -> None: ...
    def end(self) -> None: ...


SILENT: Progress = _Silent()
