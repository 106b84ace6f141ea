"""Which values came before: a set that goes to a temporary file when it is large."""

from __future__ import annotations

import sqlite3


class Seen:
    """Texts that were added; memory does not grow with them. Not for several threads."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # a temporary file that SQLite removes
        self._db.execute("pragma journal_mode = off")
        self._db.execute("pragma synchronous = off")
        self._db.execute("create table seen (value blob primary key) without rowid")
        self._db.execute("begin")

    def __del__(self) -> None:
        self._db.close()

    def add(self, value: bytes) -> bool:
        """Take a value in; return whether it is new."""
        return self._db.execute("insert or ignore into seen values (?)", (value,)).rowcount == 1

    def __contains__(self, value: bytes) -> bool:
        return self._db.execute("select 1 from seen where value = ?", (value,)).fetchone() is not None
