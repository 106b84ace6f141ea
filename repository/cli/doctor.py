"""tianyi doctor: what is installed, and whether the disks keep their promises."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from repository import Repository, config, edge, wire
from repository import doctor as examination
from repository.cli import doctor_drill
from repository.cli.app import AsJson, session
from repository.cli.screen import Screen, escape, printable
from repository.doctor_check import Check
from repository.errors import NoRepository

if TYPE_CHECKING:
    from rich.console import Console

_FAILED = {"error": "[red]✗[/]", "warning": "[yellow]![/]", "info": "[dim]–[/]"}


def doctor(
    context: typer.Context,
    drill: Annotated[
        bool, typer.Option("--drill", help="Damage a tiny repository beside the copies instead, and heal it.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Say what is installed, and whether the disks keep their promises; works without a repository."""
    screen = Screen(json=json)
    if drill:
        played = Repository.doctor_drill(_place(context))
        screen.result(wire.played(played), lambda console: doctor_drill.show(console, played))
        raise typer.Exit(doctor_drill.exit_code(played))
    checks = Repository.doctor(_place(context))
    screen.result({"checks": list(map(examination.wire, checks))}, lambda console: _show(console, checks))
    raise typer.Exit(edge.DONE if examination.is_well(checks) else edge.INCOMPLETE)


def _place(context: typer.Context) -> Path:
    """The repository named, or above here, else the folder that we are in."""
    named = session(context).folder or os.environ.get("TIANYI_REPOSITORY")
    if not named:
        try:
            return config.find(Path.cwd())
        except NoRepository:
            return Path.cwd()
    if not (folder := Path(named).absolute()).is_dir():
        raise NoRepository(str(folder))
    return folder


def _show(console: Console, checks: Sequence[Check]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in ("mark", "name", "found"):
        table.add_column(overflow="fold")
    for check in checks:
        mark = "[green]✓[/]" if check.ok else "[dim]–[/]" if check.ok is None else _FAILED[check.severity]
        table.add_row(mark, escape(printable(check.name)), _told(check))
    if not console.is_terminal:
        console.width = 10_000  # whoever reads a file or a pipe wants whole cells
    console.print(table, soft_wrap=False)


def _told(check: Check) -> str:
    lines = [escape(printable(line)) for line in check.found.splitlines()]
    if check.ok is False:
        lines += [escape(check.cost), f"[dim]→ {escape(check.next)}[/]"]
    return "\n".join(lines)
