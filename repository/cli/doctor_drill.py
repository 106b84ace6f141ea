"""How `tianyi doctor --drill` is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from repository import edge
from repository.cli.screen import escape, printable
from repository.doctor_drill import Drill

if TYPE_CHECKING:
    from rich.console import Console

_SAID = {True: "[green]repaired[/]", False: "[red]not repaired[/]", None: "[dim]left alone[/]"}


def exit_code(drill: Drill) -> int:
    if drill.lost or drill.detected < len(drill.tried):
        return edge.DAMAGE
    return edge.INCOMPLETE if drill.left_out else edge.DONE


def show(console: Console, drill: Drill) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("injury", "copy", "found", "then"):
        table.add_column(column)
    for one in drill.tried:
        found = "[green]detected[/]" if one.detected else "[red]not detected[/]"
        table.add_row(one.injury.kind, escape(one.injury.copy) or "–", found, _SAID[one.repaired])
    console.print(table)
    console.print(
        f"{len(drill.tried)} injected, {drill.detected} detected, {drill.repaired} repaired, {len(drill.lost)} lost"
    )
    for lost in drill.lost:
        console.print(f"  [red]lost[/]  {escape(printable(lost))}")
    for name in drill.left_out:
        console.print(f"[yellow]left out[/] copy [cyan]{escape(name)}[/]: it does not answer, or is not a folder")
    if drill.lost:
        console.print("[dim]→[/] With one copy there is nothing to repair from; else see `tianyi doctor`.")
