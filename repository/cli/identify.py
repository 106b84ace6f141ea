"""tianyi identify: formats of files where they lie, or what an officer says that files held are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.identify import Identifier
from ingest.survey import Surveyed, survey
from repository import config, edge, identifiers, wire
from repository.cli.app import AsJson, chosen, opened
from repository.cli.deletions import Reason
from repository.cli.ending import followed
from repository.cli.naming import short
from repository.cli.screen import Screen, printable
from repository.errors import BadRequest, NoRepository
from repository.workers import workers
from storage.progress import Progress


def identify(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Files, and folders with all below them; with --set, files held."),
    ],
    set_to: Annotated[
        str, typer.Option("--set", metavar="PUID", help="Say what files held are, by path in the AIP or by digest.")
    ] = "",
    aip: Annotated[str, typer.Option(metavar="AIP", help="With --set: the AIP that they are in.")] = "",
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Say which formats files have, by PRONOM; needs no repository. With --set, correct what is on record."""
    screen = Screen(json=json)
    if set_to:
        raise typer.Exit(_correct(context, screen, paths, set_to, aip, reason))
    if aip or reason:
        raise BadRequest("--aip and --reason are for corrections.", "Add --set PUID, or leave them out.")
    unread: list[Surveyed] = []
    rows = _rows(list(map(Path, paths)), _identifier(context, screen), screen.progress(context), unread)
    screen.rows(rows, ["path", "size", "puids", "mime", "basis"], nothing="No files there.")
    for one in unread:
        _tell(screen, one)
    raise typer.Exit(edge.INCOMPLETE if unread else edge.DONE)


def _correct(context: typer.Context, screen: Screen, names: list[str], puid: str, aip: str, reason: str) -> int:
    with opened(context, screen) as repository:
        done = repository.correct(names, puid, reason, aip=aip)
    rows = map(wire.correction, done)
    shown = rows if screen.json else ({**row, "file": short(row["file"])} for row in rows)
    screen.rows(shown, ["file", "was", "puid", "reason"], nothing="")
    return followed(screen, frozenset().union(*(one.behind for one in done)))


def _identifier(context: typer.Context, screen: Screen) -> Callable[[], Identifier]:
    """That of the repository, where the command is given in one or names one: its signatures may be newer."""
    try:
        config.load(chosen(context))
    except NoRepository:
        return partial(identifiers.identifier, identifiers.users_cache())
    with opened(context, screen) as repository:
        return repository.identifier()


def _rows(
    paths: list[Path], identifier: Callable[[], Identifier], progress: Progress, unread: list[Surveyed]
) -> Iterator[dict[str, Any]]:
    for file in survey(paths, identifier, workers, progress):
        if file.error:
            unread.append(file)
        if file.is_special:
            continue
        row = {"path": file.path, "size": file.size, "puids": list(file.found.puids), "mime": file.found.mime}
        row["basis"] = file.found.basis.value
        if file.error:
            row["error"] = file.error
        yield row


def _tell(screen: Screen, one: Surveyed) -> None:
    """What was left out, and on a screen why a file has no format; in JSON its row has that."""
    if one.is_special and screen.json:
        screen.error("special-file", one.error, "Leave it out.", path=one.path)
    elif not screen.json:
        screen.warn(f"{'special-file ' * one.is_special}{printable(one.path)} {printable(one.error)}")
