"""What goes on when a piece is gone for good, and what is never mended by a machine."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.aip import parse_record

Tianyi = Callable[..., Any]
PICTURES = Path(__file__).parents[2] / "samples" / "accession" / "Pictures" / "BMP"


@pytest.fixture
def aip(tianyi: Tianyi, repository: Path, tmp_path: Path) -> str:
    return str(tianyi("ingest", _pictures(tmp_path / "one", "seal.bmp", "book grey.bmp"), at=repository).said["aip"])


def _pictures(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes((PICTURES / name).read_bytes())
    return folder


def test_a_record_that_differs_from_the_ledger_s_is_never_overwritten(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str
) -> None:
    """Both are whole and say something else: that is for a person."""
    [path] = copies[1].rglob("v1.json")
    record = parse_record(path.read_bytes(), path.name)
    forged = replace(record, agent="somebody else").to_bytes()
    path.chmod(0o644)
    path.write_bytes(forged)
    assert tianyi("audit", at=repository).said["altered"] == 1
    answer = tianyi("repair", at=repository)
    assert (answer.code, answer.said["repaired"], answer.said["beyond_repair"]) == (3, 0, 1)
    assert tianyi("replicate", at=repository).code in (0, 6)
    assert path.read_bytes() == forged
    assert tianyi("show", aip, at=repository).said["history"][0]["agent"] == record.agent


@pytest.mark.parametrize("which", [0, 1])
def test_what_is_no_file_in_a_copy_is_neither_waited_for_nor_followed(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, which: int
) -> None:
    """A pipe, a link to a file with the right bytes, a folder: unreadable, and healed from the other copy."""
    blobs = sorted(path for path in (copies[which] / "blobs").rglob("sha256/*/*") if path.stat().st_size)[:3]
    elsewhere = blobs[1].rename(repository / "elsewhere")
    os.unlink(blobs[0])
    os.mkfifo(blobs[0])
    blobs[1].symlink_to(elsewhere)
    os.unlink(blobs[2])
    blobs[2].mkdir()
    (blobs[2] / "inside").write_bytes(b"nobody's\n")
    answer = tianyi("audit", at=repository)
    found = {finding["key"].rpartition("/")[2]: finding["outcome"] for finding in answer.said["findings"]}
    assert {blob.name: found[blob.name] for blob in blobs} == dict.fromkeys((blob.name for blob in blobs), "unreadable")
    answer = tianyi("repair", at=repository)
    kept = {one["key"].rpartition("/")[2]: one["quarantine"] for one in answer.said["findings"]}
    assert (answer.code, kept.keys()) == (0, {blob.name for blob in blobs})
    assert all(blob.is_file() and not blob.is_symlink() for blob in blobs)
    assert elsewhere.is_file()
    quarantine = repository / "work" / "quarantine"
    assert (quarantine / kept[blobs[2].name] / "inside").read_bytes() == b"nobody's\n"
    notes = [json.loads((quarantine / f"{kept[blob.name]}.json").read_text()) for blob in blobs]
    assert [note["kind"] for note in notes] == ["special", "link", "folder"]
    assert notes[1]["target"] == str(elsewhere)
    assert tianyi("audit", at=repository).code == 0


def test_a_migration_goes_on_after_a_lost_blob(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, tmp_path: Path
) -> None:
    """What is lost is told; what belongs to other AIPs is migrated all the same."""
    other = tianyi("ingest", _pictures(tmp_path / "two", "harbour.bmp"), at=repository).said["aip"]
    [seal] = [row["digest"][7:] for row in tianyi("files", aip, at=repository).rows if "seal" in row["path"]]
    for copy in copies:
        (copy / "blobs" / "sha256" / seal[:3] / seal).unlink()
    answer = tianyi("migrate", "run", at=repository)
    fate = {row["path"].rpartition("/")[2]: (row["equal"], row["version"]) for row in answer.rows}
    assert answer.code == 6
    assert (fate["harbour.bmp"], fate["seal.bmp"]) == ((True, 2), (False, None))
    assert tianyi("show", other, at=repository).said["versions"] == 2
    assert tianyi("migrate", "run", at=repository).code == 6


@pytest.mark.parametrize("name", ["../up", "a/b", "First", "", ".", "a b", "caf\u00e9", "-a", "a--b"])
def test_a_copy_s_name_that_could_be_a_path_is_refused(tianyi: Tianyi, repository: Path, name: str) -> None:
    file = repository / "tianyi.toml"
    file.write_text(file.read_text().replace('name = "copy-2"', f'name = "{name}"'), encoding="utf-8")
    answer = tianyi("list", at=repository)
    assert (answer.code, answer.said["code"]) == (5, "config-invalid")


@pytest.mark.parametrize("table", ["files", "aips", "events", "aips_fts", "state"])
def test_a_catalogue_without_one_of_its_tables_is_made_anew(
    tianyi: Tianyi, repository: Path, aip: str, table: str
) -> None:
    """Whoever opens it with another tool may drop one: it is a projection, and the vault has all of it."""
    lines = (("list",), ("files", aip), ("events",), ("search", "seal"))
    before = [tianyi(*line, at=repository).rows for line in lines]
    with closing(sqlite3.connect(repository / "catalogue.db")) as db:
        db.execute(f"drop table {table}")
        db.commit()
    assert [tianyi(*line, at=repository).rows for line in lines] == before
    assert [tianyi(line, at=repository).code for line in ("rebuild", "audit")] == [0, 0]
