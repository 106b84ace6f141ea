"""tianyi init: make a repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repository import Repository, wire
from repository.cli.app import AsJson, session
from repository.cli.screen import Screen, escape

if TYPE_CHECKING:
    from rich.console import Console


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or not there yet.")],
    copy: Annotated[
        list[str] | None, typer.Option(metavar="PATH_OR_URL", help="Another copy of the vault; may be given again.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a repository; more copies of the vault where asked."""
    with Repository.init(folder, copy or [], agent=session(context).agent) as repository:
        copies = [{"name": one.name, "url": one.url} for one in repository.copies]
        told = {"repository": wire.place(repository.settings.folder), "vault": repository.settings.vault_id}
    Screen(json=json).result({**told, "copies": copies}, lambda console: _show(console, told, copies))


def _show(console: Console, told: dict[str, str], copies: list[dict[str, str]]) -> None:
    console.print(f"[bold]Repository[/] {escape(told['repository'])}")
    for one in copies:
        console.print(f"  copy [cyan]{one['name']}[/]  {escape(one['url'])}")
    if len(copies) == 1:
        console.print("[dim]One copy alone cannot be repaired; `tianyi copies add NAME PATH` declares another.[/]")
    console.print(f"[dim]→[/] tianyi -C {escape(told['repository'])} ingest PATH")
