"""What a command shows: tables and sentences for people, or JSON and nothing else on standard output."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from repository.words import counted as counted
from repository.words import size as size
from storage.parallel import portions

Json = dict[str, Any]
_LINE_ENDS = {ord(c): f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"}
_TABLE = 1_000  # rows; a longer list is shown in parts
_PATIENCE = 1.0  # seconds before a progress bar appears


class Screen:
    """Two printers of one shape. Colour only on terminals; progress on standard error."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.console = Console(highlight=False, soft_wrap=True, emoji=False)
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

    def result(self, value: Json, show: Callable[[Console], None]) -> None:
        """One object: as JSON, or as `show` prints it."""
        if self.json:
            print(dumps(value))
        else:
            show(self.console)

    def rows(self, rows: Iterable[Json], columns: Sequence[str], *, nothing: str, spare: Sequence[str] = ()) -> None:
        """A list: JSON Lines, or a table of some columns (or several); `nothing` is said where it is empty.
        On a terminal that is too narrow for all of it, the `spare` columns are left out, one after the other."""
        if self.json:
            for row in rows:
                print(dumps(row))
            return
        empty = True
        for some in portions(rows, _TABLE):
            self._show_table(some, columns, spare)
            empty = False
        if empty:
            self.console.print(nothing)

    def _show_table(self, listed: Sequence[Json], columns: Sequence[str], spare: Sequence[str]) -> None:
        table = _table(listed, columns)
        if not self.console.is_terminal:
            self.console.width = 10_000  # whoever reads a file or a pipe wants whole cells
        for column in spare:
            if _width(table) <= self.console.width:
                break
            columns = [one for one in columns if one != column]
            table = _table(listed, columns)
        if _width(table) > self.console.width:
            table = _table(listed, columns, tight=True)
        self._print(table)

    def _print(self, table: Table) -> None:
        """A table; in a file or a pipe without the blanks that fill its last column."""
        if self.console.is_terminal:
            self.console.print(table, soft_wrap=False)
            return
        with self.console.capture() as shown:
            self.console.print(table, soft_wrap=False)
        print(re.sub(" +$", "", shown.get(), flags=re.MULTILINE), end="")

    def warn(self, message: str) -> None:
        """Something that a person has to know beside the answer, on standard error."""
        self.errors.print(f"[bold yellow]Warning:[/] {escape(message)}")

    def error(self, code: str, message: str, next_step: str, *, json: bool | None = None) -> None:
        """An error, as JSON where that was asked for, unless said otherwise."""
        if self.json if json is None else json:
            print(dumps({"code": code, "message": message, "next": next_step}))
            return
        self.errors.print(f"[bold red]Error:[/] {escape(message)}")
        if next_step:
            self.errors.print(f"[dim]→[/] {escape(next_step)}")

    def progress(self, context: typer.Context) -> Bar:
        """A bar that is gone when the command ends, however it does: an error has a line, and a terminal its cursor."""
        bar = Bar(self.errors)
        context.call_on_close(bar.end)
        return bar


class _Rate(ProgressColumn):
    """Bytes a second, in the units of everything else that is shown (rich knows decimal ones alone)."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{size(round(speed))}/s" if speed else "", style="progress.data.speed")


class Bar:
    """A progress bar with rate and time left (storage.progress.Progress), on a terminal, after a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._what, self._files, self._size, self._done, self._bytes, self._since = "", 0, 0, 0, 0, 0.0

    def begin(self, what: str, files: int, size: int) -> None:
        self.end()
        self._what, self._files, self._size = what, files, size
        self._done = self._bytes = 0
        self._since = time.monotonic()

    def advance(self, files: int, size: int) -> None:
        self._done, self._bytes = self._done + files, self._bytes + size
        if self._bar is None and self._console.is_terminal and time.monotonic() - self._since > _PATIENCE:
            self._start()
        if self._bar is not None:
            count = f"{self._done:,} of {self._files:,} files" if self._files else counted(self._done, "file")
            if not self._size:  # else the bytes have a rate
                count += f", {self._done / (time.monotonic() - self._since):,.0f}/s"
            self._bar.update(self._bar.task_ids[0], completed=self._bytes or self._done, count=count)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self) -> None:
        columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}")]
        rates = [DownloadColumn(binary_units=True), _Rate()] if self._size else []
        self._bar = Progress(*columns, *rates, TimeRemainingColumn(), console=self._console, transient=True)
        self._bar.add_task(self._what, total=self._size or self._files or None, count="")
        self._bar.start()


_FLOWING = frozenset({"title", "path", "file", "agent", "puids", "was", "would_be", "mime", "found", "why", "reason"})
"""Columns whose text may go on in the next line; numbers, times and words stay whole."""


_TIGHT = {"type": 14}
"""Columns that are narrowed for the sake of the others, where room is wanting."""


def _table(rows: Sequence[Json], columns: Sequence[str], *, tight: bool = False) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        numeric = any(isinstance(row.get(column), int) for row in rows)
        most = _TIGHT.get(column) if tight else None
        flows = column in _FLOWING or most is not None
        table.add_column(
            column.replace("_", " "), justify="right" if numeric else "left", no_wrap=not flows,
            overflow="fold" if flows else "ellipsis", max_width=most,
        )  # fmt: skip
    for row in rows:
        table.add_row(*(escape(cell(column, row.get(column))) for column in columns))
    return table


def _width(table: Table) -> int:
    """What the table needs, if no cell goes on in the next line."""
    wide = Console(width=10_000)
    return wide.measure(table).maximum


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
