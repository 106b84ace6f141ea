"""tianyi delete, approve, withdraw, deletions: one asks for a deletion, another approves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from repository import Repository, wire
from repository.cli.app import AsJson, opened
from repository.cli.ending import followed
from repository.cli.holdings import AipArgument
from repository.cli.screen import Json, Screen, counted, escape, printable, size
from repository.disposal import Plan, Request

if TYPE_CHECKING:
    from rich.console import Console

RequestArgument = Annotated[str, typer.Argument(metavar="REQUEST", help="Its number, as D-2026-0001.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it goes on record.")]


def delete(
    context: typer.Context,
    aip: AipArgument,
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go and what stays; ask nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Ask for the deletion of an AIP; another has to approve it, and a time passes."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        plan = repository.deletion_plan(aip)
        if dry_run:
            nothing: Json = {"request": None, "state": "planned", "due": None, "aip": plan.aip, "plan": wire.plan(plan)}
            screen.result(nothing, lambda console: _show(console, nothing, plan))
            return
        done = repository.delete(aip, reason)
        told = _told(done, repository)
    screen.result({**told, "plan": wire.plan(plan)}, lambda console: _show(console, told, plan))
    raise typer.Exit(followed(screen, done.behind))


def approve(context: typer.Context, request: RequestArgument, json: AsJson = False) -> None:
    """Approve a deletion that somebody else has asked for; it is carried out when it has waited."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.approve(request)
        told = _told(done, repository)
        plan = repository.deletion_plan(done.aip)
    screen.result({**told, "plan": wire.plan(plan)}, lambda console: _show(console, told, plan))
    raise typer.Exit(followed(screen, done.behind))


def withdraw(context: typer.Context, request: RequestArgument, reason: Reason = "", json: AsJson = False) -> None:
    """End a request that was not carried out yet, your own or another's."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.withdraw(request, reason)
        told = _told(done, repository)
    screen.result(told, lambda console: console.print(f"[cyan]{done.request}[/] is withdrawn; nothing is deleted."))
    raise typer.Exit(followed(screen, done.behind))


def deletions(context: typer.Context, json: AsJson = False) -> None:
    """List every request to delete, with its state."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        rows = [wire.request(request, repository.now()) for request in repository.requests()]
    columns = ["request", "accession", "state", "due", "requested_by", "approved_by", "reason"]
    screen.rows(rows, columns, nothing="Nobody has asked for a deletion.", spare=["approved_by", "requested_by"])


def _told(done: Request, repository: Repository) -> Json:
    """A request after a step, and the copies that could not follow it."""
    return {**wire.request(done, repository.now()), **wire.followed(done)}


def _show(console: Console, told: Json, plan: Plan) -> None:
    if told["request"]:
        due = f", due {told['due']}" if told["due"] else ""
        console.print(f"[cyan]{told['request']}[/] {told['state']}{due}")
    show_plan(console, plan)
    if told["state"] == "requested":
        console.print(f"[dim]→[/] Another person: tianyi approve {told['request']}")


def show_plan(console: Console, plan: Plan) -> None:
    """What goes and what stays."""
    console.print(f"  {plan.accession} {escape(printable(plan.title))}, {counted(plan.versions, 'version')}")
    console.print(f"  goes: {counted(plan.blobs, 'blob')}, {size(plan.bytes)}, from each copy")
    if plan.shared_blobs:
        others = counted(plan.shared_with_total, "other AIP")
        console.print(
            f"  stays: {counted(plan.shared_blobs, 'blob')}, {size(plan.shared_bytes)} ({others}, or evidence)"
        )
    for copy, why in plan.copies.items():
        console.print(f"  [yellow]copy {escape(copy)} keeps everything[/]: {escape(printable(why))}")
