"""Tables for people."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from repository.cli.screen import Json, cell, printable

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


def show_table(
    console: Console, listed: Sequence[Json], columns: Sequence[str], spare: Sequence[str], step: str = ""
) -> None:
    """Rows as a table of some columns; where it is too wide, without the `spare` ones, one after the other. Below each
    row stands its field `step`, if it has one; then nothing of the first column may be empty."""
    table = _table(listed, columns)
    if not console.is_terminal:
        console.width = 10_000  # whoever reads a file or a pipe wants whole cells
    for column in spare:
        if _width(table) <= console.width:
            break
        columns = [one for one in columns if one != column]
        table = _table(listed, columns)
    if _width(table) > console.width:
        table = _table(listed, columns, tight=True)
    _print(console, table, [str(row.get(step) or "") for row in listed])


def _print(console: Console, table: Table, steps: Sequence[str]) -> None:
    """A table with what stands below its rows; in a file or a pipe without the blanks that fill its last column."""
    with console.capture() as shown:
        console.print(table, soft_wrap=False)
    text = shown.get()
    if not console.is_terminal:
        text = re.sub(" +$", "", text, flags=re.MULTILINE)
    head, *rows = _by_rows(text) if any(steps) else [text]
    print(head, end="")
    for row, told in zip(rows, steps, strict=bool(rows)):
        print(row, end="")
        if told:
            console.print(f"  [dim]→[/] {escape(printable(told))}")


def _by_rows(text: str) -> list[str]:
    """A table's lines, those of its header and of each row together: what goes on begins with a blank."""
    return re.findall(r"^[^ \n].*\n(?: .*\n)*", text, flags=re.MULTILINE)
