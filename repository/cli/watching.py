"""tianyi ingest --watch: take in what is put into a drop folder, until told to stop."""

from __future__ import annotations

import signal
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
from repository.cli.screen import Screen, dumps, escape, printable
from repository.drops import Drop, DropFolder, Said

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
        folder, config.load(repository.absolute()).work, opens, time.monotonic, time.sleep, settle, said
    )
    try:
        with _until_stopped(), closing(watched.watch(once=once)) as drops:
            if not screen.json and not once:
                screen.errors.print(f"[dim]Watching {escape(printable(str(folder)))}. Ctrl-C stops.[/]")
            for drop in drops:
                _tell(screen, drop, show)
                codes.add(_code(drop, exit_code))
                if ending.CAME:
                    raise Stopped
    except Stopped:
        if not screen.json:
            screen.errors.print("[dim]Stopped. What was under way is gone on with at the next start.[/]")
        return edge.DONE
    return min(codes - {edge.DONE}, default=edge.DONE)


def _code(drop: Drop, exit_code: Callable[[Receipt], int]) -> int:
    if isinstance(drop.result, Receipt):
        return exit_code(drop.result)
    told = edge.tell(drop.result)
    return told.edge.exit if told else edge.FAULT


def _tell(screen: Screen, drop: Drop, show: Callable[[Console, Receipt], None]) -> None:
    """One line for each as JSON, at once: whoever reads it may be a pipe."""
    value = wire.drop(drop)
    if screen.json:
        print(dumps(value), flush=True)
        return
    screen.console.print(f"[dim]{escape(printable(value['entry']))}[/]")
    if isinstance(drop.result, Receipt):
        show(screen.console, drop.result)
    else:
        screen.error(value["code"], value["message"], value["next"])


@contextmanager
def _until_stopped() -> Iterator[None]:
    """SIGTERM raises Stopped while the block lasts."""

    def stop(number: int, frame: FrameType | None) -> None:
        if not undisturbed.lasts:
            raise Stopped
        ending.CAME.append(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
