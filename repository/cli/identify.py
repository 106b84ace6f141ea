"""tianyi identify: formats of files where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.survey import survey
from repository import edge
from repository.cli.app import AsJson
from repository.cli.screen import Screen
from repository.identifiers import identifier, users_cache
from repository.workers import workers


def identify(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Files, and folders with all that is below them.")
    ],
    json: AsJson = False,
) -> None:
    """Say which formats files have, by PRONOM; needs no repository."""
    screen = Screen(json=json)
    unread: list[str] = []
    screen.rows(_rows(paths, screen, unread), ["path", "size", "puids", "mime", "basis"], nothing="No files there.")
    raise typer.Exit(edge.INCOMPLETE if unread else edge.DONE)


def _rows(paths: list[Path], screen: Screen, unread: list[str]) -> Iterator[dict[str, Any]]:
    for file in survey(paths, partial(identifier, users_cache()), workers, screen.progress()):
        row = {"path": file.path, "size": file.size, "puids": list(file.found.puids), "mime": file.found.mime}
        row["basis"] = file.found.basis.value
        if file.error:
            unread.append(file.path)
            row["error"] = file.error
        yield row
