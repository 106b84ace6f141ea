"""tianyi jobs: when jobs ran and will run; run one now; pause one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer

from repository import edge, wire
from repository.cli.app import AsJson, by_record, opened
from repository.cli.deletions import Reason
from repository.cli.helping import Command
from repository.cli.screen import Json, Screen, counted, dumps, escape, printable, size
from repository.job import perform
from repository.jobs import Job, Run
from repository.words import span

app = typer.Typer(help="When jobs ran and will run; run one now, or pause one.")
_COLOURS = {"success": "green", "interrupted": "dim"}
_EXITS = {"success": edge.DONE, "damage": edge.DAMAGE, "limit": edge.DAMAGE}
_ONE = {
    "copies": "copy", "versions": "version", "seconds": "second", "aips": "AIP", "entries": "entry",
    "destinations": "destination",
}  # fmt: skip
_COLUMNS = ["name", "every", "state", "next", "last", "result", "took"]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A job's name, as `tianyi jobs` shows it.")]


@app.callback(invoke_without_command=True)
def jobs(context: typer.Context, json: AsJson = False) -> None:
    """List jobs with their last and next run; runs nothing."""
    if context.invoked_subcommand:
        return
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        wrong = by_record(screen, repository)
        found = repository.jobs()
    rows = [*map(wire.job, found), *filter(None, [wrong])] if json else map(_row, found)
    screen.rows(rows, _COLUMNS, nothing="The policy has no jobs.", spare=("took", "result"))
    raise typer.Exit(edge.INCOMPLETE if wrong else edge.DONE)


@app.command("history", cls=Command)
def history(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Only this job's.")] = "",
    most: Annotated[int, typer.Option(metavar="N", min=1, help="How many runs.")] = 20,
    json: AsJson = False,
) -> None:
    """List the last runs of all jobs, or of one, the newest first."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        runs = list(repository.job_history(name, most))
    rows = map(wire.run if json else _past, runs)
    screen.rows(rows, ["ended", "name", "result", "took", "what"], nothing="No job has run yet.")


@app.command("run", cls=Command)
def run(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """Run a job now, here; it goes on record as the scheduler's runs do."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = perform(repository, name)
    tell(screen, done)
    raise typer.Exit(exit_code(done.outcome))


@app.command("pause", cls=Command)
def pause(
    context: typer.Context,
    name: Name,
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Let the scheduler not begin a job before it is resumed; one that is at work ends as it would."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        repository.pause_job(name, reason)
    screen.result({"name": name, "state": "paused"}, lambda console: console.print(f"{name} is paused."))


@app.command("resume", cls=Command)
def resume(
    context: typer.Context,
    name: Name,
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """End a job's pause; what fell due meanwhile is due once."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        repository.resume_job(name, reason)
    screen.result({"name": name, "state": "resumed"}, lambda console: console.print(f"{name} goes on."))


def _row(job: Job) -> Json:
    took = span(timedelta(seconds=job.seconds)) if job.last else None
    return {**wire.job(job), "every": span(job.rule.every), "took": took}


def _past(run: Run) -> Json:
    took = run.detail.get("seconds", 0)
    what = gist({name: value for name, value in run.detail.items() if name != "seconds"})
    taken = span(timedelta(seconds=int(took)))
    return {"ended": run.ended, "name": run.name, "result": run.outcome, "took": taken, "what": what}


def tell(screen: Screen, run: Run) -> None:
    """One line for each run, at once: whoever reads it may be a pipe."""
    if screen.json:
        print(dumps(wire.run(run)), flush=True)
        return
    told = escape(printable(gist(run.detail)))
    screen.console.print(f"{run.name} [{_COLOURS.get(run.outcome, 'red')}]{run.outcome}[/]  [dim]{told}[/]")


def exit_code(outcome: str) -> int:
    """What a command ends with after a run that came to this."""
    return _EXITS.get(outcome, edge.INCOMPLETE)


def gist(detail: Mapping[str, str | int]) -> str:
    """Counts in words, bytes last, whatever order they are on record in; none where the run was abandoned; what counts
    nothing but time had nothing to do."""
    if not detail:
        return "due again at the next start"
    if "message" in detail:
        return f"{detail.get('code', 'fail')}: {detail['message']}"
    if not any(value for word, value in detail.items() if word != "seconds"):
        return "nothing due"
    counts = sorted(detail.items(), key=lambda one: one[0] == "bytes")
    return ", ".join(_counted(word, value) for word, value in counts if value)


def _counted(word: str, value: str | int) -> str:
    """Like 1 copy, 2 copies, 1.5 MiB."""
    if not isinstance(value, int):
        return f"{word} {value}"
    if word == "bytes":
        return size(value)
    one = _ONE.get(word)
    return counted(value, one) if one else f"{value:,} {word.replace('_', ' ')}"
