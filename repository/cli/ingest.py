"""tianyi ingest: take in an accession."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.delivery import Receipt
from ingest.terms import Terms, terms
from repository import edge, wire
from repository.accession import Accession
from repository.cli import ending
from repository.cli.app import AsJson, chosen, opened
from repository.cli.completing import aip_numbers
from repository.cli.findings import show_findings
from repository.cli.screen import Screen, counted, escape, size
from repository.cli.telling import attempted, tell

if TYPE_CHECKING:
    from rich.console import Console

    from repository import Repository


class Kind(StrEnum):
    FOLDER = "folder"
    BAG = "bag"
    OCFL = "ocfl"
    EARK = "eark"
    ROCRATE = "rocrate"
    ZIP = "zip"
    TAR = "tar"
    SEVEN_ZIP = "7z"


Manifest = Annotated[
    Path | None, typer.Option("--manifest", metavar="FILE", help="The producer's list of digests: md5sum's, or .csv.")
]
_COLOURS = {"accepted": "green", "held": "yellow", "rejected": "red"}


def ingest(
    context: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="PATH", help="A folder, a bag, OCFL, E-ARK, an RO-Crate, a zip, tar or 7z."),
    ] = None,
    title: Annotated[str, typer.Option(metavar="TITLE", help="The AIP's title.")] = "",
    producer: Annotated[str, typer.Option(metavar="NAME", help="Who delivers it.")] = "",
    metadata: Annotated[Path | None, typer.Option(metavar="FILE", help="Dublin Core as .json or .csv.")] = None,
    manifest: Manifest = None,
    kind: Annotated[Kind | None, typer.Option("--as", help="What it is, where detection errs.")] = None,
    accept: Annotated[str, typer.Option("--accept-held", metavar="REASON", help="Why what is held is accepted.")] = "",
    agreement: Annotated[str, typer.Option(metavar="ID", help="The submission agreement that it comes under.")] = "",
    rights: Annotated[str, typer.Option(metavar="TEXT", help="Who may do what with it.")] = "",
    restrictions: Annotated[str, typer.Option(metavar="TEXT", help="What nobody may, and until when.")] = "",
    received: Annotated[str, typer.Option(metavar="DATE", help="When it was handed over, as 2026-03-01.")] = "",
    extent: Annotated[str, typer.Option(metavar="TEXT", help="What was handed over, as 2 disks.")] = "",
    into: Annotated[
        str,
        typer.Option(
            metavar="AIP", help="Add it to an AIP that is held, as a new version.", autocompletion=aip_numbers
        ),
    ] = "",
    add: Annotated[bool, typer.Option("--add", help="With --into: no file takes the place of another.")] = False,
    replacing: Annotated[
        bool, typer.Option("--replace", help="With --into: its files take the place of those of the same path.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what was interrupted; PATH is left out.")
    ] = False,
    drops: Annotated[
        Path | None, typer.Option("--watch", metavar="DIR", help="Take in each entry of a drop folder; no PATH.")
    ] = None,
    settle: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="With --watch: how long an entry has to be at rest.")
    ] = 30,
    once: Annotated[bool, typer.Option("--once", help="With --watch: take what is there, then stop.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; take nothing in.")] = False,
    json: AsJson = False,
) -> None:
    """Take in an accession: examine every file, decide by policy, keep it as an AIP. Of an OCFL storage root, each
    object is an accession of its own, with an answer of its own."""
    screen = Screen(json=json)
    agreed = _terms(agreement=agreement, rights=rights, restrictions=restrictions, received=received, extent=extent)
    if [path is not None, resume, drops is not None].count(True) != 1:
        raise typer.BadParameter("Name a PATH, or say --resume or --watch DIR without one.")
    _check_into(into, add, replacing, alone=path is not None)
    if drops is not None:
        if title or metadata or manifest or accept or received or extent or dry_run:
            raise typer.BadParameter("--watch goes with --producer, --as, --agreement, --rights and --restrictions.")
        from repository.cli.watching import watch
        from repository.drops import Said

        said = Said(producer, kind or "", agreed)
        opens = partial(opened, context, screen)
        code = watch(screen, chosen(context), opens, drops, settle, said, once=once, show=show, exit_code=exit_code)
        raise typer.Exit(code)
    with opened(context, screen) as repository:
        if path is None:
            codes = _resumed(screen, repository) | _stranded(screen, repository.accessions())
            if not codes:
                screen.result({"resumed": 0}, lambda console: console.print("There is nothing to go on with."))
            raise typer.Exit(_worst(codes))
        packages = repository.deliveries(path, kind or "")
        if dry_run:
            look = partial(
                repository.preflight, metadata=metadata, manifest=manifest, kind=kind or "", override=accept,
                into=into, replacing=replacing,
            )  # fmt: skip
            from repository.cli.preflight import foretold

            codes = {foretold(screen, repository, look(one)) for one in packages}
            raise typer.Exit(_worst(codes))
        receipts = (
            repository.ingest(
                package, title=title, producer=producer, metadata=metadata, manifest=manifest, kind=kind or "",
                override=accept, terms=agreed, into=into, replacing=replacing,
            )
            for package in packages
        )  # fmt: skip
        raise typer.Exit(_worst(_told(screen, receipts)))


def _check_into(into: str, add: bool, replacing: bool, *, alone: bool) -> None:
    if [add, replacing].count(True) != bool(into):
        raise typer.BadParameter("Say --into AIP with --add or with --replace.")
    if into and not alone:
        raise typer.BadParameter("--into goes with a PATH.")


def _told(screen: Screen, receipts: Iterable[Receipt]) -> set[int]:
    """Tell of each when it is done; return the exit codes."""
    codes = set()
    for receipt in receipts:
        screen.result(wire.receipt(receipt), partial(show, receipt=receipt))
        codes.add(exit_code(receipt))
        ending.stop_if_asked()
    return codes


def _resumed(screen: Screen, repository: Repository) -> set[int]:
    """Go on with each, and tell of it when it is done, or of what is wrong with it; return the exit codes."""
    codes = set()
    for number in repository.interrupted():
        found = attempted(partial(repository.resume, [number]))
        if isinstance(found, Exception):
            codes.add(tell(screen, found, accession=number))
        else:
            codes |= _told(screen, found)
    return codes


def _stranded(screen: Screen, accessions: Iterable[Accession]) -> set[int]:
    """Tell of each that nobody can go on with; return the exit code."""
    codes = set()
    for one in accessions:
        if one.is_stranded:
            said = f"Where the delivery of {one.accession} lies is not known any more."
            screen.error("source-unknown", said, f"{one.next}.", accession=one.accession, outcome=one.state)
            codes.add(edge.INCOMPLETE)
    return codes


def _worst(codes: set[int]) -> int:
    return min(codes - {edge.DONE}, default=edge.DONE)


def exit_code(receipt: Receipt) -> int:
    if receipt.outcome == "rejected":
        return edge.REJECTED
    return edge.INCOMPLETE if receipt.outcome == "held" or receipt.behind else edge.DONE


def _terms(**said: str) -> Terms:
    try:
        return terms(**said)
    except ValueError as error:
        raise typer.BadParameter(f"--received {said['received']!r} is no date: write it as 2026-03-01.") from error


def show(console: Console, receipt: Receipt) -> None:
    colour = _COLOURS[receipt.outcome]
    console.print(f"[bold]Accession {receipt.accession}[/] [{colour}]{receipt.outcome}[/] ({receipt.kind})")
    console.print(f"  {counted(receipt.files, 'file')}, {size(receipt.size)}, of which {size(receipt.new_bytes)} new")
    if receipt.extracted:
        console.print(f"  {counted(receipt.extracted, 'file')} extracted from archives in it")
    if receipt.aip:
        console.print(f"  [cyan]{receipt.aip}[/] version {receipt.version}")
    show_findings(console, receipt)
    if receipt.findings_total:
        console.print(f"  [dim]all findings: {escape(str(receipt.report))}[/]")
    if receipt.behind:
        behind = ", ".join(sorted(receipt.behind))
        console.print(f"[yellow]Behind:[/] {behind}. See tianyi copies, then tianyi replicate.")
    if receipt.outcome == "held":
        console.print(
            f'[dim]→[/] Look at the findings; then tianyi accept {receipt.accession} --reason "…", or return it.'
        )
    elif not receipt.behind:
        document = "receipt" if receipt.aip else "report"
        console.print(f"[dim]→[/] The producer's {document}: {escape(str(receipt.report.with_suffix('.html')))}")
