"""tianyi metadata: an AIP described anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repository import wire
from repository.cli.app import AsJson, opened
from repository.cli.ending import followed
from repository.cli.holdings import AipArgument
from repository.cli.screen import Screen, escape, printable
from repository.description import Described

if TYPE_CHECKING:
    from rich.console import Console


def metadata(
    context: typer.Context,
    aip: AipArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Dublin Core as .json or .csv.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what FILE says; change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Describe an AIP anew: a new version with the Dublin Core of FILE in place of what it had."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.describe(aip, file, only_tell=dry_run)
    screen.result(wire.described(done), lambda console: _show(console, done, dry_run=dry_run))
    raise typer.Exit(followed(screen, done.behind))


def _show(console: Console, done: Described, *, dry_run: bool) -> None:
    for name, values in done.elements.items():
        console.print(f"  {name:12} {escape(printable('; '.join(values)))}")
    what = f"version {done.version}" if done.version else "nothing was changed" if dry_run else "it is so described"
    console.print(f"{done.aip}: {what}")
