"""Backups of what is quick to lose and slow to make again: the catalogue, and what is in work.

Neither is needed to keep anything: the vault is. With a backup nobody has to wait for `tianyi rebuild`.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from repository.config import Config
from repository.copies import check_outside
from repository.errors import BackupFailed
from repository.rows import read_only
from storage import durable

_STAMP = "%Y-%m-%dT%H%M%SZ"
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")


@dataclass(frozen=True, slots=True)
class Backup:
    """A folder with a copy of each file; `removed` counts older ones that went."""

    folder: Path
    files: int
    size: int
    removed: int


def back_up(settings: Config, folder: str, keep: int, now: datetime) -> Backup:
    """Copy the catalogue and work/state.db, each as it is at one moment whoever writes, into a new folder below
    `folder` (in the repository, or a path); of the older ones `keep` - 1 stay.

    Raises BackupFailed where a copy does not read well, BadRequest for a place inside a copy, and OSError.
    """
    place = settings.folder / folder
    check_outside(place, settings)
    place.mkdir(parents=True, exist_ok=True)
    target = place / now.strftime(_STAMP)
    scratch = target.with_name(f".{target.name}")
    shutil.rmtree(scratch, ignore_errors=True)  # of one that was killed
    scratch.mkdir()
    sources = [path for path in (settings.catalogue, settings.work / "state.db") if path.exists()]
    size = sum(_copied(source, scratch / source.name) for source in sources)
    durable.DISK.sync_folder(str(scratch))
    scratch.rename(target)
    durable.DISK.sync_folder(str(place))
    return Backup(target, len(sources), size, _thin_out(place, keep))


def _copied(source: Path, target: Path) -> int:
    """Copy a database by SQLite's own means, and read it all again; return its size in bytes."""
    reading = sqlite3.connect(read_only(source), uri=True, timeout=60.0)
    try:
        with closing(reading) as db, closing(sqlite3.connect(target)) as copy:
            db.backup(copy)
            copy.execute("pragma journal_mode = delete")
            [(verdict,)] = copy.execute("pragma quick_check(1)")
    except sqlite3.DatabaseError as error:
        raise BackupFailed(str(source), str(error)) from error
    if verdict != "ok":
        raise BackupFailed(str(source), str(verdict))
    with target.open("rb") as file:
        durable.DISK.sync_file(file.fileno())
    return target.stat().st_size


def _thin_out(place: Path, keep: int) -> int:
    old = sorted(_backups(place))[:-keep]
    for folder in old:
        shutil.rmtree(folder)
    return len(old)


def _backups(place: Path) -> Iterator[Path]:
    """The folders there that are ours by their names."""
    return (path for path in place.iterdir() if _NAME.fullmatch(path.name))
