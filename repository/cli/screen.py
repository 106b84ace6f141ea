"""What a command shows: tables and sentences for people, or JSON and nothing else on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import typer

from repository.cli.bar import Bar
from repository.words import counted as counted
from repository.words import size as size
from storage.portions import portions

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]
_LINE_ENDS = {ord(c): f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"}
_TABLE = 1_000  # rows; a longer list is shown in parts


class Screen:
    """Two printers of one shape. Colour only on terminals; progress on standard error.

    What only people see is imported when something is shown to them."""

    def __init__(self, *, json: bool) -> None:
        self.json = json

    @cached_property
    def console(self) -> Console:
        return _console()

    @cached_property
    def errors(self) -> Console:
        return _console(stderr=True)

    def result(self, value: Json, show: Callable[[Console], None]) -> None:
        """One object: as JSON, or as `show` prints it."""
        if self.json:
            print(dumps(value))
        else:
            show(self.console)

    def rows(
        self, rows: Iterable[Json], columns: Sequence[str], *, nothing: str, spare: Sequence[str] = (), step: str = ""
    ) -> None:  # fmt: skip
        """A list: JSON Lines, or a table of some columns (or several); `nothing` is said where it is empty.
        On a terminal that is too narrow for all of it, the `spare` columns are left out, one after the other. The field
        `step` of a row, what is to be done, stands below it."""
        if self.json:
            for row in rows:
                print(dumps(row))
            return
        from repository.cli.table import show_table

        empty = True
        for some in portions(rows, _TABLE):
            show_table(self.console, some, columns, spare, step)
            empty = False
        if empty:
            self.console.print(nothing)

    def warn(self, message: str) -> None:
        """Something that a person has to know beside the answer, on standard error."""
        self.errors.print(f"[bold yellow]Warning:[/] {escape(message)}")

    def error(self, code: str, message: str, next_step: str, *, json: bool | None = None, **about: str) -> None:
        """An error, as JSON where that was asked for, unless said otherwise; `about` are further fields of that."""
        if self.json if json is None else json:
            print(dumps({**about, "code": code, "message": message, "next": next_step}))
            return
        self.errors.print(f"[bold red]Error:[/] {escape(message)}")
        if next_step:
            self.errors.print(f"[dim]→[/] {escape(next_step)}")

    def progress(self, context: typer.Context) -> Bar:
        """A bar that is gone when the command ends, however it does: an error has a line, and a terminal its cursor."""
        bar = Bar(lambda: self.errors)
        context.call_on_close(bar.end)
        return bar


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)


def escape(text: str) -> str:
    """Text as markup that says it."""
    from rich import markup

    return markup.escape(text)


def cell(column: str, value: object) -> str:
    """A value as a table shows it; names keep one line whatever they hold."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return size(value) if column.endswith("bytes") or column == "size" else f"{value:,}"
    return printable(str(value))


def printable(text: str) -> str:
    """Text without control characters, which a name may hold and a terminal would obey."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def lasting(seconds: float) -> str:
    """A time in the unit that people count in."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}s"
    return counted(max(1, round(seconds)), "second")


def dumps(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=not _is_utf8(), sort_keys=False)
    # half a character becomes JSON's own escape, and so does what some readers of lines take for a line's end
    return text.encode("utf-8", "backslashreplace").decode().translate(_LINE_ENDS)


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
