"""tianyi rebuild: the catalogue, from the vault alone."""

from __future__ import annotations

import typer

from repository.cli.app import AsJson, opened
from repository.cli.screen import Screen, counted

_COUNTED = {"aip": "AIP", "version": "version", "file": "file"}


def rebuild(context: typer.Context, json: AsJson = False) -> None:
    """Make the catalogue again from the vault alone."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        counts = repository.rebuild()
    aips, versions, files = (counted(counts[f"{one}s"], name) for one, name in _COUNTED.items())
    told = f"{aips} in {versions}, {files}"
    screen.result(dict(counts), lambda console: console.print(f"[green]Catalogue rebuilt:[/] {told}"))
