"""tianyi ingest: take in an accession."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ingest.pipeline import Receipt
from repository import edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.screen import Screen, printable, size


class Kind(StrEnum):
    FOLDER = "folder"
    BAG = "bag"


_COLOURS = {"accepted": "green", "held": "yellow", "rejected": "red"}
_SHOWN = 20  # findings on the screen


def ingest(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A folder, a BagIt bag, a zip or a tar.")],
    title: Annotated[str, typer.Option(help="The AIP's title.")] = "",
    producer: Annotated[str, typer.Option(help="Who delivers it.")] = "",
    metadata: Annotated[Path | None, typer.Option(help="Dublin Core as .json or .csv.")] = None,
    kind: Annotated[Kind | None, typer.Option("--as", help="What it is, where detection errs.")] = None,
    accept: Annotated[str, typer.Option("--accept-held", metavar="REASON", help="Why what is held is accepted.")] = "",
    json: AsJson = False,
) -> None:
    """Take in an accession: examine every file, decide by policy, keep it as an AIP."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        receipt = repository.ingest(
            path, title=title, producer=producer, metadata=metadata, kind=kind or "", override=accept
        )
    screen.result(wire.receipt(receipt), lambda console: _show(console, receipt))
    raise typer.Exit(exit_code(receipt))


def exit_code(receipt: Receipt) -> int:
    if receipt.outcome == "rejected":
        return edge.REJECTED
    return edge.INCOMPLETE if receipt.outcome == "held" or receipt.behind else edge.DONE


def _show(console: Console, receipt: Receipt) -> None:
    colour = _COLOURS[receipt.outcome]
    console.print(f"[bold]Accession {receipt.accession}[/] [{colour}]{receipt.outcome}[/] ({receipt.kind})")
    console.print(f"  {receipt.files:,} files, {size(receipt.size)}, of which {size(receipt.new_bytes)} new")
    if receipt.aip:
        console.print(f"  [cyan]{receipt.aip}[/] version {receipt.version}")
    for found in receipt.findings[:_SHOWN]:
        where = f" [bold]{escape(printable(found.path))}[/]" if found.path else ""
        console.print(f"  [dim]{found.severity.value:7} {found.code}[/]{where} {escape(printable(found.message))}")
    if receipt.findings_total > _SHOWN:
        console.print(f"  [dim]… {receipt.findings_total - _SHOWN:,} more findings in {escape(str(receipt.report))}[/]")
    if receipt.behind:
        console.print(f"[yellow]Behind:[/] {', '.join(sorted(receipt.behind))}. Mount it, then audit and repair.")
    if receipt.outcome == "held":
        console.print('[dim]→[/] Look at the findings; then ingest again with --accept-held "REASON", or return it.')
