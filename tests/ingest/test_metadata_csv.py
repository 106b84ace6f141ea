"""A producer's metadata.csv: what it says of the package and of each file is kept and used; where it errs is told."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.describe import parse
from ingest.finding import Finding
from ingest.meanings import Starts
from ingest.metadata_rows import Row, core, is_ours, rows

Tianyi = Callable[..., Any]
TABLE = """filename,dc.title,dc.subject,dc.subject,dcterms.alternative,other.box
objects/,"Harbour, 1987",ships,港口,Hafen,7
objects/sub,A folder,,,,
objects/sub/文 %.txt,A file,,letters,,
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "accession" / "objects" / "sub").mkdir(parents=True)
    (tmp_path / "accession" / "metadata").mkdir()
    (tmp_path / "accession" / "objects" / "sub" / "文 %.txt").write_bytes(b"text\n")
    return tmp_path / "accession"


def codes(answer: Any) -> dict[str, str]:
    found = {one["code"]: one["path"] for one in answer.said["findings"]}
    return {code: path for code, path in found.items() if code.startswith("metadata")}


@pytest.mark.parametrize("name", ["metadata/metadata.csv", "metadata.csv"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_it_is_kept_and_used(
    tianyi: Tianyi, repository: Path, package: Path, tmp_path: Path, name: str, mark: str
) -> None:
    (package / name).write_text(mark + TABLE, "utf-8")
    packed = tmp_path / "accession.zip"
    with zipfile.ZipFile(packed, "w") as archive:  # as many tools write it: no entries for folders
        for path in sorted(package.rglob("*")):
            if path.is_file():
                archive.write(path, Path("accession") / path.relative_to(package))
    assert tianyi("validate", package).said["valid"]
    for delivered, top in ((package, ""), (packed, "accession/")):
        answer = tianyi("ingest", delivered, at=repository)
        assert (answer.code, codes(answer)) == (0, {})
        aip = answer.said["aip"]
        assert tianyi("show", aip, at=repository).said["title"] == "Harbour, 1987"
        assert aip in [row["aip"] for row in tianyi("search", "港口", at=repository).rows]
        bag = tmp_path / f"bag-{delivered.name}"
        assert tianyi("export", aip, bag, "--as", "bag", "--names", "rfc", at=repository).code == 0
        kept = bag / "data" / "metadata" / "descriptive"
        assert parse((kept / "dc.json").read_bytes(), "dc.json")["subject"] == ("ships", "港口")
        described = [json.loads(line) for line in (kept / "files-v1.jsonl").read_text("utf-8").splitlines()]
        original = "data/representations/original/data/"
        assert [one["path"] for one in described] == [
            original, f"{original}{top}objects/sub/", f"{original}{top}objects/sub/文 %.txt",
        ]  # fmt: skip
        assert described[2]["metadata"] == [["dc.title", "A file"], ["dc.subject", "letters"]]
        assert described[0]["metadata"][-1] == ["other.box", "7"]
        assert (bag / f"{original}{top}{name}").read_text("utf-8") == mark + TABLE


def test_what_the_officer_gives_goes_before(tianyi: Tianyi, repository: Path, package: Path, tmp_path: Path) -> None:
    (package / "metadata.csv").write_text(TABLE, "utf-8")
    (tmp_path / "dc.json").write_text('{"title": "Ours"}')
    answer = tianyi("ingest", package, "--metadata", tmp_path / "dc.json", at=repository)
    assert tianyi("show", answer.said["aip"], at=repository).said["title"] == "Ours"
    paths = {file["path"] for file in tianyi("files", answer.said["aip"], "--all", at=repository).rows}
    assert {"data/metadata/descriptive/dc.json", "data/metadata/descriptive/files-v1.jsonl"} <= paths


def test_a_bag_with_it(tianyi: Tianyi, repository: Path, package: Path) -> None:
    package.rename(package.with_name("data"))
    data = package.with_name("data")
    package.mkdir()
    data.rename(package / "data")
    (package / "data" / "metadata" / "metadata.csv").write_text(TABLE, "utf-8")
    (package / "bagit.txt").write_text("BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n")
    answer = tianyi("ingest", package, at=repository)
    assert codes(answer) == {}
    assert answer.said["kind"] == "bag"


@pytest.mark.parametrize(("table", "code", "severity", "path"), [
    ("filename,dc.title\nobjects/no.txt,x\n", "metadata-missing-file", "error", "objects/no.txt"),
    ("filename,dc.title\n../../etc/passwd,x\n", "metadata-missing-file", "error", "../../etc/passwd"),
    ("filename,dc.title\n/etc/passwd,x\n", "metadata-missing-file", "error", "/etc/passwd"),
    ("", "metadata-form", "warning", "metadata/metadata.csv"),
    ("filename,dc.title\nobjects,x,y\n", "metadata-line", "warning", "metadata/metadata.csv"),
    ("filename,dc.title\nobjects,caf\xe9\n", "metadata-encoding", "warning", "metadata/metadata.csv"),
    ('filename,dc.title\nobjects,"x\n', "metadata-form", "warning", "metadata/metadata.csv"),
    ("filename,dc.title\nobjects," + "x" * 2_000_000, "metadata-form", "warning", "metadata/metadata.csv"),
    ("filename,dc.title\n" + "objects,x\n" * 20_000, "metadata-form", "warning", "metadata/metadata.csv"),
    ("name,value\ntitle,x\n", "metadata-form", "warning", "metadata/metadata.csv"),
    ("filename,dc.title\n" + "objects,x,y\n" * 1_000, "metadata-form", "warning", "metadata/metadata.csv"),
])  # fmt: skip
def test_what_is_wrong_is_told(tianyi: Tianyi, package: Path, table: str, code: str, severity: str, path: str) -> None:
    (package / "metadata" / "metadata.csv").write_text(table, "latin-1")
    found = [one for one in tianyi("validate", package).said["findings"] if one["code"] == code]
    assert {(one["severity"], one["path"]) for one in found} == {(severity, path)}
    assert len(found) <= 100


def test_another_table_of_that_name_is_a_file_like_any_other(tianyi: Tianyi, repository: Path, package: Path) -> None:
    (package / "metadata.csv").write_text("temperature,pressure\n1,2\n")
    answer = tianyi("ingest", package, at=repository)
    assert (answer.code, codes(answer)) == (0, {})


def test_columns_of_dublin_core() -> None:
    said = [("dc.title", "a"), ("DCTERMS:Title", "b"), ("title", "c"), ("other.title", "d"), ("dcterms.extent", "e")]
    assert core(said) == {"title": ("a", "b", "c")}
    assert is_ours("Filename,dc.title")
    assert is_ours("parts")
    assert not is_ours("")


@given(st.lists(st.text(max_size=60), max_size=8))
def test_whatever_comes_it_is_a_value_or_no_table(lines: list[str]) -> None:
    with suppress(csv.Error):
        assert all(isinstance(row, Row | Finding) for row in rows(lines, "metadata.csv"))


@given(st.binary(max_size=40), st.sampled_from([b"", b"top/"]))
def test_no_meaning_leaves_the_package(path: bytes, base: bytes) -> None:
    for name in Starts.of(base, base + b"metadata/list", b"own").meanings(path):
        assert not name.startswith(b"/")
        assert not {b"..", b"."} & set(name.split(b"/"))
