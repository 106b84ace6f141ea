"""The life of one object: from SIP to AIP, through damage, repair and migration, to DIP and to a rebuilt catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import bagit
import pytest
from rocrate.rocrate import ROCrate

SAMPLES = Path(__file__).parents[1] / "samples"

Answers = dict[str, tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def asked(tianyi: Callable[..., Any], repository: Path) -> Callable[[str], Answers]:
    """Every question that the catalogue answers, with its answers."""

    def ask(aip: str) -> Answers:
        questions = (["list"], ["show", aip], ["files", aip, "--all"], ["search", "harbour", "港务处"],
                     ["search", "嘉靖浙江通志"], ["events"], ["events", aip], ["migrate", "plan"])  # fmt: skip
        return {" ".join(q): ((a := tianyi(*q, at=repository)).code, a.rows) for q in questions}

    return ask


def test_life(
    tianyi: Callable[..., Any], repository: Path, copies: tuple[Path, Path], tmp_path: Path,
    tree: Callable[[Path], Any], asked: Callable[[str], Answers],
) -> None:  # fmt: skip
    source = SAMPLES / "accession"
    before = tree(source)
    aip = _taken_in(tianyi, repository, source)
    assert tree(source) == before
    _damaged_and_repaired(tianyi, repository, aip, copies[1])
    _migrated(tianyi, repository, aip)
    for name, check in (("bag", _check_bag), ("rocrate", _check_crate), ("folder", _check_folder)):
        dip = tmp_path / f"dip of {name}"
        answer = tianyi("export", aip, dip, "--as", name, at=repository)
        assert (answer.code, answer.said["dip"]) == (0, str(dip))
        found = [entry for entry in tree(dip).values() if entry.kind == "file"]
        assert answer.said["files"] == len(found)
        assert answer.said["bytes"] == sum(path.stat().st_size for path in dip.rglob("*") if path.is_file())
        check(dip, before, tree)
    _forgotten_and_rebuilt(tianyi, repository, aip, copies[1], asked)


def _taken_in(tianyi: Callable[..., Any], repository: Path, source: Path) -> str:
    answer = tianyi("ingest", source, "--metadata", SAMPLES / "dc.json", at=repository)
    told, files = answer.said, [path for path in source.rglob("*") if path.is_file()]
    assert (answer.code, told["outcome"], told["version"]) == (0, "accepted", 1)
    assert (told["files"], told["bytes"]) == (len(files), sum(file.stat().st_size for file in files))
    assert 0 < told["new_bytes"] <= told["bytes"]
    aip = str(told["aip"])
    shown = tianyi("show", told["accession"], at=repository).said
    assert shown["aip"] == aip
    assert "Ningbo Harbour Office" in shown["title"]
    listed = tianyi("files", aip, at=repository).rows
    assert [row["path"] for row in listed] == sorted(row["path"] for row in listed)
    assert {row["original_name"] for row in listed} == {str(file.relative_to(source)) for file in files}
    assert all(row["digest"].startswith("sha256:") for row in listed)
    assert {"fmt/116"} in [set(row["puids"]) for row in listed]
    for words in (["harbour"], ["航", "zzz"], ["嘉靖浙江通志"], ["港务处", "ships.sqlite"]):
        found = tianyi("search", *words, at=repository)
        assert (found.code, [row["aip"] for row in found.rows]) == (0, [] if "zzz" in words else [aip])
    again = tianyi("ingest", source, at=repository).said
    assert (again["outcome"], again["new_bytes"], again["bytes"]) == ("accepted", 0, told["bytes"])
    return aip


def _flip_a_bit(copy: Path, digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    blob = copy / "blobs" / "sha256" / name[:3] / name
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 0x10
    blob.chmod(0o644)
    blob.write_bytes(data)
    return blob


def _damaged_and_repaired(tianyi: Callable[..., Any], repository: Path, aip: str, copy: Path) -> None:
    intact = tianyi("audit", at=repository)
    assert (intact.code, intact.said["intact"], intact.said["findings"]) == (0, intact.said["checked"], [])
    digest = next(row["digest"] for row in tianyi("files", aip, at=repository).rows if row["path"].endswith(".wav"))
    blob = _flip_a_bit(copy, digest)
    damaged = tianyi("audit", at=repository)
    [found] = damaged.said["findings"]
    assert (damaged.code, damaged.said["altered"], found["outcome"], found["copy"]) == (3, 1, "altered", "copy-2")
    assert (found["key"], found["expected"]) == (str(blob.relative_to(copy)), digest)
    assert (aip in found["aips"], found["found"].startswith("sha256:")) == (True, True)
    assert tianyi("audit", "--copy", "first", at=repository).code == 0
    repaired = tianyi("repair", at=repository)
    assert (repaired.code, repaired.said["repaired"], repaired.said["beyond_repair"]) == (0, 1, 0)
    assert tianyi("audit", at=repository).code == 0


def _migrated(tianyi: Callable[..., Any], repository: Path, aip: str) -> None:
    planned = [row for row in tianyi("migrate", "plan", at=repository).rows if row["aip"] == aip]
    original = {row["path"]: row for row in tianyi("files", aip, at=repository).rows}
    done = tianyi("migrate", "run", at=repository)
    rows = [row for row in done.rows if row["aip"] == aip]
    assert (done.code, len(rows) > 10, {row["path"] for row in rows}) == (0, True, {row["path"] for row in planned})
    assert all(row["equal"] and row["tool"] and row["reason"] and row["version"] == 2 for row in rows)
    now = {row["path"]: row for row in tianyi("files", aip, at=repository).rows}
    assert {path: now[path] for path in original} == original
    assert {row["output"]: row["path"] for row in rows} == {
        path: row["derived_from"] for path, row in now.items() if path not in original
    }
    assert tianyi("show", aip, at=repository).said["versions"] == 2
    assert [row for row in tianyi("migrate", "plan", at=repository).rows if row["aip"] == aip] == []
    events = [row for row in tianyi("events", aip, at=repository).rows if row["source"] == "premis"]
    assert sum(row["type"] == "migration" for row in events) == len(rows)
    assert all(row["time"] and row["agent"] and row["outcome"] for row in events)


def _check_bag(dip: Path, source: Any, tree: Callable[[Path], Any]) -> None:
    bagit.Bag(str(dip)).validate()
    premis = b"".join(path.read_bytes() for path in dip.rglob("premis-v2-*.xml"))
    assert b"<premis:relationshipType>derivation<" in premis
    assert b"has source" in premis


def _check_crate(dip: Path, source: Any, tree: Callable[[Path], Any]) -> None:
    crate = ROCrate(dip)
    files = {unquote(str(entity.id)) for entity in crate.get_by_type("File")}
    assert {one for one in files if not one.startswith("proof/")} == {
        f"data/{name.decode()}" for name, entry in source.items() if entry.kind == "file"
    }
    assert all((dip / name).is_file() for name in files)
    assert json.loads((dip / "ro-crate-metadata.json").read_text())["@graph"]


def _check_folder(dip: Path, source: Any, tree: Callable[[Path], Any]) -> None:
    assert tree(dip) == source


def _forgotten_and_rebuilt(
    tianyi: Callable[..., Any], repository: Path, aip: str, copy: Path, asked: Callable[[str], Answers]
) -> None:
    digest = next(row["digest"] for row in tianyi("files", aip, at=repository).rows if row["path"].endswith(".flac"))
    _flip_a_bit(copy, digest)
    assert tianyi("audit", at=repository).code == 3
    before = asked(aip)
    for path in repository.glob("catalogue.db*"):
        path.unlink()
    counts = tianyi("rebuild", at=repository).said
    assert (counts["aips"], counts["versions"]) == (2, 4)
    assert counts["files"] == sum(row["files"] for row in before["list"][1])
    assert asked(aip) == before
    repaired = tianyi("repair", at=repository)  # what was damaged is known from the ledger alone
    assert (repaired.code, repaired.said["repaired"]) == (0, 1)
    assert tianyi("audit", at=repository).code == 0
    original = tianyi("export", aip, repository.parent / "first state", "--as", "bag", "--version", 1, at=repository)
    assert original.code == 0
    assert not list((repository.parent / "first state").rglob("representations/preservation"))
