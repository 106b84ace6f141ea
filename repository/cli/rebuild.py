"""tianyi rebuild: the catalogue, from the vault alone."""

from __future__ import annotations

import typer

from repository import edge
from repository.cli.app import AsJson, opened
from repository.cli.screen import Screen, counted

_COUNTED = {"aip": "AIP", "version": "version", "file": "file"}


def rebuild(context: typer.Context, json: AsJson = False) -> None:
    """Make the catalogue again from the vault alone. Versions whose list of files no copy has whole are named: 3."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        counts, unread = repository.rebuild(), repository.unread()
    aips, versions, files = (counted(counts[f"{one}s"], name) for one, name in _COUNTED.items())
    told = f"{aips} in {versions}, {files}"
    told_of = [one._asdict() for one in unread]
    screen.result({**counts, "unread": told_of}, lambda console: console.print(f"[green]Catalogue rebuilt:[/] {told}"))
    for one in () if json else unread:
        screen.warn(
            f"What is in version {one.version} of {one.aip} is not known: no copy has {one.key} whole. → tianyi audit"
        )
    if unread:
        raise typer.Exit(edge.DAMAGE)
