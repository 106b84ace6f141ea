"""Formats of files where they lie: for the `identify` command, without a repository."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ingest import folder
from ingest.errors import NoSuchPackage
from ingest.finding import Finding
from ingest.identify import Basis, Identification, Identifier
from ingest.sample import sample_of
from storage.namemap import Kind
from storage.names import escape_path, unescape_path
from storage.parallel import in_order
from storage.portions import portions
from storage.progress import SILENT, Progress
from storage.spool import Spool


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A file's path (escaped), bytes and format; `error` says why it could not be read, "" where it was. What
    `is_special` is no file: it has no bytes and no format."""

    path: str
    size: int
    found: Identification
    error: str = ""
    is_special: bool = False


def survey(
    paths: Sequence[Path], identifier: Callable[[], Identifier],
    executor: Callable[[int, int], AbstractContextManager[Executor]], progress: Progress = SILENT,
) -> Iterator[Surveyed]:  # fmt: skip
    """Yield what cannot be looked at, then every regular file at or below the paths, sorted by path.

    Raises NoSuchPackage before the first.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as db:  # a temporary file that SQLite removes
        db.execute("create table files (path blob primary key) without rowid")
        db.execute("begin")
        unread: Spool[Surveyed] = Spool()
        for one in (one for path in paths for one in _files(os.fsencode(path))):
            if isinstance(one, Surveyed):
                unread.append(one)
            else:
                db.execute("insert or ignore into files values (?)", (one,))
        yield from unread
        count = db.execute("select count(*) from files").fetchone()[0]
        files = (path for (path,) in db.execute("select path from files order by path"))
        identifier()  # so that what is kept ready for it is there before the workers look for it
        progress.begin("Identifying", count, 0)
        with executor(count, 0) as pool:
            for some in in_order(pool, partial(_some, identifier), portions(files, 100)):
                progress.advance(len(some), 0)
                yield from some
        progress.end()


def _files(path: bytes) -> Iterator[bytes | Surveyed]:
    """Yield the path of each file, and what cannot be looked at."""
    try:
        mode = os.stat(path).st_mode
    except OSError as failure:
        raise NoSuchPackage(escape_path(path)) from failure
    if stat.S_ISREG(mode):
        yield path
    elif not stat.S_ISDIR(mode):
        yield _told(path, folder.special(b""))
    else:
        for item in folder.walk(path):
            if isinstance(item, Finding):
                yield _told(os.path.join(path, unescape_path(item.path)), item)
            elif item.kind is Kind.FILE:
                yield item.source


def _told(path: bytes, why: Finding) -> Surveyed:
    return replace(_unread(path, why.message), is_special=why.code == "special-file")


def _unread(path: bytes, why: str) -> Surveyed:
    return Surveyed(escape_path(path), 0, Identification.of((), Basis.NONE), why)


def _some(identifier: Callable[[], Identifier], paths: Iterable[bytes]) -> list[Surveyed]:
    return [_one(identifier(), path) for path in paths]


def _one(identifier: Identifier, path: bytes) -> Surveyed:
    shown = escape_path(path)
    try:
        sample = sample_of(path)
        return Surveyed(shown, sample.size, identifier.identify(sample))
    except OSError as failure:
        return _unread(path, failure.strerror or str(failure))
