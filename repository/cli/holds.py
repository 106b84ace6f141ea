"""tianyi hold, release, holds: legal holds, under which nothing is deleted."""

from __future__ import annotations

from typing import Annotated

import typer

from repository import Repository, wire
from repository.cli.app import AsJson, opened
from repository.cli.deletions import Reason
from repository.cli.ending import followed
from repository.cli.holdings import AipArgument
from repository.cli.screen import Json, Screen
from repository.disposal import Hold


def hold(context: typer.Context, aip: AipArgument, reason: Reason = "", json: AsJson = False) -> None:
    """Put an AIP under a legal hold: it is not deleted before every hold on it is released."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.hold(aip, reason)
        told = _told(done, repository, "held")
    screen.result(told, lambda console: console.print(f"[cyan]{done.hold}[/] holds {done.accession}."))
    raise typer.Exit(followed(screen, done.behind))


def release(
    context: typer.Context,
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="Its number, as H-2026-0001, or its AIP.")],
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """End a legal hold."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.release(hold, reason)
        told = _told(done, repository, None)
    screen.result(told, lambda console: console.print(f"[cyan]{done.hold}[/] is released."))
    raise typer.Exit(followed(screen, done.behind))


def holds(context: typer.Context, json: AsJson = False) -> None:
    """List the legal holds in force."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        rows = list(map(wire.hold, repository.holds()))
    screen.rows(rows, ["hold", "accession", "since", "agent", "reason"], nothing="Nothing is on hold.", spare=["agent"])


def _told(hold: Hold, repository: Repository, state: str | None) -> Json:
    """The hold, the request that it blocks or has blocked, where there is one, and the copies that could not follow."""
    request = repository.open_request(hold.aip)
    blocked = wire.request(request, repository.now()) if request else {}
    told = {"request": blocked.get("request"), "state": blocked.get("state", state), "due": blocked.get("due")}
    return {**told, **wire.hold(hold), **wire.followed(hold)}
