"""tianyi validate: a package's checks alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest import sip_bag_profile
from ingest import standards as files
from ingest.validation import Validation
from ingest.validation import validate as validated
from policies.document import load
from repository import config, edge, wire
from repository.cli.app import AsJson, chosen
from repository.cli.ingest import Kind, Manifest
from repository.cli.screen import Screen, escape, printable
from repository.errors import NoRepository
from repository.workers import workers

if TYPE_CHECKING:
    from rich.console import Console

Standards = Annotated[
    Path | None,
    typer.Option("--standards", metavar="DIR", envvar="TIANYI_STANDARDS", exists=True, file_okay=False,
                 help="Where schemas and JSON-LD contexts lie; else as tianyi.toml says."),
]  # fmt: skip
_VERDICTS = {
    True: ("[green]valid[/]", edge.DONE),
    False: ("[red]not valid[/]", edge.REJECTED),
    None: ("[yellow]not checked[/]", edge.INCOMPLETE),
}


def validate(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A package: a folder, a zip, a tar or a 7z.")],
    kind: Annotated[Kind | None, typer.Option("--as", help="What it is, where detection errs.")] = None,
    manifest: Manifest = None,
    standards: Standards = None,
    profile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The BagIt Profile that a bag has to keep to.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Check a package by its standard's rules, or by its list of digests; needs no repository, keeps nothing."""
    screen = Screen(json=json)
    result = validated(
        path, load(None).ingest, workers, kind or "", manifest, screen.progress(context), now=datetime.now(UTC),
        standards=_standards(context, standards), profile=sip_bag_profile.load(profile) if profile else None,
    )  # fmt: skip
    screen.result(wire.validation(result), lambda console: _show(console, result))
    raise typer.Exit(_VERDICTS[result.valid][1])


def _standards(context: typer.Context, folder: Path | None) -> files.Standards:
    """Those of the repository, where the command is given in one or names one; a folder that is named goes before."""
    try:
        known = config.load(chosen(context)).standards
    except NoRepository:
        known = files.NO_STANDARDS
    return replace(known, folder=folder) if folder else known


def _show(console: Console, result: Validation) -> None:
    console.print(f"{result.kind}: {_VERDICTS[result.valid][0]}")
    for found in result.findings[: wire.CAPPED]:
        where = f" [bold]{escape(printable(found.path))}[/]" if found.path else ""
        console.print(f"  {found.severity.value:7} [dim]{found.code}[/]{where} {escape(printable(found.message))}")
    if len(result.findings) > wire.CAPPED:
        console.print(f"  [dim]… {len(result.findings) - wire.CAPPED:,} more[/]")
