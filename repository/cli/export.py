"""tianyi export: give out a dissemination package."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ingest.finding import Severity
from repository import edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.holdings import AipArgument
from repository.cli.screen import Screen, counted, escape, printable, size
from repository.dip_contents import Link

_SHOWN = 5  # findings on the screen


class Form(StrEnum):
    BAG = "bag"
    ROCRATE = "rocrate"
    FOLDER = "folder"
    OCFL = "ocfl"


class Names(StrEnum):
    PORTABLE = "portable"
    RFC = "rfc"


class Sharing(StrEnum):
    REFLINK = "reflink"
    HARD = "hard"


def export(
    context: typer.Context,
    aip: AipArgument,
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="A folder that is not there yet, or an OCFL root.")],
    form: Annotated[Form, typer.Option("--as", help="The form of the package.")] = Form.BAG,
    version: Annotated[int | None, typer.Option(metavar="N", min=1, help="Default: the newest.")] = None,
    names: Annotated[Names, typer.Option(help="A bag's names: those that tools can check, or as they are.")] = (
        Names.PORTABLE
    ),
    link: Annotated[
        Sharing | None,
        typer.Option(help="Share bytes with the vault: reflink, where the file system can; hard, never to be changed."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Give out an AIP as a bag, an RO-Crate, a folder or an OCFL object, every byte checked on the way."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        dip = repository.export(
            aip, dest, form.value, version=version, portable=names is Names.PORTABLE, link=Link(link or "")
        )
        bad = sorted({copy for copy, _ in repository.bad_reads})
    told = {**wire.dip(dip), "bad_copies": bad, "noted": not repository.changed}
    held = f"{counted(dip.files, 'file')}, {size(dip.size)}"
    line = f"[green]{dip.form}[/] {escape(str(dip.path))}: {held}, every byte checked"
    screen.result(told, lambda console: console.print(line))
    for found in dip.findings[:_SHOWN]:
        screen.warn(f"{found.code} {printable(found.path)} {printable(found.message)}")
    if len(dip.findings) > _SHOWN:
        screen.warn("There are more, which --json tells.")
    if repository.changed:
        screen.warn("It was given out, and no entry of the ledger tells of it.")
    if link is Sharing.HARD:
        screen.warn(f"Nothing in {dest} may be changed: its files are the vault's own.")
    for left in dip.leftovers:
        screen.warn(f"{printable(str(left))} was left by an export that was killed. → Look into it, and remove it.")
    if bad and not json:
        screen.errors.print(f"[yellow]Copies with bad bytes were passed over: {', '.join(bad)}.[/] → tianyi audit")
    whole = all(found.severity is not Severity.ERROR for found in dip.findings)
    raise typer.Exit(edge.INCOMPLETE if repository.changed or not whole else edge.DONE)
