"""tianyi list, show, files, search, events: what is held and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.judgement import Outcome
from repository import Repository, wire
from repository.cli.app import AsJson, opened
from repository.cli.completing import aip_numbers
from repository.cli.naming import short, why
from repository.cli.screen import Json, Screen, counted, escape, printable, size
from repository.corrections import OFFICER, Correction
from repository.holdings import Aip, Happened, HeldFile, Version

if TYPE_CHECKING:
    from rich.console import Console

AipArgument = Annotated[
    str,
    typer.Argument(metavar="AIP", help="urn:uuid:… or an accession number (2026-0001).", autocompletion=aip_numbers),
]
_COLUMNS = ["accession", "title", "versions", "files", "bytes", "aip"]
_SPARE = ["aip"]  # the accession says which one it is


def list_aips(context: typer.Context, json: AsJson = False) -> None:
    """List what is held, by accession."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        screen.rows(map(wire.aip, repository.aips()), _COLUMNS, nothing="Nothing is held yet.", spare=_SPARE)


def search(
    context: typer.Context,
    words: Annotated[
        list[str], typer.Argument(metavar="WORD", help="Words of title, producer, description or file names.")
    ],
    json: AsJson = False,
) -> None:
    """Find AIPs in which every word occurs."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        found = map(wire.aip, repository.search(" ".join(words)))
        screen.rows(found, _COLUMNS, nothing="Nothing was found.", spare=_SPARE)


def show(context: typer.Context, aip: AipArgument, json: AsJson = False) -> None:
    """Show an AIP and its versions."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        found, versions = repository.show(aip)
        said, judged = repository.corrections(aip), repository.judged(aip)
    told = wire.shown(found, versions, said, judged)
    screen.result(told, lambda console: _show(console, found, versions, said, judged))


def _show(
    console: Console, found: Aip, versions: list[Version], said: list[Correction], judged: Mapping[str, int]
) -> None:
    console.print(f"[bold]{escape(printable(found.title))}[/]")
    console.print(f"  [cyan]{found.aip}[/]")
    console.print(f"  accession {found.accession}, {_amount(found)}")
    if found.producer:
        console.print(f"  from {escape(printable(found.producer))}")
    if any(files for outcome, files in judged.items() if outcome != Outcome.NOT_CHECKED):
        console.print(f"  format tools: {', '.join(f'{files:,} {outcome}' for outcome, files in judged.items())}")
    for version in versions:
        told = f"{version.created}  {version.reason} by {version.agent}"
        held = f"{counted(version.files, 'file')}, {size(version.bytes)}"
        console.print(f"  version {version.version}  {escape(told)}  {held}")
    for one in said:
        told = f"{short(one.path)} is {one.puid}, said {one.agent} on {one.time}: {one.reason}"
        console.print(f"  {escape(printable(told))}")


def _amount(found: Aip) -> str:
    if found.files is None or found.bytes is None:
        return "[red]it is not known what is in it[/]  [dim]→[/] tianyi files"
    return f"{counted(found.files, 'file')}, {size(found.bytes)}"


def files(
    context: typer.Context,
    aip: AipArgument,
    everything: Annotated[bool, typer.Option("--all", help="Also the metadata and tag files of its bag.")] = False,
    json: AsJson = False,
) -> None:
    """List an AIP's files with size, digest and format."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        rows = map(wire.file if json else _file_row, repository.files(aip, everything=everything))
        screen.rows(
            rows, ["path", "size", "puids", "mime", "judged", "sha256"], nothing="It has no files.", spare=["mime"]
        )


def _file_row(file: HeldFile) -> Json:
    puids = [f"{puid} (officer)" for puid in file.puids] if file.basis == OFFICER else list(file.puids)
    return {
        **wire.file(file),
        "path": short(file.path),
        "puids": puids,
        "judged": file.judged,
        "sha256": file.digest.partition(":")[2][:12],
    }


def events(
    context: typer.Context,
    aip: Annotated[str, typer.Argument(metavar="AIP", help="Only what happened to this AIP or accession.")] = "",
    json: AsJson = False,
) -> None:
    """Tell what happened, in order."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        known = {} if json else _accessions(repository)
        known[repository.settings.vault_id] = "the vault"
        rows = (wire.happened(one) if json else _event_row(one, known) for one in repository.events(aip))
        columns = ["time", "type", "outcome", "agent", "object", "why"]
        screen.rows(rows, columns, nothing="Nothing has happened yet.", spare=["object", "agent"] if aip else ["agent"])


def _accessions(repository: Repository) -> dict[str, str]:
    """The accession of every AIP, and of those that were deleted."""
    gone = {request.aip: request.accession for request in repository.requests()}
    return gone | {aip.aip: aip.accession for aip in repository.aips()}


def _event_row(happened: Happened, known: Mapping[str, str]) -> Json:
    told = wire.happened(happened)
    return {**told, "object": known.get(happened.object, happened.object), "why": why(happened.detail) or None}
