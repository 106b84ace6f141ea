"""tianyi audit: read everything again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from fixity.audit import WORDS, Audit, Finding, is_damaged
from fixity.outcome import DAMAGED
from repository import Repository, edge, wire
from repository.cli import reports
from repository.cli.app import AsJson, opened
from repository.cli.audit_status import show_status
from repository.cli.helping import Command
from repository.cli.naming import named
from repository.cli.screen import Screen, escape, printable, size
from repository.errors import BadRequest
from repository.holdings import Behind
from repository.words import counted
from storage.aip import stamp

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 20
_EXTRA = "[dim]extra: nothing in the catalogue needs them; `tianyi sweep` removes blobs, a person the rest[/]"
_EXTRA_UNKNOWN = (
    "[yellow]extra: they may be files of an AIP whose list of files no copy has whole; remove nothing[/]"
    "  [dim]→[/] tianyi rebuild names it"
)
_KEPT = (
    "[dim]kept: the audit's own entry writes the end of the ledger anew, so what was damaged there was put into"
    " quarantine before[/]"
)
_NOTHING = Behind([], 0, [])


app = typer.Typer(help="Read everything again, and see that it is done in time.")


@app.callback(invoke_without_command=True)
def audit(
    context: typer.Context,
    copy: Annotated[str, typer.Option(metavar="NAME", help="Only this copy.")] = "",
    due: Annotated[bool, typer.Option("--due", help="Only a slice of what is due, as the job does each time.")] = False,
    sample: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only so many files at random in each copy.")
    ] = None,
    cached: Annotated[
        bool, typer.Option("--cached", help="What memory still has need not come from the disk.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, where an audit was cut short.")] = False,
    json: AsJson = False,
) -> None:
    """Read every blob, manifest and record again, copy by copy. Cut short, it goes on where it was."""
    if context.invoked_subcommand:
        return
    if due + bool(sample) + (cached or fresh) > 1:
        raise BadRequest("--due, --sample, and --cached or --fresh exclude each other.", "Choose one of them.")
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        closed: dict[str, datetime] = {}
        if due:
            results, closed = repository.round(copy), repository.closed(copy)
        else:
            results = (
                repository.sample(copy, files=sample) if sample else repository.audit(copy, fresh=fresh, cached=cached)
            )
        told = wire.audits(results, repository.behind)
        report = _report(results, repository) if told["findings_total"] else None
        told["report"] = wire.place(report) if report else None
        untold = repository.untold()
        told["untold"] = [{"aip": aip, "version": version} for aip, version in untold[: wire.CAPPED]]
        lost = _lost(results, len(repository.copies))
        unread = len(repository.unread()) if any(result.counts["extra"] for result in results) else 0
        standing = _Standing(len(untold), lost, unread, repository.is_damaged(), closed)
        if due:
            told["closed"] = {name: stamp(begins) for name, begins in closed.items()}
        screen.result(told, lambda console: _show(console, results, report, repository.behind, standing))
    raise typer.Exit(edge.DAMAGE if untold else exit_code(results))


app.command("status", cls=Command)(show_status)


class _Standing(NamedTuple):
    """How things stand after it: how many versions no entry tells of, files are in no copy any more, and, where
    something is extra, lists of files nobody can read; whether damage is on record still, once the audit's own entry is
    written; and the copies that are outside their hours, with when these begin."""

    untold: int
    lost: int
    unread: int
    damaged: bool
    closed: Mapping[str, datetime]


def _report(results: list[Audit], repository: Repository) -> Path:
    """All findings."""
    found = (found for result in results for found in result.findings)
    rows = (wire.seen(one, repository.behind(one.key) if one.outcome in DAMAGED else _NOTHING) for one in found)
    return reports.write(repository, "audit", rows)


def exit_code(results: list[Audit]) -> int:
    if any(map(is_damaged, results)):
        return edge.DAMAGE
    return edge.INCOMPLETE if any(result.counts["not_checked"] for result in results) else edge.DONE


def _show(
    console: Console, results: list[Audit], report: Path | None, behind: Callable[[str], Behind],
    standing: _Standing,
) -> None:  # fmt: skip
    for copy, begins in standing.closed.items():
        told = (
            f"copy [cyan]{escape(copy)}[/] is outside the hours of policies/audit.yaml; they begin at {stamp(begins)}"
        )
        console.print(f"[yellow]not read[/] {told}")
    if not results and not standing.closed:
        console.print("Nothing is due.")
    for result in results:
        console.print(_summary(result))
        for found in islice((found for found in result.findings if found.outcome in DAMAGED), _SHOWN):
            console.print(_line(found, behind(found.key)))
        if (more := sum(result.counts[word] for word in DAMAGED) - _SHOWN) > 0:
            console.print(f"  [dim]… {more:,} more in {escape(str(report))}[/]")
    for note in _notes(results, report, standing):
        console.print(note)


def _lost(results: list[Audit], copies: int) -> int:
    """How many keys are missing in every copy, where all were read."""
    if len(results) < copies or not all(result.counts["missing"] for result in results):
        return 0
    fewest, *others = sorted(results, key=lambda result: result.counts["missing"])
    keys = {found.key for found in fewest.findings if found.outcome == "missing"}
    for other in others:
        keys = {found.key for found in other.findings if found.outcome == "missing" and found.key in keys}
    return len(keys)


def _notes(results: list[Audit], report: Path | None, standing: _Standing) -> Iterator[str]:
    """What the counts mean, and what to do next."""
    untold, lost, unread, is_on_record, _ = standing
    if any(result.counts["extra"] for result in results):
        yield _EXTRA_UNKNOWN if unread else _EXTRA
    if any(result.counts["mode"] for result in results):
        yield "[yellow]mode: whole, but not read-only[/]  [dim]→[/] tianyi repair"
    if any(found.kept for result in results for found in result.findings):
        yield _KEPT
    if report:
        yield f"[dim]all findings: {escape(str(report))}[/]"
    if lost:
        yield f"[red]{counted(lost, 'file')} in no copy any more[/]  [dim]→[/] tianyi repair says whom to ask"
    if any(map(is_damaged, results)) and not is_on_record:
        yield "[dim]→[/] Nothing of it is left to repair. tianyi ledger verify"
    elif any(map(is_damaged, results)):
        yield from _healing(results, lost)
    elif any(result.counts["not_checked"] for result in results):
        yield "[dim]→[/] Mount what is away, and see that it answers; then audit and repair."
    if untold:
        told = f"No entry of the ledger tells of {counted(untold, 'version')} that are held: was an older one put back?"
        yield f"[red]{told}[/]  [dim]→[/] tianyi ledger verify"


def _healing(results: list[Audit], lost: int) -> Iterator[str]:
    """What brings back what some copy has."""
    if any(result.counts["altered"] or result.counts["unreadable"] for result in results):
        yield "[dim]→[/] tianyi repair"
    elif not lost or any(result.counts["missing"] > lost for result in results):
        # a copy that is new, or was away, only lacks what the others have got since
        yield "[dim]→[/] tianyi replicate, then tianyi repair"


def _summary(result: Audit) -> str:
    """One line for a copy; why it was not checked is the same for all of it."""
    verdict = "[yellow]not checked[/]" if result.counts["not_checked"] else "[green]intact[/]"
    if is_damaged(result):
        verdict = "[red]not intact[/]"
    counts = ", ".join(f"{n:,} {word.replace('_', ' ')}" for word in WORDS if (n := result.counts[word]))
    why = next((found.why for found in result.findings if found.outcome == "not_checked"), "")
    told = f"; {escape(printable(why))}" if why else ""
    read = f"{size(result.size)} read{' (from memory, maybe)' if result.cached else ''}"
    return f"copy [cyan]{escape(result.copy)}[/] {verdict}: {counts or 'nothing'}; {read}{told}"


def _line(found: Finding, behind: Behind) -> str:
    why = f" {escape(printable(found.why))}" if found.why else ""
    why += f"; kept as work/quarantine/{escape(printable(found.kept))}" if found.kept else ""
    return f"  [red]{found.outcome}[/]  {named(found.key, behind)}{why}"
