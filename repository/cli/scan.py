"""tianyi scan: what is held, scanned for viruses again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.scan import Outcome
from repository import edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.naming import named
from repository.cli.screen import Screen, counted, escape, printable, size
from repository.holdings import Behind
from repository.rescan import Scanned
from storage.layout import blob_key

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 20
_COLOURS = {Outcome.INFECTED: "red", Outcome.NOT_SCANNED: "yellow"}


def scan(
    context: typer.Context,
    aip: Annotated[str, typer.Option(metavar="AIP", help="Only this AIP's files.")] = "",
    json: AsJson = False,
) -> None:
    """Read every file that is held again, and show it to the virus scanner."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.scan(aip)
        told = wire.scanned(done, repository.behind)
        screen.result(told, lambda console: _show(console, done, repository.behind))
    raise typer.Exit(edge.DONE if done.outcome == "pass" else edge.INCOMPLETE)


def _show(console: Console, done: Scanned, behind: Callable[[str], Behind]) -> None:
    infected = f"[red]{done.infected:,} infected[/]" if done.infected else "[green]none infected[/]"
    left = f", [yellow]{done.not_scanned:,} not scanned[/]" if done.not_scanned else ""
    console.print(
        f"{counted(done.scanned, 'file')} scanned: {infected}{left}; {size(done.size)} read"
        f"  [dim]{escape(printable(str(done.engine)))}[/]"
    )
    for seen in islice(done.findings, _SHOWN):
        key, outcome = blob_key(seen.blob.digest), seen.verdict.outcome
        what = f"[{_COLOURS[outcome]}]{outcome}[/]"
        console.print(f"  {what}  {named(key, behind(key))}: {escape(printable(seen.verdict.told))}")
    if (more := len(done.findings) - _SHOWN) > 0:
        console.print(f"  [dim]… {more:,} more: see --json[/]")
    if not done.engine.tells_limits:
        console.print("[yellow]clamd keeps its limits to itself[/]: what it calls clean may be unread")
        console.print("[dim]→[/] Set AlertExceedsMax in clamd.conf; scan again.")
