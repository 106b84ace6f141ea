"""What `--help` looks like: the names of values as the documents write them, PATH and not {path} or <str>. And which
command's help an error points to."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

UsageError: Any = typer.BadParameter.__bases__[0]  # click's, or the copy of click that typer carries
_BRACED = re.compile(r"^\{(.+)\}")
_TYPE = re.compile(r" (<[^>]*>|list\[.*\])(\.\.\.)?$")


def _sections(command: Any, context: Any, formatter: Any) -> None:
    """Arguments and options, each with its help; an argument's name says what it is, so that its type is left out."""
    found: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
    for parameter in command.get_params(context):
        if record := parameter.get_help_record(context):
            kind = parameter.param_type_name
            found[kind].append((_TYPE.sub("", record[0]) if kind == "argument" else record[0], record[1]))
    for title, rows in (("Arguments", found["argument"]), ("Options", found["option"])):
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


class _Named:
    """What its parser cannot use is its own: an option without its value is told without saying of which command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            parsed: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]  # of the class beside it
            return parsed
        except UsageError as error:
            error.ctx = getattr(error, "ctx", None) or ctx
            raise


class Group(_Named, TyperGroup):
    """Several commands of one name, which may have options of its own."""


class Command(_Named, TyperCommand):
    """A command with such help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [_BRACED.sub(r"\1", piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        _sections(self, ctx, formatter)
