"""A delivery that is added to what is held, and a description that is changed: each a new version, and the earlier ones
stay."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bagit
import pytest

Tianyi = Callable[..., Any]
FIRST = {"a.txt": b"one", "sub/b.txt": b"two"}


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str, dict[str, bytes]], Path]:
    def made(name: str, files: dict[str, bytes]) -> Path:
        for path, data in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(data)
        return tmp_path / name

    return made


@pytest.fixture
def first(tianyi: Tianyi, repository: Path, make: Any) -> dict[str, Any]:
    """What is held before."""
    (described := make("dc", {"dc.json": b'{"title": "A", "creator": "C"}'}) / "dc.json").touch()
    said: dict[str, Any] = tianyi("ingest", make("first", FIRST), "--metadata", described, at=repository).said
    return said


def tree(tianyi: Tianyi, repository: Path, target: Path, *options: str) -> dict[str, bytes]:
    assert tianyi("export", "2026-0001", target, "--as", "folder", *options, at=repository).code == 0
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def sound(tianyi: Tianyi, repository: Path) -> Any:
    """Whatever was done, all that is there reads right, and the catalogue says so without itself."""
    yield
    listed = tianyi("list", at=repository).rows, tianyi("accessions", at=repository).rows
    assert tianyi("audit", at=repository).code == 0
    (repository / "catalogue.db").unlink()
    assert tianyi("rebuild", at=repository).code == 0
    assert (tianyi("list", at=repository).rows, tianyi("accessions", at=repository).rows) == listed


def test_files_are_added(tianyi: Tianyi, repository: Path, first: Any, make: Any, tmp_path: Path) -> None:
    more = make("more", {"c.txt": b"three", "sub/b.txt": b"two"})
    done = tianyi("ingest", more, "--into", first["aip"], "--add", "--agreement", "A-7", at=repository)
    assert (done.code, done.said["aip"], done.said["version"]) == (0, first["aip"], 2)
    assert tree(tianyi, repository, tmp_path / "out") == {**FIRST, "c.txt": b"three"}
    assert tree(tianyi, repository, tmp_path / "old", "--version", "1") == FIRST
    [listed] = tianyi("list", at=repository).rows
    assert (listed["accession"], listed["title"], listed["files"]) == ("2026-0001", "A", 3)
    assert tianyi("show", done.said["accession"], at=repository).said["aip"] == first["aip"]
    kept = {row["path"] for row in tianyi("files", first["aip"], "--all", at=repository).rows}
    assert {f"data/metadata/preservation/{name}" for name in ("accession-v2.json", "findings-v2.jsonl")} <= kept
    assert "data/metadata/descriptive/dc.json" in kept


def test_what_may_have_come_before_is_told(tianyi: Tianyi, repository: Path, first: Any, make: Any) -> None:
    again = tianyi("ingest", make("again", FIRST), at=repository)
    assert "all-held" in {found["code"] for found in again.said["findings"]}
    more = tianyi("ingest", make("more", {**FIRST, "c.txt": b"three"}), at=repository)
    assert "all-held" not in {found["code"] for found in more.said["findings"]}


def test_what_would_cover_another_file_is_refused_unless_it_may(
    tianyi: Tianyi, repository: Path, first: Any, make: Any, tmp_path: Path
) -> None:
    other = make("other", {"sub/b.txt": b"TWO"})
    refused = tianyi("ingest", other, "--into", "2026-0001", "--add", at=repository)
    assert (refused.code, refused.said["outcome"]) == (5, "rejected")
    assert [(f["code"], f["path"]) for f in refused.said["findings"] if f["severity"] == "error"] == [
        ("path-held", "sub/b.txt")
    ]
    replaced = tianyi("ingest", other, "--into", "2026-0001", "--replace", at=repository)
    assert (replaced.code, replaced.said["version"]) == (0, 2)
    assert tree(tianyi, repository, tmp_path / "out") == {"a.txt": b"one", "sub/b.txt": b"TWO"}
    assert tree(tianyi, repository, tmp_path / "old", "--version", "1") == FIRST


@pytest.mark.parametrize("name", ["sub", "a.txt/x"])
def test_a_file_takes_no_folder_s_place_nor_a_folder_a_file_s(
    tianyi: Tianyi, repository: Path, first: Any, make: Any, name: str
) -> None:
    refused = tianyi("ingest", make("odd", {name: b"x"}), "--into", "2026-0001", "--replace", at=repository)
    assert (refused.code, {f["code"] for f in refused.said["findings"]} & {"path-held"}) == (5, {"path-held"})


def test_nothing_is_written_through_a_link_that_is_held(
    tianyi: Tianyi, repository: Path, make: Any, tmp_path: Path
) -> None:
    source = make("linked", {"a.txt": b"one"})
    (source / "link").symlink_to("/tmp")
    tianyi("ingest", source, at=repository)
    refused = tianyi("ingest", make("odd", {"link/x": b"x"}), "--into", "2026-0001", "--replace", at=repository)
    assert (refused.code, "path-held" in {f["code"] for f in refused.said["findings"]}) == (5, True)


def test_what_is_held_is_accepted_into_the_aip_that_it_was_for(
    tianyi: Tianyi, repository: Path, first: Any, make: Any
) -> None:
    policy = repository / "policies" / "ingest.yaml"
    policy.parent.mkdir(exist_ok=True)
    policy.write_text("findings: {codes: {format-by-extension: hold}}\n")
    more = make("more", {"c.txt": b"three"})
    held = tianyi("ingest", more, "--into", "2026-0001", "--add", at=repository)
    assert held.said["outcome"] == "held"
    (repository / "work" / "state.db").unlink()  # the ledger knows where it is to go
    done = tianyi("accept", held.said["accession"], "--reason", "fine", "--from", more, at=repository)
    assert (done.code, done.said["aip"], done.said["version"]) == (0, first["aip"], 2)


def test_bags_are_added_with_their_evidence_apart(
    tianyi: Tianyi, repository: Path, first: Any, make: Any, tmp_path: Path
) -> None:
    for number, content in enumerate((b"b1", b"b2"), start=1):
        bag = make(f"bag{number}", {f"bag{number}.txt": content})
        bagit.make_bag(str(bag), checksums=["sha256"])
        done = tianyi("ingest", bag, "--into", "2026-0001", "--add", at=repository)
        assert (done.code, done.said["kind"], done.said["version"]) == (0, "bag", number + 1)
    kept = {row["path"] for row in tianyi("files", first["aip"], "--all", at=repository).rows}
    assert {f"data/submission/v{number}/manifest-sha256.txt" for number in (2, 3)} <= kept
    assert {f"data/representations/original/data/{name}" for name in ("a.txt", "bag1.txt", "bag2.txt")} <= kept


def test_a_description_is_changed(tianyi: Tianyi, repository: Path, first: Any, make: Any, tmp_path: Path) -> None:
    other = make("other", {"dc.csv": b"title,subject\nB,maps\n"}) / "dc.csv"
    told = tianyi("metadata", "2026-0001", other, "--dry-run", at=repository).said
    assert (told["version"], told["elements"]) == (None, {"title": ["B"], "subject": ["maps"]})
    done = tianyi("metadata", "2026-0001", other, at=repository)
    assert (done.code, done.said["version"], done.said["title"]) == (0, 2, "B")
    [found] = tianyi("search", "maps", at=repository).rows
    assert (found["aip"], found["title"], found["producer"]) == (first["aip"], "B", "C")
    assert tianyi("metadata", "2026-0001", other, at=repository).said["version"] is None
    assert tree(tianyi, repository, tmp_path / "out") == FIRST
    kept = {row["path"] for row in tianyi("files", first["aip"], "--all", at=repository).rows}
    assert {path for path in kept if "/dc." in path} == {"data/metadata/descriptive/dc.csv"}
    happened = {event["type"] for event in tianyi("events", "2026-0001", at=repository).rows}
    assert "metadata modification" in happened


def test_what_is_wrong_is_told(tianyi: Tianyi, repository: Path, first: Any, make: Any) -> None:
    more = make("more", {"c.txt": b"three"})
    for options in (["--into", "2026-0001"], ["--add"], ["--into", "2026-0001", "--add", "--replace"]):
        assert tianyi("ingest", more, *options, at=repository).code == 2
    assert tianyi("ingest", more, "--into", "2026-0009", "--add", at=repository).code == 4
    bad = make("bad", {"dc.json": b"[]"}) / "dc.json"
    assert tianyi("metadata", "2026-0001", bad, at=repository).code != 0
    assert json.dumps(tianyi("list", at=repository).said["versions"]) == "1"


def test_a_dry_run_tells_what_would_be_covered(tianyi: Tianyi, repository: Path, first: Any, make: Any) -> None:
    more = make("more", {"a.txt": b"other", "c.txt": b"three"})
    adding = tianyi("ingest", more, "--into", first["aip"], "--add", "--dry-run", at=repository)
    assert (adding.code, adding.said["outcome"]) == (5, "reject")
    covered = [(one["code"], one["path"]) for one in adding.said["findings"] if one["severity"] == "error"]
    assert covered == [("path-held", "a.txt")]
    replacing = tianyi("ingest", more, "--into", first["aip"], "--replace", "--dry-run", at=repository)
    assert (replacing.code, replacing.said["outcome"]) == (0, "accept")
    [listed] = tianyi("list", at=repository).rows
    assert listed["versions"] == 1
