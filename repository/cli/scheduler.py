"""tianyi scheduler: run jobs by policy until told to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from repository import edge
from repository.cli import ending
from repository.cli.app import AsJson, opened
from repository.cli.jobs import exit_code, tell
from repository.cli.screen import Screen, escape, printable
from repository.jobs import Job, Run
from repository.words import span
from storage.aip import stamp


def scheduler(
    context: typer.Context,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=0, help="Stop after that.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Run what is due now, then stop.")] = False,
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write metrics there, for Prometheus, every minute.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Run jobs by policy until told to stop (SIGTERM, Ctrl-C). One a repository."""
    from repository.monitor import monitoring
    from repository.scheduler import serve  # no other command has to load APScheduler and SQLAlchemy

    screen = Screen(json=json)
    with opened(context, screen) as repository:
        settings = repository.settings
    teller = Teller(screen, once=once)
    with monitoring(settings, metrics, teller.warned, at_end=once) as monitor:
        stopped_by = serve(settings, teller, seconds=seconds, once=once, monitor=monitor)
    if stopped_by == signal.SIGINT and (once or json):
        raise KeyboardInterrupt
    if not once and not json:
        screen.errors.print("[dim]Stopped.[/]")
    if stopped_by == signal.SIGINT:
        raise ending.Ended(edge.INTERRUPTED)
    raise typer.Exit(_exit(teller.outcomes) if once and not stopped_by else edge.DONE)


class Teller:
    """Tells what the scheduler does, at once: whoever reads it may be a pipe."""

    def __init__(self, screen: Screen, *, once: bool) -> None:
        self.screen, self.once = screen, once
        self.outcomes: list[str] = []

    def planned(self, jobs: Sequence[Job]) -> None:
        if self.screen.json:
            return
        for job in jobs:
            begins = "due now" if job.state == "due" else f"next at {stamp(job.next)}"
            self.screen.errors.print(f"[dim]{job.name} every {span(job.rule.every)}, {begins}[/]")
        if not jobs or not self.once:
            self.screen.errors.print("[dim]Ctrl-C stops.[/]" if jobs else "[dim]Nothing is due.[/]")

    def finished(self, run: Run) -> None:
        self.outcomes.append(run.outcome)
        tell(self.screen, run)

    def wrong(self, why: str) -> None:
        if why:
            self.warned(f"{why}\nThe jobs go on as they were planned before.")
        else:
            self.screen.errors.print("[dim]The policy can be used again; the jobs are planned by it.[/]")

    def warned(self, told: str) -> None:
        """Whatever else somebody has to know, on standard error, which is a service's journal."""
        self.screen.errors.print(escape("\n".join(map(printable, told.splitlines()))))


def _exit(outcomes: Iterable[str]) -> int:
    """Damage before anything else that is not complete."""
    codes = set(map(exit_code, outcomes))
    return next((code for code in (edge.DAMAGE, edge.INCOMPLETE) if code in codes), edge.DONE)
