"""Cases that others wrote: bags, hostile archives and real files of many formats, each through the command line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bagit
import pytest

Tianyi = Callable[..., Any]

# What we do with the cases whose folder does not say valid or invalid; docs/bagit-cases.md says why.
JUDGED = {
    "linux-only/out-of-scope-file-paths-using-absolute-path-for-fetch": ("rejected", "rfc8493-5.2-path"),
    "linux-only/out-of-scope-file-paths-using-shortcut-username": ("rejected", "rfc8493-5.2-path"),
    "windows-only/out-of-scope-file-paths-using-absolute-path": ("rejected", "rfc8493-5.2-path"),
    "windows-only/out-of-scope-file-paths-using-absolute-path-for-fetch": ("rejected", "rfc8493-5.2-path"),
    "windows-only/out-of-scope-file-paths-using-unc": ("rejected", "rfc8493-5.2-path"),
    "warning/made-with-md5sum-tools": ("accepted", "rfc8493-2.1.3-asterisk"),
    "warning/relative-path": ("accepted", "rfc8493-2.1.3-dot"),
    "warning/same-filename-listed-twice-with-different-normalization": ("accepted", "rfc8493-2.1.3-normalization"),
    "warning/same-filename-listed-twice-with-the-same-hash": ("accepted", "rfc8493-2.1.3-twice"),
}
EXITS = {"accepted": 0, "rejected": 5}
PACKED = ("v1.0/valid/basicBag", "v0.97/valid/bag-in-a-bag", "v0.97/invalid/missing-baginfo")


def cases(folder: Path) -> list[tuple[Path, str]]:
    """Each case with what is expected of it."""
    with (folder / "cases.tsv").open(encoding="utf-8", newline="") as file:
        return [(folder / "cases" / row["path"], row["expected"]) for row in csv.DictReader(file, delimiter="\t")]


def test_bags_are_judged_as_their_authors_judge_them(tianyi: Tianyi, repository: Path, corpus: Any) -> None:
    for bag, expected in cases(corpus("bagit")):
        known = {"valid": ("accepted", ""), "invalid": ("rejected", "")}
        outcome, code = known.get(expected) or JUDGED[f"{bag.parent.name}/{bag.name}"]
        answer = tianyi("ingest", bag, at=repository)
        found = {finding["code"] for finding in answer.said["findings"]}
        assert (bag, answer.said["outcome"], answer.code) == (bag, outcome, EXITS[outcome])
        assert not code or code in found
        verdict = tianyi("validate", bag)
        assert (verdict.said["kind"], verdict.code) == ("bag", answer.code)
        assert verdict.said["valid"] is (outcome == "accepted")


@pytest.mark.parametrize("case", PACKED)
def test_a_bag_in_an_archive_is_a_bag(
    tianyi: Tianyi, repository: Path, corpus: Any, tmp_path: Path, tree: Any, case: str
) -> None:
    bag = corpus("bagit") / "cases" / case
    outcome = "accepted" if "/valid/" in case else "rejected"
    packages = [_zipped(bag, tmp_path / "bag.zip"), _tarred(bag, tmp_path / "bag.tar.gz", "."),
                _tarred(bag, tmp_path / "bag.tar.xz", "in a folder")]  # fmt: skip
    for package in packages:
        answer = tianyi("ingest", package, at=repository)
        assert (answer.said["kind"], answer.said["outcome"], answer.code) == ("bag", outcome, EXITS[outcome])
    if outcome == "accepted":
        dip = tmp_path / "dip"
        assert tianyi("export", answer.said["aip"], dip, "--as", "folder", at=repository).code == 0
        assert _timeless(tree(dip / "in a folder")) == _timeless(tree(bag))
        told = tianyi("events", answer.said["aip"], at=repository).rows
        assert any("bag.tar.xz" in str(event["detail"]) for event in told if event["type"] == "unpacking")


def _zipped(folder: Path, target: Path) -> Path:
    """As many tools write it: in a folder of its name, without entries for the folders."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{folder.name}/{path.relative_to(folder)}")
    return target


def _timeless(found: Any) -> Any:
    """A tree without times: Python's tarfile rounds them."""
    return {name: entry._replace(mtime=0) for name, entry in found.items()}


def _tarred(folder: Path, target: Path, name: str) -> Path:
    with tarfile.open(target, f"w:{target.suffix[1:]}", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, name)
    return target


def test_ocfl_objects_are_judged_as_their_authors_judge_them(tianyi: Tianyi, corpus: Any) -> None:
    for package, expected in cases(corpus("ocfl")):
        verdict, _, codes = expected.partition(":")
        told = ("--as", "ocfl") if package.name == "E003_E063_empty" else ()  # an empty folder says nothing of itself
        answer = tianyi("validate", package, *told)
        found = {finding["code"] for finding in answer.said["findings"]}
        assert (package, answer.said["kind"], answer.code) == (package, "ocfl", 5 if verdict == "bad" else 0)
        assert answer.said["valid"] is (verdict != "bad")
        wanted = set(codes.split(",")) if codes else set()
        assert (package, wanted - found if verdict == "bad" else wanted ^ found) == (package, set())


def test_hostile_archives_are_refused_and_touch_nothing(
    tianyi: Tianyi, repository: Path, corpus: Any, tmp_path: Path, tree: Any
) -> None:
    hostile = corpus("zipslip")
    loot = Path("/tmp/PWNED.txt")  # where these archives aim
    before, around = tree(hostile), sorted(tmp_path.iterdir())
    for archive, expected in cases(hostile):
        assert expected == "refuse"
        answer = tianyi("ingest", archive, at=repository)
        assert (archive, answer.code, answer.said["outcome"]) == (archive, 5, "rejected")
        assert not loot.exists()
    assert (tree(hostile), sorted(tmp_path.iterdir())) == (before, around)
    kept = [path.read_text("utf-8") for path in (repository / "vault" / "blobs").rglob("*") if path.is_file()]
    assert all(json.loads(line) for text in kept for line in text.splitlines())  # why they were refused, at most
    assert not list((repository / "work" / "staging").iterdir())
    assert tianyi("list", at=repository).rows == []


def test_real_files_come_back_byte_for_byte(
    tianyi: Tianyi, repository: Path, corpus: Any, tmp_path: Path, tree: Any
) -> None:
    source = corpus("formats") / "cases"
    before = tree(source)
    answer = tianyi("ingest", source, at=repository)
    assert (answer.code, answer.said["outcome"]) == (0, "accepted")
    assert answer.said["files"] == sum(entry.kind == "file" for entry in before.values())
    assert tree(source) == before
    aip, folder = answer.said["aip"], tmp_path / "folder"
    assert tianyi("export", aip, folder, "--as", "folder", at=repository).code == 0
    assert tree(folder) == before
    restored, bag = tmp_path / "restored", tmp_path / "bag"
    restore = [sys.executable, "-I", str(repository / "vault" / "restore.py"), aip]
    subprocess.run([*restore, str(restored), "--as-received"], check=True, capture_output=True)
    assert tree(restored) == before
    subprocess.run([*restore, str(bag)], check=True, capture_output=True)
    bagit.Bag(str(bag)).validate()
    assert tianyi("validate", bag).said["valid"]
