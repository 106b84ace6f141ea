"""tianyi migrate: plan and carry out format migrations by policy."""

from __future__ import annotations

import typer

from repository import edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.screen import Screen

app = typer.Typer(help="Migrate formats by policy, with proof; originals are kept.", no_args_is_help=True)


@app.command("plan")
def plan(context: typer.Context, json: AsJson = False) -> None:
    """Show what the policy would migrate, and why; nothing is changed."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        rows = map(wire.planned, repository.migrate_plan())
        screen.rows(rows, ["aip", "path", "from", "to", "reason"], nothing="The policy asks for no migration.")


@app.command("run")
def run(context: typer.Context, json: AsJson = False) -> None:
    """Convert, identify again, compare pixel by pixel, and commit what is equal as a new version."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.migrate()
    columns = ["aip", "path", "from", "to", "tool", "equal"]
    screen.rows(map(wire.migration, done), columns, nothing="The policy asks for no migration.")
    raise typer.Exit(edge.DONE if all(one.equal for one in done) else edge.INCOMPLETE)
