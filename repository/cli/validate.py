"""tianyi validate: a package's checks alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ingest.validation import Validation
from ingest.validation import validate as validated
from policies.document import load
from repository import edge, wire
from repository.cli.app import AsJson
from repository.cli.ingest import Kind, Manifest
from repository.cli.screen import Screen, printable
from repository.workers import workers


def validate(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A package: a folder, a zip, a tar or a 7z.")],
    kind: Annotated[Kind | None, typer.Option("--as", help="What it is, where detection errs.")] = None,
    manifest: Manifest = None,
    json: AsJson = False,
) -> None:
    """Check a package by its standard's rules, or by its list of digests; needs no repository, keeps nothing."""
    screen = Screen(json=json)
    result = validated(path, load(None).ingest, workers, kind or "", manifest, screen.progress(), now=datetime.now(UTC))
    screen.result(wire.validation(result), lambda console: _show(console, result))
    raise typer.Exit(edge.DONE if result.valid else edge.REJECTED)


def _show(console: Console, result: Validation) -> None:
    console.print(f"{result.kind}: " + ("[green]valid[/]" if result.valid else "[red]not valid[/]"))
    for found in result.findings[: wire.CAPPED]:
        where = f" [bold]{escape(printable(found.path))}[/]" if found.path else ""
        console.print(f"  {found.severity.value:7} [dim]{found.code}[/]{where} {escape(printable(found.message))}")
    if len(result.findings) > wire.CAPPED:
        console.print(f"  [dim]… {len(result.findings) - wire.CAPPED:,} more[/]")
