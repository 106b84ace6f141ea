"""tianyi scheduler, tianyi jobs."""

from __future__ import annotations

import typer

from repository.cli.app import AsJson


def scheduler(context: typer.Context, json: AsJson = False) -> None:
    """Run jobs by policy until told to stop."""


def jobs(context: typer.Context, json: AsJson = False) -> None:
    """List jobs with their last and next run."""
