"""tianyi list, show, files, search, events: what is held and what happened."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from repository import wire
from repository.cli.app import AsJson, opened
from repository.cli.screen import Screen, printable, size
from repository.holdings import Aip, Version

AipArgument = Annotated[str, typer.Argument(metavar="AIP", help="urn:uuid:… or an accession number (2026-0001).")]
_COLUMNS = ["accession", "title", "versions", "files", "bytes", "aip"]


def list_aips(context: typer.Context, json: AsJson = False) -> None:
    """List what is held, by accession."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        screen.rows(map(wire.aip, repository.aips()), _COLUMNS, nothing="Nothing is held yet.")


def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(help="Words of title, producer, description or file names.")],
    json: AsJson = False,
) -> None:
    """Find AIPs in which every word occurs."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        screen.rows(map(wire.aip, repository.search(" ".join(words))), _COLUMNS, nothing="Nothing was found.")


def show(context: typer.Context, aip: AipArgument, json: AsJson = False) -> None:
    """Show an AIP and its versions."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        found, versions = repository.show(aip)
    screen.result(wire.shown(found, versions), lambda console: _show(console, found, versions))


def _show(console: Console, found: Aip, versions: list[Version]) -> None:
    console.print(f"[bold]{escape(printable(found.title))}[/]")
    console.print(f"  [cyan]{found.aip}[/]")
    console.print(f"  accession {found.accession}, {found.files:,} files, {size(found.bytes)}")
    if found.producer:
        console.print(f"  from {escape(printable(found.producer))}")
    for version in versions:
        told = f"{version.created}  {version.reason} by {version.agent}"
        console.print(f"  version {version.version}  {escape(told)}  {version.files:,} files, {size(version.bytes)}")


def files(
    context: typer.Context,
    aip: AipArgument,
    everything: Annotated[bool, typer.Option("--all", help="Also the metadata and tag files of its bag.")] = False,
    json: AsJson = False,
) -> None:
    """List an AIP's files with size, digest and format."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        rows = map(wire.file, repository.files(aip, everything=everything))
        screen.rows(rows, ["path", "size", "puids", "mime"], nothing="It has no files.")


def events(
    context: typer.Context,
    aip: Annotated[str, typer.Argument(metavar="AIP", help="Only what happened to this AIP.")] = "",
    json: AsJson = False,
) -> None:
    """Tell what happened, in order."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        rows = map(wire.happened, repository.events(aip))
        screen.rows(rows, ["time", "type", "outcome", "agent", "object"], nothing="Nothing has happened yet.")
