"""Reports of a command: lists that are too long for a screen, in the repository's `work/reports/`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from repository import Repository
from repository.cli.screen import Json, dumps
from storage.aip import stamp


def write(repository: Repository, command: str, rows: Iterable[Json]) -> Path:
    """Write one JSON object a line; return the file, which is named by the command and this moment."""
    path = repository.settings.work / "reports" / f"{command}-{stamp(repository.now()).replace(':', '')}.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{dumps(row)}\n" for row in rows)
    return path
