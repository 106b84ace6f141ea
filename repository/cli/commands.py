"""Every command in the order of a day's work, each imported when it is asked for: none should wait for the others."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from repository.cli.helping import Command, Group

COMMANDS = {
    "init": "init:init",
    "ingest": "ingest:ingest",
    "metadata": "metadata:metadata",
    "accessions": "accessions:accessions",
    "accept": "accessions:accept",
    "return": "accessions:give_back",
    "cancel": "accessions:cancel",
    "identify": "identify:identify",
    "validate": "validate:validate",
    "list": "holdings:list_aips",
    "show": "holdings:show",
    "files": "holdings:files",
    "search": "holdings:search",
    "events": "holdings:events",
    "repair": "repair:repair",
    "scan": "scan:scan",
    "characterize": "characterize:characterize",
    "replicate": "copies:replicate",
    "export": "export:export",
    "delete": "deletions:delete",
    "approve": "deletions:approve",
    "withdraw": "deletions:withdraw",
    "deletions": "deletions:deletions",
    "hold": "holds:hold",
    "release": "holds:release",
    "holds": "holds:holds",
    "sweep": "sweep:sweep",
    "scheduler": "scheduler:scheduler",
    "alerts": "alerts:alerts",
    "metrics": "alerts:show_metrics",
    "rebuild": "rebuild:rebuild",
    "doctor": "doctor:doctor",
    "audit": "audit:app",
    "copies": "copies:app",
    "ledger": "ledger:app",
    "migrate": "migrate:app",
    "drill": "drill:app",
    "jobs": "jobs:app",
    "signatures": "signatures:app",
}
"""Where each is: a module of repository.cli, and the command in it, or an application of several."""


def loaded(name: str) -> Callable[..., None] | typer.Typer:
    """The function of a command, or the application of those that share a name."""
    module, attribute = COMMANDS[name].split(":")
    found: Callable[..., None] | typer.Typer = getattr(import_module(f"repository.cli.{module}"), attribute)
    return found


def _made(name: str) -> Any:
    """A command as typer runs it."""
    holder, found = typer.Typer(rich_markup_mode=None), loaded(name)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name, cls=Group)
    else:
        holder.command(name, cls=Command)(found)
    return typer.main.get_group(holder).commands[name]


class _Later(UserDict[str, Any]):
    """Commands by name, each made when somebody looks at it."""

    def __getitem__(self, name: str) -> Any:
        if self.data[name] is None:
            self.data[name] = _made(name)
        return self.data[name]


class Commands(TyperGroup):
    """The commands of `tianyi`."""

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        self.commands = _Later(dict.fromkeys(COMMANDS))
