"""Where errors leave the program: one table from error to exit code and HTTP status, one sentence, one next step."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from ingest.errors import Cancelled, ConversionFailed, IngestError, NoSuchPackage
from policies.errors import PolicyError
from repository import errors as own
from storage import errors as storage
from storage.errors import TianyiError

DONE, FAULT, USAGE, DAMAGE, NOT_FOUND, REJECTED, INCOMPLETE, LOCKED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 11, 130

EXIT_CODES = {
    DONE: "done and complete",
    FAULT: "a fault of Tianyi's own: please report it",
    USAGE: "the command was not understood",
    DAMAGE: "damage is present at the end",
    NOT_FOUND: "what was asked for is not there",
    REJECTED: "rejected, or not valid",
    INCOMPLETE: "incomplete, or waiting for a person: held, a copy away or behind, something not checked",
    LOCKED: "somebody else is at work on it",
    INTERRUPTED: "interrupted",
}


_NEARLY_NOTHING = 1 << 20  # bytes
_AGAIN = re.compile(r"(run the same command|try) again")  # as next steps say it


class Edge(NamedTuple):
    exit: int
    http: int


EDGE: Mapping[type[Exception], Edge] = {
    storage.NotFound: Edge(NOT_FOUND, 404),
    storage.BlobGone: Edge(INCOMPLETE, 503),
    storage.Deleted: Edge(NOT_FOUND, 410),
    storage.SweepStopped: Edge(DAMAGE, 500),
    storage.Damaged: Edge(DAMAGE, 500),
    storage.MarkDamaged: Edge(DAMAGE, 500),
    storage.BrokenRecord: Edge(DAMAGE, 500),
    storage.HistoryChanged: Edge(DAMAGE, 500),
    storage.KeyLost: Edge(NOT_FOUND, 409),
    storage.KeyThere: Edge(USAGE, 409),
    storage.Unsigned: Edge(DAMAGE, 500),
    storage.Locked: Edge(LOCKED, 423),
    storage.Conflict: Edge(LOCKED, 409),
    storage.NotAVault: Edge(REJECTED, 422),
    storage.NotOcfl: Edge(REJECTED, 422),
    storage.AlreadyThere: Edge(USAGE, 409),
    storage.NoRoom: Edge(INCOMPLETE, 507),
    storage.SyncFailed: Edge(INCOMPLETE, 503),
    storage.Unreachable: Edge(INCOMPLETE, 503),
    storage.StorageError: Edge(INCOMPLETE, 500),
    NoSuchPackage: Edge(NOT_FOUND, 404),
    Cancelled: Edge(INTERRUPTED, 409),
    IngestError: Edge(REJECTED, 422),
    ConversionFailed: Edge(INCOMPLETE, 422),
    PolicyError: Edge(REJECTED, 422),
    own.NoRepository: Edge(NOT_FOUND, 404),
    own.UnknownCopy: Edge(NOT_FOUND, 404),
    own.BadIdentifier: Edge(NOT_FOUND, 404),
    own.Ambiguous: Edge(USAGE, 409),
    own.NotKept: Edge(NOT_FOUND, 404),
    own.UnknownRequest: Edge(NOT_FOUND, 404),
    own.UnknownHold: Edge(NOT_FOUND, 404),
    own.UnknownFormat: Edge(NOT_FOUND, 404),
    own.UndeclaredAgent: Edge(REJECTED, 403),
    own.NotYourAgent: Edge(REJECTED, 403),
    own.SameApprover: Edge(REJECTED, 403),
    own.AlreadyRequested: Edge(REJECTED, 409),
    own.BadStep: Edge(REJECTED, 409),
    own.UnknownAccession: Edge(NOT_FOUND, 404),
    own.AccessionState: Edge(REJECTED, 409),
    own.DeliveryChanged: Edge(INCOMPLETE, 409),
    own.SourceUnknown: Edge(NOT_FOUND, 404),
    own.BadConfig: Edge(REJECTED, 500),
    own.NotEmpty: Edge(USAGE, 409),
    own.CannotLink: Edge(USAGE, 409),
    own.BadRequest: Edge(USAGE, 400),
    own.UnsupportedCopy: Edge(USAGE, 400),
    own.UnknownJob: Edge(NOT_FOUND, 404),
    own.JobRunning: Edge(LOCKED, 423),
    own.BackupFailed: Edge(DAMAGE, 500),
    own.NoDestination: Edge(NOT_FOUND, 404),
    own.NotSent: Edge(INCOMPLETE, 503),
    own.NothingSigned: Edge(INCOMPLETE, 503),
    own.NoScanner: Edge(NOT_FOUND, 404),
    own.ScannerAway: Edge(INCOMPLETE, 503),
    own.WorkerLost: Edge(INCOMPLETE, 503),
    own.ListLost: Edge(DAMAGE, 500),
    own.CatalogueDamaged: Edge(DAMAGE, 500),
    own.CatalogueAway: Edge(INCOMPLETE, 503),
    OSError: Edge(INCOMPLETE, 500),
}


class Told(NamedTuple):
    """An error as people and machines are told of it."""

    code: str
    message: str
    next: str
    edge: Edge


def tell(error: Exception) -> Told | None:
    """What to say of an error; None for a fault of ours. An accession that has its number is gone on with: the same
    command again would make a second one."""
    from concurrent.futures.process import BrokenProcessPool  # with all of multiprocessing

    has_number = own.NUMBERED in getattr(error, "__notes__", ())
    if isinstance(error, BrokenProcessPool):
        error = own.WorkerLost()
    if isinstance(error, sqlite3.DatabaseError):
        error = _of_sqlite(error)
    for kind in type(error).__mro__:
        if edge := EDGE.get(kind):
            code, message, step = _words(error)
            return Told(code, message, _AGAIN.sub("`tianyi ingest --resume`", step) if has_number else step, edge)
    return None


def _of_sqlite(error: sqlite3.DatabaseError) -> Exception:
    name = str(getattr(error, "sqlite_errorname", ""))
    if name in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"):
        return storage.NoRoom(_full_place())
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return storage.Locked("the catalogue", "another process")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or _lacks_a_table(error):
        return own.CatalogueDamaged()
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")):
        return own.CatalogueAway(str(error))
    return error


def _full_place() -> str:
    """SQLite does not say which file had no room: one of the repository, or one for sorting, outside it."""
    from shutil import disk_usage

    folder = os.environ.get("SQLITE_TMPDIR") or os.environ.get("TMPDIR") or "/var/tmp"  # sqlite.org/tempfiles.html §5
    with suppress(OSError):
        if disk_usage(folder).free < _NEARLY_NOTHING:
            return folder
    return "the repository's folder"


def _lacks_a_table(error: sqlite3.DatabaseError) -> bool:
    """Whether one of the catalogue's tables is gone, which no part of Tianyi removes."""
    from repository.schema import TABLES

    return str(error).removeprefix("no such table: ").removeprefix("main.") in TABLES


def _words(error: Exception) -> tuple[str, str, str]:
    if isinstance(error, TianyiError | PolicyError):
        return error.code, str(error), error.next
    assert isinstance(error, OSError)  # the only other kind in the table
    where = f" ({error.filename!r})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk-full", f"There is no room left{where}.", "Make room, then run the same command again."
    return "system", f"The system refused: {error.strerror or error}{where}.", "See to its cause, then try again."
