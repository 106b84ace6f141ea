"""A bound on the time of work that reads hostile bytes in this process: patterns can be made to backtrack for hours."""

from __future__ import annotations

import signal
import threading
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from types import FrameType, TracebackType

PATIENCE = 20.0  # seconds for the identification of one file; a usual one takes less than a thousandth


class TookTooLong(Exception):
    """The work was stopped at its bound."""


def at_most(seconds: float) -> AbstractContextManager[None]:
    """Raise TookTooLong in the block when it takes longer (wall clock; `re` looks for signals while it matches).

    Signals reach the main thread only: elsewhere the block runs unbounded. Blocks do not nest: the inner ends both.
    """
    if threading.current_thread() is not threading.main_thread():
        return nullcontext()
    _listen()
    return _Bound(seconds)


class _Bound(AbstractContextManager[None]):
    """No generator: it surrounds the identification of each file."""

    __slots__ = ("_seconds",)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


@cache
def _listen() -> None:
    """From now on for as long as the process lives: to change what a signal does takes longer than most blocks."""
    signal.signal(signal.SIGALRM, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TookTooLong
