"""tianyi scheduler, tianyi jobs: run jobs by policy, and tell when they ran and will run."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.markup import escape

from repository import edge
from repository.cli.app import AsJson, opened
from repository.cli.screen import Json, Screen, counted, dumps, printable, size
from repository.jobs import Job, Run, wire, wire_run
from storage.aip import stamp

_COLOURS = {"success": "green", "interrupted": "dim"}
_EXITS = {"success": edge.DONE, "damage": edge.DAMAGE, "limit": edge.DAMAGE}
_ONE = {"copies": "copy", "versions": "version", "seconds": "second"}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def scheduler(
    context: typer.Context,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=0, help="Stop after that.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Run what is due now, then stop.")] = False,
    json: AsJson = False,
) -> None:
    """Run jobs by policy until told to stop (SIGTERM, Ctrl-C). One a repository."""
    from repository.scheduler import serve  # no other command has to load APScheduler and SQLAlchemy

    screen = Screen(json=json)
    with opened(context, screen) as repository:
        settings = repository.settings
    outcomes: list[str] = []

    def finished(run: Run) -> None:
        outcomes.append(run.outcome)
        _tell(screen, run)

    stopped_by = serve(settings, lambda plan: _announce(screen, plan, once), finished, seconds=seconds, once=once)
    if stopped_by == signal.SIGINT:
        raise KeyboardInterrupt
    if not once and not json:
        screen.errors.print("[dim]Stopped.[/]")
    raise typer.Exit(_exit(outcomes) if once and not stopped_by else edge.DONE)


def jobs(context: typer.Context, json: AsJson = False) -> None:
    """List jobs with their last and next run; runs nothing."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        found = repository.jobs()
    rows = map(wire if json else _row, found)
    screen.rows(rows, ["name", "every", "next", "last", "result"], nothing="The policy has no jobs.")


def _row(job: Job) -> Json:
    return {**wire(job), "every": span(job.every)}


def _announce(screen: Screen, plan: Sequence[Job], once: bool) -> None:
    if not screen.json:
        for job in plan:
            screen.errors.print(f"[dim]{job.name} every {span(job.every)}, next at {stamp(job.next)}[/]")
        if not plan or not once:
            screen.errors.print("[dim]Ctrl-C stops.[/]" if plan else "[dim]Nothing is due.[/]")


def _tell(screen: Screen, run: Run) -> None:
    """One line for each run, at once: whoever reads it may be a pipe."""
    if screen.json:
        print(dumps(wire_run(run)), flush=True)
        return
    told = escape(printable(_gist(run.detail)))
    screen.console.print(f"{run.name} [{_COLOURS.get(run.outcome, 'red')}]{run.outcome}[/]  [dim]{told}[/]")


def _gist(detail: Mapping[str, str | int]) -> str:
    """Counts in words, none where the run was abandoned; an audit that read no copy, and a migration of nothing, had
    nothing to do."""
    if not detail:
        return "due again at the next start"
    if "message" in detail:
        return f"{detail.get('code', 'fail')}: {detail['message']}"
    if "copied" not in detail and not detail.get("copies", detail.get("migrated", 0)) and not _left(detail):
        return "nothing due"
    return ", ".join(_counted(word, value) for word, value in detail.items() if value != 0) or "nothing to copy"


def _left(detail: Mapping[str, str | int]) -> bool:
    return any(detail.get(word, 0) for word in ("left", "deleted", "removed", "scanned", "not_scanned", "versions"))


def _counted(word: str, value: str | int) -> str:
    """Like 1 copy, 2 copies, 1.5 MiB."""
    if not isinstance(value, int):
        return f"{value} {word}"
    if word == "bytes":
        return size(value)
    one = _ONE.get(word)
    return counted(value, one) if one else f"{value:,} {word.replace('_', ' ')}"


def _exit(outcomes: Iterable[str]) -> int:
    """Damage before anything else that is not complete."""
    codes = {_EXITS.get(outcome, edge.INCOMPLETE) for outcome in outcomes}
    return next((code for code in (edge.DAMAGE, edge.INCOMPLETE) if code in codes), edge.DONE)


def span(every: timedelta) -> str:
    """A span in the largest unit that fits: like 12 hours."""
    unit, length = next((one for one in _UNITS if not every % timedelta(seconds=one[1])), _UNITS[-1])
    count = every // timedelta(seconds=length)
    return f"{count:,} {unit}{'s' * (count != 1)}"
