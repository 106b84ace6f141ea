"""Bags as SIPs: where their parts lie in ours, and what a title may hold."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bagit

Tianyi = Callable[..., Any]


def test_tag_files_never_meet_ours(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    """A bag may have tag files with the names that Tianyi uses."""
    bag = tmp_path / "bag"
    bag.mkdir()
    (bag / "a.txt").write_text("a")
    bagit.make_bag(str(bag), {"External-Description": "From the bag", "Source-Organization": "Producer"})
    for name in ("container.json", "premis-v1-0001.xml", "names-v1-0001.jsonl", "findings-v1.jsonl"):
        (bag / name).write_text("the producer's own")
    package = tmp_path / "bag.zip"
    with zipfile.ZipFile(package, "w") as archive:
        for path in bag.rglob("*"):
            archive.write(path, path.relative_to(tmp_path))
    answer = tianyi("ingest", package, at=repository).said
    assert (answer["outcome"], answer["kind"]) == ("accepted", "bag")
    shown = tianyi("show", answer["aip"], at=repository).said
    assert (shown["title"], shown["producer"]) == ("From the bag", "Producer")
    dip = tmp_path / "dip"
    assert tianyi("export", answer["aip"], dip, at=repository).code == 0
    bagit.Bag(str(dip)).validate()
    assert (dip / "data" / "submission" / "container.json").read_text() == "the producer's own"
    files = tianyi("files", answer["aip"], "--all", at=repository).rows
    assert len({row["path"] for row in files}) == len(files)


def test_titles_of_any_kind(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    source = tmp_path / "the source\nitself"
    source.mkdir()
    (source / "a.txt").write_text("a")
    told = {"not \udcff text": "not \ufffd text", " two\nlines ": "two lines", "&<>\u2028天": "&<> 天",
            "x: y": "x: y", "": "the source itself"}  # fmt: skip
    for given, expected in told.items():
        answer = tianyi("ingest", source, "--title", given, "--producer", given, at=repository)
        assert (answer.code, answer.said["outcome"]) == (0, "accepted")
        assert tianyi("show", answer.said["aip"], at=repository).said["title"] == expected
    assert len(tianyi("search", "lines", at=repository).rows) == 1


def test_a_package_named_by_a_link(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        archive.write(tmp_path / "a.txt", "a.txt")
    (tmp_path / "link.zip").symlink_to("whole.zip")
    answer = tianyi("ingest", tmp_path / "link.zip", at=repository)
    assert (answer.code, answer.said["kind"], answer.said["files"]) == (0, "zip", 1)
