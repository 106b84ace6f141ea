"""tianyi accessions, accept, return: every accession with its state, and what an officer decides of those held."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repository import wire
from repository.accession import Accession
from repository.cli.app import AsJson, opened
from repository.cli.completing import accession_numbers
from repository.cli.deletions import Reason
from repository.cli.ingest import exit_code, show
from repository.cli.screen import Screen, escape

if TYPE_CHECKING:
    from rich.console import Console

AccessionArgument = Annotated[
    str, typer.Argument(metavar="ACCESSION", help="Its number, as 2026-0001.", autocompletion=accession_numbers)
]


def accessions(context: typer.Context, json: AsJson = False) -> None:
    """List every accession with its state, and what somebody has to do now."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        rows = map(wire.accession, repository.accessions())
        columns = ["accession", "state", "title", "received", "aip"]
        screen.rows(rows, columns, nothing="Nothing was received yet.", spare=["aip", "received"], step="next")


def accept(
    context: typer.Context,
    accession: AccessionArgument,
    reason: Reason = "",
    source: Annotated[Path | None, typer.Option("--from", metavar="PATH", help="Where the delivery lies now.")] = None,
    json: AsJson = False,
) -> None:
    """Take in what is held, file by file as it was held."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        receipt = repository.accept(accession, reason, source)
    screen.result(wire.receipt(receipt), partial(show, receipt=receipt))
    raise typer.Exit(exit_code(receipt))


def give_back(context: typer.Context, accession: AccessionArgument, reason: Reason = "", json: AsJson = False) -> None:
    """Say that what is held, or was interrupted, is not taken in: it goes back to its producer."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.give_back(accession, reason)
    _show_end(screen, done)


def cancel(context: typer.Context, accession: AccessionArgument, reason: Reason = "", json: AsJson = False) -> None:
    """Stop the work on an accession, whoever is at it, or give up one that was interrupted: nothing of it is kept."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.cancel(accession, reason)
    _show_end(screen, done)


def _show_end(screen: Screen, done: Accession) -> None:
    def told(console: Console) -> None:
        console.print(f"Accession {done.accession} is {done.state}; nothing of it is kept.")
        console.print(f"[dim]→[/] The producer's report: {escape(done.report)}")

    screen.result(wire.accession(done), told)
