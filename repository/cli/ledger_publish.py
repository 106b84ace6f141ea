"""tianyi ledger publish: give the ledger's newest checkpoint to witnesses, and have it stamped with the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from repository import edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.screen import Screen

if TYPE_CHECKING:
    from repository.publishing import Handed

_EXITS = {"contradicted": edge.DAMAGE, "fail": edge.INCOMPLETE}


def publish(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is due, and why.")] = False,
    json: AsJson = False,
) -> None:
    """Give the newest checkpoint to the witnesses of the policy, and have it stamped with the time, where it is due."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.publish_plan() if dry_run else repository.publish_checkpoint()
    columns = ["to", "kind", "entries", "outcome", "why"]
    screen.rows(map(wire.handed, done), columns, nothing="Nothing is due by the policy.")
    _alarm(screen, done)
    codes = [_EXITS.get(one.outcome, edge.DONE) for one in done]
    raise typer.Exit(edge.DAMAGE if edge.DAMAGE in codes else max(codes, default=edge.DONE))


def _alarm(screen: Screen, done: Sequence[Handed]) -> None:
    for one in done:
        if one.outcome == "contradicted" and not screen.json:
            screen.warn(f"{one.to} has seen another history of this log. Change nothing, and find out which is true.")
