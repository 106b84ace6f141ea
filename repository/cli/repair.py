"""tianyi repair: heal what audits found damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from fixity.repair import Mend
from repository import edge, wire
from repository.cli.app import AsJson, opened
from repository.cli.naming import named
from repository.cli.screen import Screen, counted
from repository.holdings import Behind
from repository.mending import Mended
from repository.strays import QUARANTINE


def repair(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be healed; change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Heal what the last audit found, from a copy that reads right."""
    screen = Screen(json=json)
    word = "repairable" if dry_run else "repaired"
    with opened(context, screen) as repository:
        done = repository.repair_plan() if dry_run else repository.repair()
        unchecked = repository.unchecked()
        told = wire.mends(done, unchecked, repository.behind)
        told = {word: told.pop("repaired"), **told}
        screen.result(told, lambda console: _show_repair(console, word, done, unchecked, repository.behind))
    if done.beyond or (dry_run and done.healed):
        raise typer.Exit(edge.DAMAGE)
    raise typer.Exit(edge.INCOMPLETE if unchecked else edge.DONE)


def _show_repair(
    console: Console, word: str, done: Mended, unchecked: Mapping[str, int], behind: Callable[[str], Behind]
) -> None:
    for mend in done.healed:
        how = "into quarantine" if mend.source == QUARANTINE else f"from {escape(mend.source)}"
        console.print(f"[green]{word}[/] {_place(mend, behind)} {how}")
    for mend in done.beyond:
        why = f"{mend.source} has it whole, but it could not be put there" if mend.source else "no copy has it whole"
        console.print(f"[red]beyond repair[/] {_place(mend, behind)}: {escape(why)}")
    for copy, keys in unchecked.items():
        console.print(
            f"[yellow]not checked[/] copy [cyan]{escape(copy)}[/]: its last audit left {counted(keys, 'key')} unread"
        )
    if not done.healed and not done.beyond and not unchecked:
        console.print("No damage is on record. `tianyi audit` reads everything again.")
    if done.beyond:
        console.print("[dim]→[/] Bring back a copy that is away, or ask the producer for the file; then audit again.")
    elif unchecked:
        console.print("[dim]→[/] Mount what is away, and see that it answers; then audit and repair.")


def _place(mend: Mend, behind: Callable[[str], Behind]) -> str:
    key = mend.damage.expected.key
    return f"{named(key, behind(key))} in {escape(mend.damage.copy)}"
