"""Errors: each has a code and a place in the table at the edge, and travels whole from a worker's process."""

from __future__ import annotations

import errno
import inspect
import pickle
import sqlite3
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest import errors as of_ingest
from repository import edge
from repository import errors as of_repository
from storage import errors as of_storage
from storage.errors import TianyiError


def leaves() -> Iterator[TianyiError]:
    """One of each, made with words for its arguments."""
    for module in (of_storage, of_ingest, of_repository):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if (
                kind is not TianyiError
                and issubclass(kind, TianyiError)
                and kind.__module__ == module.__name__
                and "code" in vars(kind)
            ):
                wanted = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
                yield kind(*(["known"] if p.name == "known" else p.name for p in wanted))


@pytest.mark.parametrize("error", list(leaves()), ids=lambda error: error.code)
def test_an_error_is_told(error: TianyiError) -> None:
    told = edge.tell(error)
    assert told is not None
    assert told.edge.exit in edge.EXIT_CODES
    assert (told.code, told.message) == (error.code, str(error))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.next, vars(again)) == (str(error), error.next, vars(error))


def test_codes_are_each_for_one_thing() -> None:
    codes = [error.code for error in leaves() if error.code != "system"]
    assert len(set(codes)) == len(codes)


def sqlite_error(query: str, *before: str) -> sqlite3.DatabaseError:
    db = sqlite3.connect(":memory:")
    for one in before:
        db.execute(one)
    with pytest.raises(sqlite3.DatabaseError) as raised:
        db.execute(query)
    return raised.value


@pytest.mark.parametrize("table", ["files", "main.aips", "aips_fts"])
def test_a_table_of_the_catalogue_that_is_gone_is_damage(table: str) -> None:
    told = edge.tell(sqlite_error(f"select * from {table}"))
    assert told is not None
    assert (told.code, told.edge.exit, "rebuild" in told.next) == ("catalogue-damaged", edge.DAMAGE, True)
    assert edge.tell(sqlite_error("select * from nobody_s")) is None, "a fault of ours"


@pytest.mark.parametrize("error", [
    OSError(errno.ENOSPC, "No space left on device"), of_storage.NoRoom("/vault"), BrokenProcessPool(),
    of_storage.Unreachable("second", "it is away"),
])  # fmt: skip
def test_an_ingest_that_has_its_number_is_gone_on_with(error: Exception) -> None:
    """The same command again would make a second accession of it."""
    before = edge.tell(error)
    error.add_note(of_repository.NUMBERED)
    after = edge.tell(error)
    assert before is not None
    assert after is not None
    assert (" again" in before.next, " again" in after.next, "then `tianyi ingest --resume`" in after.next) == (
        True, False, True,
    )  # fmt: skip
    assert before._replace(next="") == after._replace(next="")


@pytest.mark.parametrize("free", [0, 1 << 30])
def test_a_full_folder_is_named(free: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLite sorts lies outside the repository."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free))
    full = sqlite_error("insert into t values (zeroblob(100000))", "create table t (a)", "pragma max_page_count = 2")
    told = edge.tell(full)
    assert told is not None
    assert told.code == "disk-full"
    assert (str(tmp_path) in told.message) == (free == 0)
