"""Where no copy has the list of what is in an AIP, nobody says that there is nothing in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import layout
from storage.digest import Digest

Tianyi = Callable[..., Any]
PARTS = ("manifest-sha256.txt", "tagmanifest-sha256.txt", "v1.json")


@pytest.fixture
def aip(tianyi: Tianyi, repository: Path, tmp_path: Path) -> str:
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.txt").write_text(f"{name}\n")
        tianyi("ingest", folder, at=repository)
    return str(tianyi("list", at=repository).rows[0]["aip"])


def lose(tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, part: str) -> str:
    """Take a part of an AIP out of every copy, and make the catalogue anew; return its key."""
    known = {row["path"]: row["digest"] for row in tianyi("files", aip, "--all", at=repository).rows}
    for copy in copies:
        [record] = copy.rglob(f"{aip[-36:]}/v1.json")
        path = copy / layout.blob_key(Digest.parse(known[part])) if part in known else record
        path.unlink()
        key = path.relative_to(copy).as_posix()
    assert tianyi("rebuild", at=repository).said["unread"] == [{"aip": aip, "version": 1, "key": key}]
    return key


@pytest.mark.parametrize("part", PARTS)
def test_what_is_not_known_is_not_called_empty(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, part: str, tmp_path: Path
) -> None:
    key = lose(tianyi, repository, copies, aip, part)
    for more in ((), ("--all",)):
        answer = tianyi("files", aip, *more, at=repository)
        assert (answer.code, answer.said["code"]) == (3, "list-lost")
        assert key in answer.said["message"]
        assert "rebuild" in answer.said["next"]
    shown = tianyi("show", aip, at=repository).said
    assert (shown["files"], shown["bytes"]) == (None, None)
    assert [row["files"] for row in tianyi("list", at=repository).rows] == [None, 1]
    for form in ("bag", "folder", "rocrate", "ocfl"):
        assert tianyi("export", aip, tmp_path / form, "--as", form, at=repository).code == 3
        assert not (tmp_path / form).exists()


@pytest.mark.parametrize("part", PARTS)
def test_what_may_be_its_payload_is_not_called_nobody_s(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, part: str
) -> None:
    """A stray beside an AIP whose list is lost may be what was in it."""
    lose(tianyi, repository, copies, aip, part)
    answer = tianyi("audit", at=repository)
    extra = [found for found in map(json.loads, Path(answer.said["report"]).read_text().splitlines())
             if found["outcome"] == "extra"]  # fmt: skip
    assert answer.code == 3
    assert extra
    assert all(f"It may be in version 1 of {aip}" in found["why"] for found in extra)


def test_an_older_version_s_list_is_not_given_for_a_newer_one(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, tmp_path: Path
) -> None:
    """Version 2 is what it is now, and no copy has its record: what was in version 1 says nothing of that."""
    more = tmp_path / "more"
    more.mkdir()
    (more / "three.txt").write_text("three\n")
    assert tianyi("ingest", more, "--into", aip, "--add", at=repository).code == 0
    for copy in copies:
        [record] = copy.rglob(f"{aip[-36:]}/v2.json")
        record.unlink()
    assert tianyi("rebuild", at=repository).code == 3
    assert tianyi("files", aip, at=repository).said["code"] == "list-lost"
    shown = tianyi("show", aip, at=repository).said
    assert (shown["versions"], shown["files"]) == (2, None)


def test_a_list_that_has_come_back_is_read_again(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    [row] = [row for row in tianyi("files", aip, "--all", at=repository).rows if row["path"] == PARTS[0]]
    kept.write_bytes((copies[0] / layout.blob_key(Digest.parse(row["digest"]))).read_bytes())
    lose(tianyi, repository, copies, aip, PARTS[0])
    assert tianyi("audit", at=repository).code == 3
    assert tianyi("repair", "--from", kept, at=repository).code == 0
    assert tianyi("rebuild", at=repository).said["unread"] == []
    assert [file["original_name"] for file in tianyi("files", aip, at=repository).rows] == ["one.txt"]
    assert tianyi("audit", at=repository).said["extra"] == 0
