"""An AIP of several deliveries, given out by the names that they came by: every file once, none in another's place."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import bagit
import pytest

from repository import tree
from storage.bag import ORIGINAL

Tianyi = Callable[..., Any]
Export = Callable[..., tuple[Any, dict[str, bytes]]]


@pytest.fixture
def deliver(tianyi: Tianyi, repository: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Take in a folder, or a bag, of these files; the first time as an AIP."""

    def delivered(name: str, files: Mapping[str, bytes], *how: str, bag: bool = False) -> dict[str, Any]:
        for path, data in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(data)
        if bag:
            bagit.make_bag(str(tmp_path / name), {"Name": name}, checksums=["sha256"])
        into = ("--into", "2026-0001", *how) if how else ()
        answer = tianyi("ingest", tmp_path / name, *into, at=repository)
        assert answer.code == 0
        return dict(answer.said)

    return delivered


@pytest.fixture(params=["folder", "rocrate"])
def export(request: Any, tianyi: Tianyi, repository: Path, tmp_path: Path) -> Export:
    """Give it out; the answer, and what is in it by name."""
    form, below = request.param, "data" if request.param == "rocrate" else ""

    def exported() -> tuple[Any, dict[str, bytes]]:
        answer = tianyi("export", "2026-0001", tmp_path / "out", "--as", form, at=repository)
        top = tmp_path / "out" / below
        return answer, _content(top)

    return exported


def test_tag_files_of_two_bags(tmp_path: Path, deliver: Any, export: Export) -> None:
    deliver("b0", {"a": b"one"}, bag=True)
    deliver("b1", {"b": b"two"}, "--add", bag=True)
    answer, there = export()
    first = {path.name: path.read_bytes() for path in (tmp_path / "b0").iterdir() if path.is_file()}
    second = {path.name: path.read_bytes() for path in (tmp_path / "b1").iterdir() if path.is_file()}
    moved = {f"delivery-v2/{name}": data for name, data in second.items()}
    assert there == {**first, **moved, "data/a": b"one", "data/b": b"two"}
    told = [(found["code"], found["severity"], found["path"]) for found in answer.said["findings"]]
    assert told == [("export-moved", "warning", name) for name in sorted(second)]
    assert "delivery-v2/bag-info.txt" in answer.said["findings"][0]["message"]
    assert answer.code == 0


def test_originals_of_one_name(deliver: Any, export: Export) -> None:
    """A bag's payload, and what lies in a folder called data, and a folder that has the name of ours."""
    deliver("b0", {"a": b"one"}, bag=True)
    deliver("more", {"data/a": b"two", "delivery-v2/a": b"three"}, "--add")
    answer, there = export()
    assert there["data/a"] == b"one"
    assert (there["delivery-v2+/data/a"], there["delivery-v2/a"]) == (b"two", b"three")
    assert [found["path"] for found in answer.said["findings"]] == ["data/a"]


@pytest.mark.parametrize(("again", "how"), [(b"two", "--replace"), (b"one", "--add")])
def test_a_file_that_comes_again_by_another_name(
    tianyi: Tianyi, repository: Path, deliver: Any, export: Export, again: bytes, how: str
) -> None:
    """It lies where `files` says, whichever name that is, and once."""
    deliver("b0", {"a": b"one", "b": b"b"}, bag=True)
    deliver("more", {"a": again, "c": b"c"}, how)
    deliver("later", {"d": b"d"}, "--add")
    answer, there = export()
    listed = {row["original_name"]: row for row in tianyi("files", "2026-0001", at=repository).rows}
    assert ("a" in listed, "data/a" in listed) == (again == b"two", again == b"one")
    assert there.keys() == listed.keys()
    assert Counter(there.values())[again] == 1
    assert answer.said["findings"] == []


@pytest.mark.parametrize(("again", "how"), [(b"two", "--replace"), (b"one", "--add")])
def test_what_restores_without_us_gives_the_same(
    tianyi: Tianyi, repository: Path, deliver: Any, tmp_path: Path, again: bytes, how: str
) -> None:
    aip = deliver("b0", {"a": b"one", "b": b"b"}, bag=True)["aip"]
    deliver("more", {"a": again, "delivery-v4/x": b"x"}, how)
    deliver("again", {"a": again}, "--add")
    deliver("b1", {"c": b"c"}, "--add", bag=True)
    deliver("b1", {}, "--add")
    restore = [sys.executable, "-I", repository / "vault" / "restore.py", aip, tmp_path / "restored", "--as-received"]
    told = subprocess.run(restore, check=True, capture_output=True, text=True).stdout
    assert "this one is b'delivery-v4+/bagit.txt'." in told
    assert tianyi("export", aip, tmp_path / "out", "--as", "folder", at=repository).code == 0
    assert _content(tmp_path / "restored") == _content(tmp_path / "out")


def _content(top: Path) -> dict[str, bytes]:
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def test_the_tenth_delivery_comes_after_the_second(
    tianyi: Tianyi, repository: Path, deliver: Any, tmp_path: Path
) -> None:
    deliver("1", {"a": b"1"})
    for number in range(2, 11):
        deliver(f"{number}", {"a": str(number).encode()}, "--replace")
    assert tianyi("export", "2026-0001", tmp_path / "out", "--as", "folder", at=repository).code == 0
    assert (tmp_path / "out" / "a").stat().st_mtime_ns == (tmp_path / "10" / "a").stat().st_mtime_ns


def test_an_original_that_has_no_name(deliver: Any, export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a map of names was made by somebody else: what is not in it is told."""
    deliver("first", {"a": b"1", "b": b"2"})
    every = tree.parse_lines
    monkeypatch.setattr(tree, "parse_lines", lambda lines: (item for item in every(lines) if item.name != b"b"))
    answer, there = export()
    assert (answer.code, there) == (6, {"a": b"1"})
    told = [(found["code"], found["severity"], found["path"]) for found in answer.said["findings"]]
    assert told == [("export-left-out", "error", f"{ORIGINAL}b")]
