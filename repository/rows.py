"""Rows of the catalogue by the names of their columns, which are ours and never from outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from sqlite3 import Connection

Row = Mapping[str, object]
"""Text, numbers and bytes by column."""


def read_only(path: Path) -> str:
    """The URI by which SQLite opens a file without writing to it, whatever its path holds (sqlite.org/uri.html)."""
    return f"{path.absolute().as_uri()}?mode=ro"


def put(db: Connection, table: str, row: Row) -> None:
    """Write a row; one that has its key gives way as a whole."""
    db.execute(f"insert or replace {_into(table, row)}", row)


def put_new(db: Connection, table: str, row: Row) -> None:
    """Write a row, unless there is one that has its key."""
    db.execute(f"insert or ignore {_into(table, row)}", row)


def update(db: Connection, table: str, key: str, row: Row) -> None:
    """Write a row; of one that has its `key`, what is named here changes, and triggers see that."""
    changes = ", ".join(f"{name} = excluded.{name}" for name in row if name != key)
    db.execute(f"insert {_into(table, row)} on conflict ({key}) do update set {changes}", row)


def _into(table: str, row: Row) -> str:
    return f"into {table} ({', '.join(row)}) values ({', '.join(f':{name}' for name in row)})"
