"""tianyi characterize: format tools asked about what is held."""

from __future__ import annotations

from typing import Annotated

import typer

from repository import Repository, edge, wire
from repository.characterization import Planned as Asked
from repository.characterize import Characterized
from repository.cli.app import AsJson, opened
from repository.cli.ending import followed
from repository.cli.screen import Screen, counted, dumps, escape, printable


def characterize(
    context: typer.Context,
    aips: Annotated[
        list[str] | None,
        typer.Argument(metavar="AIP", help="All files of these; else those that no tool was asked about yet."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell which tools would be asked.")] = False,
    json: AsJson = False,
) -> None:
    """Ask format tools whether files are well-formed, and for their significant properties; one new version an AIP."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        names = {one.aip: one.accession for one in repository.aips()}
        if dry_run:
            for planned in repository.characterize_plan(aips or []):
                _print(screen, wire.to_characterize(planned), _planned(planned, names[planned.due.aip]))
            return
        results = _carried_out(screen, repository, aips or [], names)
    code = followed(screen, frozenset[str]().union(*(done.behind for done in results)))
    raise typer.Exit(edge.INCOMPLETE if any(done.why for done in results) else code)


def _carried_out(screen: Screen, repository: Repository, aips: list[str], names: dict[str, str]) -> list[Characterized]:
    """Tell of each AIP when it is done; return what became of all."""
    results = []
    for done in repository.characterize(aips):
        _print(screen, wire.characterized(done), _told(done, names[done.aip]))
        results.append(done)
    if not results and not screen.json:
        screen.console.print("Nothing is held that no tool was asked about.")
    return results


def _print(screen: Screen, value: dict[str, object], line: str) -> None:
    if screen.json:
        print(dumps(value))
    else:
        screen.console.print(line)


def _told(done: Characterized, accession: str) -> str:
    if done.why:
        return f"{accession}  [red]no version was made[/]: {escape(printable(done.why))}"
    malformed = f"[red]{done.malformed:,} malformed[/]" if done.malformed else "0 malformed"
    return (
        f"{accession}  version {done.version}: {done.well_formed:,} well-formed, {malformed},"
        f" {done.not_checked:,} not checked"
    )


def _planned(planned: Asked, accession: str) -> str:
    tools = "".join(f", {count:,} by {name}" for name, count in planned.tools.items())
    return f"{accession}  {counted(planned.due.files, 'file')}{tools}; {planned.no_tool:,} that no tool knows"
