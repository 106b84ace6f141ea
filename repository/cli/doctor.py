"""tianyi doctor."""

from __future__ import annotations

import typer

from repository.cli.app import AsJson


def doctor(context: typer.Context, json: AsJson = False) -> None:
    """Say what is installed, and whether the disk keeps its promises."""
