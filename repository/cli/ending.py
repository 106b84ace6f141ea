"""The end of a command: what it said is written out, or it is told that it could not be."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from repository import edge
from repository.cli.screen import Screen

CAME: list[int] = []  # signals that ask this process to stop


class Ended(Exception):
    """A command has ended, and has said all that there is to say; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def stop_if_asked() -> None:
    """Stop now that what was being kept is told, where somebody asked for that meanwhile."""
    if CAME:
        raise Ended(edge.INTERRUPTED)


def followed(screen: Screen, behind: Iterable[str]) -> int:
    """Warn of the copies that could not follow what was done; return the exit code that says so, or that all did."""
    if names := ", ".join(sorted(behind)):
        screen.warn(f"Copies are behind: {names}. `tianyi replicate` brings them up.")
    return edge.INCOMPLETE if names else edge.DONE


def is_closed(error: BaseException) -> bool:
    """Whether it comes of a reader that went away: typer and rich both make a SystemExit of that."""
    if isinstance(error, SystemExit) and error.__context__:
        error = error.__context__
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def open_closed() -> None:
    """What is said to a stream that was closed before we began goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # until the process ends


def written(screen: Screen, code: int) -> int:
    """Write out what was said; return the exit code, which a reader that went away does not change."""
    if _flushed(sys.stderr):
        discard(sys.stderr)
    if (error := _flushed(sys.stdout)) is None:
        return code
    discard(sys.stdout)
    if error.errno == errno.EPIPE:
        return code
    told = edge.tell(error)
    assert told is not None  # the table has OSError
    with suppress(OSError, SystemExit):
        screen.error(told.code, f"What was said could not be written. {told.message}", told.next, json=False)
    return code or edge.INCOMPLETE


def _flushed(stream: TextIO) -> OSError | None:
    try:
        stream.flush()
    except OSError as error:
        return error
    return None


def discard(stream: TextIO) -> None:
    """What is left of it goes nowhere, so that Python does not try again, and complain, when it ends."""
    with suppress(OSError, io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
