"""tianyi drill: rehearse what one hopes never to need."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from repository import edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.helping import Command
from repository.cli.screen import Screen, counted, escape, printable, size
from repository.drill import Drilled

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Rehearse what one hopes never to need.", no_args_is_help=True)
_SHOWN = 20


@app.callback()
def drill() -> None: ...


@app.command("restore", cls=Command)
def restore(
    context: typer.Context,
    copy: Annotated[str, typer.Option(metavar="NAME", help="The copy to restore from; default: the last one.")] = "",
    sample: Annotated[int, typer.Option(metavar="N", min=1, help="How many AIPs.")] = 10,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Which AIPs: the same number chooses the same again.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Restore a random sample of AIPs from one copy alone into scratch, and compare them with what they have to be."""
    screen = Screen(json=json)
    chosen = int.from_bytes(os.urandom(4)) if seed is None else seed
    with opened(context, screen) as repository:
        done = repository.drill_restore(copy, sample=sample, seed=chosen)
    screen.result(wire.drilled(done, chosen), lambda console: _show(console, done, chosen))
    raise typer.Exit(edge.DAMAGE if done.differences else edge.DONE)


def _show(console: Console, done: Drilled, seed: int) -> None:
    verdict = f"[red]{done.different:,} different[/]" if done.differences else "[green]all identical[/]"
    console.print(
        f"{counted(done.aips, 'AIP')} restored from copy [cyan]{escape(done.copy)}[/] alone: {verdict};"
        f" {size(done.size)} written and read back (seed {seed})"
    )
    for one in islice(done.differences, _SHOWN):
        where = f"{one.aip} {printable(one.path)}".strip()
        console.print(f"  [red]different[/]  {escape(where)}: {escape(printable(one.why))}")
    if (more := len(done.differences) - _SHOWN) > 0:
        console.print(f"  and {more:,} more: see --json")
    if done.differences:
        console.print("[dim]→[/] tianyi audit, then tianyi repair")
