"""tianyi ingest --dry-run: what an ingest would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.glance import Format
from ingest.preflight import Preflight
from repository import Repository, edge, wire
from repository.cli.findings import show_findings
from repository.cli.screen import Screen, counted, escape, lasting, printable, size
from repository.room import Room

if TYPE_CHECKING:
    from rich.console import Console

_WOULD = {
    "accept": "[green]would be accepted[/]",
    "hold": "[yellow]would be held[/]",
    "reject": "[red]would be rejected[/]",
}
_FORMATS = 12  # shown of a long list; JSON has all


def foretold(screen: Screen, repository: Repository, seen: Preflight) -> int:
    """Say what would become of a package; return the exit code that its ingest would have, so far as is known."""
    rooms = repository.rooms(seen)
    screen.result(wire.preflight(seen, rooms), lambda console: _show(console, seen, rooms))
    if seen.outcome == "reject":
        return edge.REJECTED
    return edge.DONE if seen.outcome == "accept" and all(room.enough for room in rooms) else edge.INCOMPLETE


def _show(console: Console, seen: Preflight, rooms: list[Room]) -> None:
    console.print(f"[bold]Nothing was taken in.[/] It {_WOULD[seen.outcome]} ({seen.kind})")
    least = "" if seen.whole else "at least "
    some = "all looked at" if seen.looked_at == seen.files else f"{seen.looked_at:,} of them looked at"
    console.print(f"  {least}{counted(seen.files, 'file')}, {size(seen.size)}, {some}")
    if seen.not_compared:
        files = counted(seen.not_compared, "file")
        console.print(f"  [yellow]digests of {files} not compared;[/] tianyi validate PATH does")
    again = f"{counted(seen.repeated, 'file')}, {size(seen.repeated_bytes)}, held already or coming twice"
    console.print(f"  {least}{size(seen.new_bytes)} to store in each copy; {again}")
    if seen.fetched:
        console.print(f"  {size(seen.fetched)} to fetch besides")
    if seen.seconds is not None:
        console.print(f"  about {lasting(seen.seconds)} to read it by one process")
    for room in rooms:
        _show_room(console, room)
    for one in seen.formats[:_FORMATS]:
        _show_format(console, one)
    if len(seen.formats) > _FORMATS:
        console.print(f"  [dim]        and {counted(len(seen.formats) - _FORMATS, 'other format')}[/]")
    if risky := sum(one.files for one in seen.formats if one.is_risky):
        console.print(f"  [yellow]at risk, or not recognised: {counted(risky, 'file')}[/]")
    show_findings(console, seen)


def _show_room(console: Console, room: Room) -> None:
    where = escape(", ".join(room.copies) or "work")
    free = "free: not known" if room.free is None else f"{size(room.free)} free"
    wrong = "" if room.enough else "  [red]not enough[/]"
    console.print(f"  room for {where}: {size(room.needed)} needed, {free}{wrong}")


def _show_format(console: Console, one: Format) -> None:
    name = escape(printable(f"{one.puid} {one.name}".strip())) or "not recognised"
    planned = f", {escape(one.planned)} planned" if one.planned else ""
    console.print(f"  [dim]{one.files:>7,}[/] {name} (risk {one.risk}{planned})")
