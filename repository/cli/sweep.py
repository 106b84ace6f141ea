"""tianyi sweep: carry out the deletions that are due, and remove what nothing needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from repository import edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.deletions import show_plan
from repository.cli.screen import Screen, counted, escape, printable, size
from repository.disposal import Done, Hold, Plan, Request
from storage.sweep import Swept

if TYPE_CHECKING:
    from rich.console import Console


def sweep(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Carry out the deletions that are due, then remove the blobs that nothing needs."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        due = repository.due()
        if not json:
            _show_due(screen.console, due)
        if dry_run:
            done, swept = list[Done](), repository.sweep_plan()
        else:
            done, swept = repository.sweep(lambda plan: None if json else _announce(screen.console, plan))
        blocked = repository.blocked()
        if not json:
            _show_blocked(screen.console, blocked)
    told = {**wire.swept(swept), "deleted": [wire.deleted(one) for one in done]}
    told["blocked"] = [wire.blocked(*one) for one in blocked]
    if dry_run:
        told["due"] = [wire.plan(plan) for plan in due]
    screen.result(told, lambda console: _show(console, done, swept, "would go" if dry_run else "removed"))
    raise typer.Exit(edge.INCOMPLETE if any(one.behind for one in done) else edge.DONE)


def _show_due(console: Console, due: list[Plan]) -> None:
    for plan in due:
        console.print("[yellow]to be deleted[/]")
        show_plan(console, plan)


def _show_blocked(console: Console, blocked: list[tuple[Request, list[Hold]]]) -> None:
    for request, holds in blocked:
        names = ", ".join(hold.hold for hold in holds)
        console.print(f"[yellow]not deleted[/] {request.accession} ({request.request}): on hold by {names}")


def _announce(console: Console, plan: Swept) -> None:
    if plan.removed:
        console.print(f"[dim]removing {counted(plan.removed, 'blob')}, {size(plan.size)}, that nothing needs …[/]")


def _show(console: Console, done: list[Done], swept: Swept, word: str) -> None:
    for one in done:
        behind = f"; still in: {', '.join(sorted(one.behind))}" if one.behind else ""
        console.print(f"[green]deleted[/] {one.aip} ({one.request}){escape(behind)}")
    console.print(f"{word}: {counted(swept.removed, 'blob')}, {size(swept.size)}; kept: {swept.kept:,}")
    if swept.waits:
        console.print(f"  [dim]nothing goes yet: {escape(swept.waits)}[/]")
    for copy, why in swept.copies.items():
        console.print(f"  [yellow]copy {escape(copy)} keeps everything[/]: {escape(printable(why))}")
