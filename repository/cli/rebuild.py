"""tianyi rebuild: the catalogue, from the vault alone."""

from __future__ import annotations

import typer

from repository.cli.app import AsJson, opened
from repository.cli.screen import Screen


def rebuild(context: typer.Context, json: AsJson = False) -> None:
    """Make the catalogue again from the vault alone."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        counts = repository.rebuild()
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    screen.result(dict(counts), lambda console: console.print(f"[green]Catalogue rebuilt:[/] {told}"))
