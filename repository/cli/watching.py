"""tianyi ingest --watch: take in what is put into a drop folder, until told to stop."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ingest.delivery import Receipt
from ingest.undisturbed import undisturbed
from repository import Repository, config, edge, wire
from repository.cli import ending
from repository.cli.screen import Screen, escape, printable
from repository.cli.telling import attempted, tell
from repository.drops import Drop, DropFolder, Said
from storage.names import escape_path

if TYPE_CHECKING:
    from rich.console import Console


class Stopped(BaseException):
    """SIGTERM came: whatever is under way is left to be gone on with."""


def watch(
    screen: Screen, repository: Path, opens: Callable[[], Repository], folder: Path, settle: float, said: Said, *,
    once: bool, show: Callable[[Console, Receipt], None], exit_code: Callable[[Receipt], int],
) -> int:  # fmt: skip
    """Tell of each delivery at once; return the exit code: of `once` the worst of its deliveries."""
    codes = set()
    watched = DropFolder(
        folder, config.load(repository.absolute()).work, opens, time.monotonic, time.sleep, settle, said, attempted
    )
    try:
        with _until_stopped(), closing(watched.watch(once=once)) as drops:
            if not screen.json and not once:
                screen.errors.print(f"[dim]Watching {escape(printable(str(folder)))}. Ctrl-C stops.[/]")
            for drop in drops:
                codes.add(_tell(screen, drop, show, exit_code))
                if ending.CAME:
                    raise Stopped
    except Stopped:
        if not screen.json:
            screen.errors.print("[dim]Stopped. What was under way is gone on with at the next start.[/]")
        return edge.DONE
    return min(codes - {edge.DONE}, default=edge.DONE)


def _tell(
    screen: Screen, drop: Drop, show: Callable[[Console, Receipt], None], exit_code: Callable[[Receipt], int]
) -> int:
    """One line for each as JSON, at once: whoever reads it may be a pipe. Return its exit code."""
    entry, result = escape_path(drop.name), drop.result
    if not screen.json:
        screen.console.print(f"[dim]{escape(printable(entry))}[/]")
    if isinstance(result, Receipt):
        screen.result({"entry": entry, **wire.receipt(result)}, lambda console: show(console, result))
        code = exit_code(result)
    else:
        code = tell(screen, result, entry=entry, outcome="refused")
    sys.stdout.flush()
    return code


@contextmanager
def _until_stopped() -> Iterator[None]:
    """SIGTERM raises Stopped while the block lasts."""

    def stop(number: int, frame: FrameType | None) -> None:
        ending.CAME.append(number)
        if not undisturbed.lasts:
            raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
