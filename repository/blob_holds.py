"""Which blobs count as held (a committed record of that copy refers to it, and its last reading there was not bad).

By itself, and light: every worker of an ingest imports it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from repository import schema
from repository.rows import read_only
from storage import layout
from storage.aip import parse_aip
from storage.away import has
from storage.digest import Digest
from storage.store import Opens

_KNOWN: Final = "select 1 from files where digest = ? limit 1"
_REFERRING: Final = (
    "select v.aip, v.version from files f join versions v on v.aip = f.aip"
    " and v.version between f.since and coalesce(f.until, v.version) where f.digest = ?1 and not exists"
    f" (select 1 from damage where copy = ?2 and key = ?3 and {schema.IS_DAMAGED})"
    " limit 20"
)


class CatalogueHolds:
    """Which blobs count as held (`storage.receive.Holds`), asked of the catalogue; opened anew in each worker."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __getstate__(self) -> Path:
        return self._path

    def __setstate__(self, path: Path) -> None:
        self.__init__(path)  # type: ignore[misc]  # a fresh connection in the new process

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def holds(self, copy: Opens, digest: Digest) -> bool:
        if self._connection is None:
            self._connection = sqlite3.connect(read_only(self._path), uri=True, timeout=60.0)
        told = str(digest)
        if self._connection.execute(_KNOWN, (told,)).fetchone() is None:
            return False  # as most are of an ingest
        rows = self._connection.execute(_REFERRING, (told, copy.name, layout.blob_key(digest))).fetchall()
        return any(has(copy, layout.record_key(parse_aip(aip), version)) for aip, version in rows)
