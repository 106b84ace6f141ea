"""tianyi migrate: plan and carry out format migrations by policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import typer
from rich.cells import cell_len

from repository import Repository, edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.ending import followed
from repository.cli.helping import Command
from repository.cli.naming import short
from repository.cli.screen import Json, Screen, dumps, escape, printable

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Migrate formats by policy, with proof; originals are kept.", no_args_is_help=True)


@app.command("plan", cls=Command)
def plan(context: typer.Context, json: AsJson = False) -> None:
    """Show what the policy would migrate, and why; nothing is changed."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        _tell(screen, map(wire.planned, repository.migrate_plan()), repository)


@app.command("run", cls=Command)
def run(context: typer.Context, json: AsJson = False) -> None:
    """Convert, identify again, compare pixel by pixel, and commit what is equal as a new version."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.migrate()
        _tell(screen, map(wire.migration, done), repository)
    code = followed(screen, frozenset().union(*(one.behind for one in done)))
    raise typer.Exit(code if all(one.equal for one in done) else edge.INCOMPLETE)


def _tell(screen: Screen, rows: Iterable[Json], repository: Repository) -> None:
    if screen.json:
        for row in rows:
            print(dumps(row))
        return
    groups: dict[str, list[Json]] = {}
    for row in rows:
        groups.setdefault(row["reason"], []).append(row)
    accessions = {one.aip: one.accession for one in repository.aips()}
    for reason, some in groups.items():
        _show(screen.console, reason, some, accessions)
    if not groups:
        screen.console.print("The policy asks for no migration.")


def _show(console: Console, reason: str, rows: list[Json], accessions: Mapping[str, str]) -> None:
    """A reason, and below it the files that it is about."""
    console.print(escape(printable(reason)))
    names = [printable(short(row["path"])) for row in rows]
    width = max(map(cell_len, names))
    for row, name in zip(rows, names, strict=True):
        line = f"  {accessions.get(row['aip'], row['aip'])}  {escape(name)}{' ' * (width - cell_len(name))}"
        console.print(f"{line}  {row['from']} → {row['to'] or 'nothing'}{_proved(row)}")


def _proved(row: Json) -> str:
    if row["equal"] is None:
        return ""
    equal = "[green]equal yes[/]" if row["equal"] else "[red]equal no[/]"
    return f"  {equal}" + (f"  [dim]{escape(row['tool'])}[/]" if row["tool"] else "")
