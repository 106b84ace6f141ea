"""tianyi audit, tianyi repair: read everything again, and heal what is damaged."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fixity.audit import Audit, is_damaged
from fixity.repair import Mend
from repository import Repository, edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.screen import Screen, dumps, size
from repository.watch import aips_of
from storage.aip import stamp


def audit(
    context: typer.Context,
    copy: Annotated[str, typer.Option(metavar="NAME", help="Only this copy.")] = "",
    json: AsJson = False,
) -> None:
    """Read every blob, manifest and record again, copy by copy."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        results = repository.audit(copy)
        told = wire.audits(results, partial(aips_of, repository.catalogue))
        told["report"] = str(_report(results, repository)) if told["findings_total"] else None
    screen.result(told, lambda console: _show(console, results))
    raise typer.Exit(exit_code(results))


def _report(results: list[Audit], repository: Repository) -> Path:
    """All findings, one JSON object a line."""
    path = repository.settings.work / "reports" / f"audit-{stamp(repository.now()).replace(':', '')}.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for result in results:
            file.writelines(dumps(wire.seen(found, [])) + "\n" for found in result.findings)
    return path


def exit_code(results: list[Audit]) -> int:
    if any(map(is_damaged, results)):
        return edge.DAMAGE
    return edge.INCOMPLETE if any(result.counts["not_checked"] for result in results) else edge.DONE


def _show(console: Console, results: list[Audit]) -> None:
    for result in results:
        good = not is_damaged(result) and not result.counts["not_checked"]
        verdict = "[green]intact[/]" if good else "[red]not intact[/]"
        counts = ", ".join(f"{n:,} {word.replace('_', ' ')}" for word, n in sorted(result.counts.items()))
        console.print(f"copy [cyan]{result.copy}[/] {verdict}: {counts}; {size(result.size)} read")
        for found in result.findings[:20]:
            console.print(f"  [red]{found.outcome}[/] {found.key} {found.why}")
    if any(map(is_damaged, results)):
        console.print("[dim]→[/] tianyi repair")


def repair(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be healed; change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Heal what the last audit found, from a copy that reads right."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        healed, beyond = repository.repair_plan() if dry_run else repository.repair()
        told = wire.mends(healed, beyond, partial(aips_of, repository.catalogue))
    if dry_run:
        told = {"repairable": told["repaired"], "beyond_repair": told["beyond_repair"]}
    word = "repairable" if dry_run else "repaired"
    screen.result(told, lambda console: _show_repair(console, word, healed, beyond))
    raise typer.Exit(edge.DAMAGE if beyond or (dry_run and healed) else edge.DONE)


def _show_repair(console: Console, word: str, healed: list[Mend], beyond: list[Mend]) -> None:
    for mend in healed:
        console.print(f"[green]{word}[/] {mend.damage.expected.key} in {mend.damage.copy} from {mend.source}")
    for mend in beyond:
        console.print(f"[red]beyond repair[/] {mend.damage.expected.key} in {mend.damage.copy}: no copy has it whole")
    if not healed and not beyond:
        console.print("No damage is on record. `tianyi audit` reads everything again.")
    if beyond:
        console.print("[dim]→[/] Bring back a copy that is away, or ask the producer for the file; then audit again.")
