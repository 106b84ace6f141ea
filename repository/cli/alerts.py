"""tianyi alerts, tianyi metrics: what is wrong now, and how things stand for a monitoring system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repository import config, edge, metrics, metrics_file, notify, wire
from repository.alerting import Look, see
from repository.alerts import NEWS, Message
from repository.cli.app import AsJson, chosen
from repository.cli.screen import Screen, counted, escape, printable
from repository.config import Config
from repository.errors import NoDestination, NotSent
from repository.facade import utc_now

if TYPE_CHECKING:
    from rich.console import Console


def alerts(
    context: typer.Context,
    test: Annotated[bool, typer.Option("--test", help="Send a message to everybody who would be alerted.")] = False,
    json: AsJson = False,
) -> None:
    """List what is wrong now and what to do; nobody is told of it by this command."""
    screen, settings = Screen(json=json), config.load(chosen(context).absolute())
    if test:
        _test(screen, settings)
        return
    seen = see(settings, utc_now)
    if json:
        screen.rows(map(wire.alert, seen.faults), [], nothing="")
    else:
        _show(screen.console, seen)
    raise typer.Exit(edge.INCOMPLETE if seen.faults else edge.DONE)


def show_metrics(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Replace this file by them, at once.")] = None,
    json: AsJson = False,
) -> None:
    """Print metrics in Prometheus's text format."""
    screen, now = Screen(json=json), utc_now()
    seen = see(config.load(chosen(context).absolute()), utc_now)
    found = list(metrics.metrics(seen.health, seen.faults, now))
    if to:
        metrics_file.write(to, seen.health, seen.faults, now)
    if json:
        screen.rows(wire.metrics(found), [], nothing="")
    elif not to:
        print("".join(map(metrics.text, found)), end="")


def _test(screen: Screen, settings: Config) -> None:
    if not settings.alerts:
        raise NoDestination
    message = Message("a test", f"Whoever reads this is told what is wrong with {settings.folder}.", NEWS)
    if unsent := notify.send(settings.alerts, [message]):
        raise NotSent(" ".join(unsent))
    told = {"sent": len(settings.alerts)}
    screen.result(told, lambda console: console.print(f"Sent to {counted(len(settings.alerts), 'destination')}."))


def _show(console: Console, seen: Look) -> None:
    for one in seen.faults:
        told = "\n".join(map(printable, one.fault.message.splitlines()))
        console.print(f"[red]{one.fault.kind}[/]  since {one.since:%Y-%m-%d}  {escape(told)}")
        if one.fault.next:
            console.print(f"[dim]→[/] {escape(printable(one.fault.next))}")
    if not seen.faults:
        console.print("Nothing is wrong that anybody has to be told of.")
