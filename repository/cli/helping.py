"""What `--help` looks like: the names of values as the documents write them, PATH and not {path} or <str>."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

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


class Command(TyperCommand):
    """A command with such help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [_BRACED.sub(r"\1", piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        _sections(self, ctx, formatter)
