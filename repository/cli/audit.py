"""tianyi audit: read everything again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from fixity.audit import Audit, Finding, is_damaged
from repository import Repository, edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.naming import named
from repository.cli.screen import Screen, dumps, printable, size
from repository.holdings import Behind
from storage import layout
from storage.aip import stamp

_WORDS = ("intact", "altered", "missing", "unreadable", "not_checked", "extra")
_DAMAGE = frozenset({"altered", "missing", "unreadable"})
_SHOWN = 20
_NOTHING = Behind([], 0, [])


def audit(
    context: typer.Context,
    copy: Annotated[str, typer.Option(metavar="NAME", help="Only this copy.")] = "",
    json: AsJson = False,
) -> None:
    """Read every blob, manifest and record again, copy by copy."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        results = repository.audit(copy)
        told = wire.audits(results, repository.behind)
        report = _report(results, repository) if told["findings_total"] else None
        told["report"] = wire.place(report) if report else None
        screen.result(told, lambda console: _show(console, results, report, repository.behind))
    raise typer.Exit(exit_code(results))


def _report(results: list[Audit], repository: Repository) -> Path:
    """All findings, one JSON object a line."""
    path = repository.settings.work / "reports" / f"audit-{stamp(repository.now()).replace(':', '')}.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for found in (found for result in results for found in result.findings):
            behind = repository.behind(found.key) if found.outcome in _DAMAGE else _NOTHING
            file.write(dumps(wire.seen(found, behind)) + "\n")
    return path


def exit_code(results: list[Audit]) -> int:
    if any(map(is_damaged, results)):
        return edge.DAMAGE
    return edge.INCOMPLETE if any(result.counts["not_checked"] for result in results) else edge.DONE


def _show(console: Console, results: list[Audit], report: Path | None, behind: Callable[[str], Behind]) -> None:
    for result in results:
        console.print(_summary(result))
        for found in islice((found for found in result.findings if found.outcome in _DAMAGE), _SHOWN):
            console.print(_line(found, behind(found.key)))
        if (more := sum(result.counts[word] for word in _DAMAGE) - _SHOWN) > 0:
            console.print(f"  [dim]… {more:,} more in {escape(str(report))}[/]")
    if any(result.counts["extra"] for result in results):
        console.print("[dim]extra: nothing in the catalogue needs them: leftovers, which `tianyi sweep` removes[/]")
    if any(found.outcome == "extra" and layout.record_name(found.key) for one in results for found in one.findings):
        console.print("[yellow]Among them are records of AIPs that no entry tells of.[/]  [dim]→[/] tianyi rebuild")
    if report:
        console.print(f"[dim]all findings: {escape(str(report))}[/]")
    if any(map(is_damaged, results)):
        lacking = not any(result.counts["altered"] or result.counts["unreadable"] for result in results)
        # a copy that is new, or was away, only lacks what the others have got since
        console.print("[dim]→[/] tianyi replicate, then tianyi repair" if lacking else "[dim]→[/] tianyi repair")
    elif any(result.counts["not_checked"] for result in results):
        console.print("[dim]→[/] Mount what is away; then audit and repair.")


def _summary(result: Audit) -> str:
    """One line for a copy; why it was not checked is the same for all of it."""
    verdict = "[yellow]not checked[/]" if result.counts["not_checked"] else "[green]intact[/]"
    if is_damaged(result):
        verdict = "[red]not intact[/]"
    counts = ", ".join(f"{n:,} {word.replace('_', ' ')}" for word in _WORDS if (n := result.counts[word]))
    why = next((found.why for found in result.findings if found.outcome == "not_checked"), "")
    told = f"; {escape(printable(why))}" if why else ""
    return f"copy [cyan]{escape(result.copy)}[/] {verdict}: {counts or 'nothing'}; {size(result.size)} read{told}"


def _line(found: Finding, behind: Behind) -> str:
    why = f" {escape(printable(found.why))}" if found.why else ""
    return f"  [red]{found.outcome}[/]  {named(found.key, behind)}{why}"
