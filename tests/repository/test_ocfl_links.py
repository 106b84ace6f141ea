"""Links in an OCFL copy: what lies behind one is somebody else's, and neither read as the copy's own nor written to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from fixity.packages_repair import repair_packages
from repository import Repository
from storage import layout
from storage.errors import NotFound, Unreachable
from storage.ocfl_copy import OcflCopy
from storage.ocfl_update import aips
from storage.tombstone import Tombstone
from tests.repository.test_ocfl_copy import NOW, fill, founded, is_valid, look, packages

Tianyi = Callable[..., Any]
LINKED = ["top", "way", "", "v1", "v1/content", "v1/content/data", "v1/content/bagit.txt", "logs", "logs/v1.json",
          "inventory.json", "0=ocfl_object_1.1"]  # fmt: skip
"""What is a link: a folder on the way to the object, the object, or something in it."""
ONLY = b"of the first AIP alone\n"


@pytest.fixture
def opened(tianyi: Tianyi, repository: Path, tmp_path: Path) -> Iterator[Repository]:
    source = tmp_path / "source"
    source.mkdir()
    (source / "only.txt").write_bytes(ONLY)
    assert tianyi("ingest", source, at=repository).code == 0
    with Repository.open(repository) as found:
        yield found


@pytest.fixture
def copy(opened: Repository, tmp_path: Path) -> OcflCopy:
    made = founded(opened, tmp_path)
    fill(made, opened)
    return made


def aip(opened: Repository) -> UUID:
    [[record, *_]] = aips(opened.vault)
    return record.uuid


def link(opened: Repository, copy: OcflCopy, what: str, elsewhere: Path) -> str:
    """Move something of the object out of the copy, and leave a link to it; return its path below the root."""
    place = copy.place(aip(opened))
    path = {"top": place.split("/")[0], "way": place.rpartition("/")[0]}.get(what, f"{place}/{what}".rstrip("/"))
    (copy.folder / path).rename(elsewhere)
    (copy.folder / path).symlink_to(elsewhere)
    return path


def again(opened: Repository, tmp_path: Path) -> OcflCopy:
    """As the next command has it: nothing was looked at."""
    return packages(opened, tmp_path)


def links(root: Path) -> list[str]:
    return [str(path) for path in root.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("what", LINKED)
def test_an_audit_tells_and_a_repair_heals(
    opened: Repository, copy: OcflCopy, tmp_path: Path, what: str, tree: Callable[[Path], Any]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    path = link(opened, copy, what, elsewhere)
    there = tree(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes()
    copy = again(opened, tmp_path)
    found = look(copy, opened)
    damaged = [one for outcome in ("unreadable", "missing", "altered") for one in found.get(outcome, [])]
    assert any(one == path or one.startswith(f"{path}/") for one in damaged)
    repair_packages(copy, opened.vault, opened.settings.vault_id, damaged, "a-run")
    assert (tree(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes()) == there
    copy = again(opened, tmp_path)
    if what in ("top", "way"):  # it is for a person: what else is meant to lie behind it, nobody knows
        assert look(copy, opened).keys() >= {"unreadable"}
        (copy.folder / path).unlink()
        assert fill(again(opened, tmp_path), opened).behind == {}
    assert look(again(opened, tmp_path), opened) == {}
    assert (links(copy.folder), is_valid(copy.folder)) == ([], True)


@pytest.mark.parametrize("what", ["top", "way", "", "v1", "v1/content", "v1/content/data", "logs"])
def test_it_is_no_source_of_what_lies_behind_a_link(
    opened: Repository, copy: OcflCopy, tmp_path: Path, what: str
) -> None:
    [record, *_] = opened.vault.records(aip(opened))
    digest = next(line.digest for line in opened.vault.bag(record) if line.path.endswith("only.txt"))
    link(opened, copy, what, tmp_path / "elsewhere")
    key = layout.blob_key(digest) if what != "logs" else layout.record_key(record.uuid, 1)
    with pytest.raises((NotFound, Unreachable)):
        again(opened, tmp_path).open(key)


@pytest.mark.parametrize("what", LINKED)
def test_a_new_version_is_whole_or_told(
    opened: Repository, copy: OcflCopy, tianyi: Tianyi, tmp_path: Path, what: str, tree: Callable[[Path], Any]
) -> None:
    """Nothing is written where a link leads, and an object with a hole in it never counts as brought up."""
    elsewhere = tmp_path / "elsewhere"
    link(opened, copy, what, elsewhere)
    there = tree(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes()
    (more := tmp_path / "more").mkdir()
    (more / "more.txt").write_bytes(b"more\n")
    assert tianyi("ingest", more, "--into", f"urn:uuid:{aip(opened)}", "--add", at=opened.settings.folder).code == 0
    with Repository.open(opened.settings.folder) as now:
        result = fill(again(now, tmp_path), now)
        assert result.behind
        assert (tree(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes()) == there


@pytest.mark.parametrize("what", ["top", "way", ""])
def test_a_deletion_takes_nothing_behind_a_link(
    opened: Repository, copy: OcflCopy, tmp_path: Path, what: str, tree: Callable[[Path], Any]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    link(opened, copy, what, elsewhere)
    there = tree(elsewhere)
    [record, *_] = opened.vault.records(aip(opened))
    tombstone = Tombstone(
        aip=record.aip, accession="2026-0001", request="1", reason="asked for", requested=NOW, requested_by="a",
        approved=NOW, approved_by="b", deleted=NOW, policy="", versions={1: record.digest},
    )  # fmt: skip
    opened.vault.copies[0].create(layout.tombstone_key(record.uuid), tombstone.to_bytes())
    opened._note("deletion", record.aip, "success", {"request": "1"})
    told = fill(again(opened, tmp_path), opened).behind
    assert tree(elsewhere) == there
    assert bool(told) == (what != "")
    assert os.path.lexists(copy.folder / copy.place(record.uuid)) == (what != "")
