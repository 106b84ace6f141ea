"""tianyi signatures: which signatures tell formats, newer ones, and what would be identified otherwise by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.again import Drifted
from repository import edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.helping import Command
from repository.cli.naming import short
from repository.cli.screen import Json, Screen, counted, escape, printable
from repository.errors import BadRequest
from repository.signatures import Known

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Signatures of formats: newer ones, and what they would change.", no_args_is_help=True)
_COLUMNS = ["accession", "file", "was", "would_be", "basis"]


@app.command("list", cls=Command)
def list_signatures(context: typer.Context, json: AsJson = False) -> None:
    """Show which signatures tell formats, and which of them cannot be used."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        known = repository.signatures()
    screen.result(wire.signatures(known), lambda console: _show(console, known))


@app.command("import", cls=Command)
def import_signatures(
    context: typer.Context,
    signature_file: Annotated[Path, typer.Argument(metavar="DROID.xml", help="DROID's signature file.")],
    container_file: Annotated[Path, typer.Argument(metavar="CONTAINER.xml", help="Its container signature file.")],
    json: AsJson = False,
) -> None:
    """Tell formats by newer signatures of PRONOM from now on; what is on record stays as it is."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        known = repository.import_signatures(signature_file, container_file)
    screen.result(wire.signatures(known), lambda console: _show(console, known))


@app.command("drift", cls=Command)
def drift(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also what would stay.")] = False,
    droid: Annotated[
        Path | None, typer.Option(metavar="DROID.xml", help="Try a signature file without importing it.")
    ] = None,
    containers: Annotated[
        Path | None, typer.Option(metavar="CONTAINER.xml", help="The container signature file that belongs to it.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Identify everything again and report what would be of another format; nothing is changed."""
    screen = Screen(json=json)
    if (droid is None) != (containers is None):
        raise BadRequest("Signatures come in two files, and one was named.", "Give --droid and --containers.")
    unread: list[str] = []
    with opened(context, screen) as repository:
        found = repository.drift((droid, containers) if droid and containers else None)
        rows = _rows(found, screen, unread, everything=everything)
        screen.rows(rows, _COLUMNS, nothing="Nothing would be identified otherwise.", spare=["basis"])
    if unread:
        screen.warn(f"{counted(len(unread), 'file')} could not be read. `tianyi audit` tells what is wrong.")
    raise typer.Exit(edge.INCOMPLETE if unread else edge.DONE)


def _rows(found: Iterable[Drifted], screen: Screen, unread: list[str], *, everything: bool) -> Iterator[Json]:
    for one in found:
        if one.error:
            unread.append(one.path)
        if one.changed or one.error or everything:
            told = wire.drifted(one)
            yield told if screen.json else {**told, "file": short(one.path)}


def _show(console: Console, known: Known) -> None:
    when = f", imported {known.imported}" if known.imported else ""
    console.print(f"[bold]{escape(known.version)}[/]{when}")
    console.print(f"  {counted(known.puids, 'format')}, {counted(known.signatures, 'signature')}")
    for one in known.unusable:
        console.print(f"  cannot be used: {escape(printable(f'{one.puid} signature {one.id}: {one.reason}'))}")
