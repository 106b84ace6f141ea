"""Damage of every kind to everything that a copy holds: found by an audit, named, and healed from the other copy."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Tianyi = Callable[..., Any]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    overwrite(path, bytes(data))


def cut(path: Path) -> None:
    overwrite(path, path.read_bytes()[:-1])


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def delete(path: Path) -> None:
    path.unlink()


def loop(path: Path) -> None:
    """In its place something that cannot be read, for root neither."""
    path.unlink()
    path.symlink_to(path.name)


KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "flipped": (flip, "altered"),
    "cut": (cut, "altered"),
    "deleted": (delete, "missing"),
    "barred": (loop, "unreadable"),
}


@pytest.fixture
def aip(tianyi: Tianyi, repository: Path, tmp_path: Path) -> str:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.txt").write_text(f"file {number}\n")
    answer = tianyi("ingest", source, "--title", "What is damaged", at=repository)
    assert answer.code == 0
    return str(answer.said["aip"])


def keys(copy: Path) -> list[str]:
    """Everything in a copy but the ledger's right-most bundle, which the next event writes anew."""
    found = (str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file())
    return sorted(key for key in found if not key.startswith("log/"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_copy(tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, kind: str) -> None:
    damage, word = KINDS[kind]
    spoiled = keys(copies[1])
    for key in spoiled if kind != "deleted" else [key for key in spoiled if not key.startswith("tianyi")]:
        damage(copies[1] / key)
    damaged = tianyi("audit", at=repository)
    found = {finding["key"]: finding for finding in damaged.said["findings"]}
    expected = set(spoiled) - ({"tianyi-vault.json"} if kind == "deleted" else set())
    assert (damaged.code, found.keys(), damaged.said[word]) == (3, expected, len(expected))
    assert {(finding["copy"], finding["outcome"]) for finding in found.values()} == {("copy-2", word)}
    assert all(finding["aips"] == [aip] for key, finding in found.items() if key.startswith(("blobs", "aips")))
    repaired = tianyi("repair", at=repository)
    assert (repaired.code, {one["key"] for one in repaired.said["findings"]}) == (0, expected)
    assert tianyi("audit", at=repository).code == 0
    assert keys(copies[0]) == keys(copies[1])
    assert set(keys(copies[1])) > set(spoiled)  # the list of findings is kept too


def sorts(tianyi: Tianyi, repository: Path, aip: str) -> dict[str, str]:
    """One key of each sort."""
    files = {row["path"]: row["digest"][7:] for row in tianyi("files", aip, "--all", at=repository).rows}
    wanted = ("bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt",
              "data/metadata/preservation/premis-v1-0001.xml", "data/metadata/descriptive/dc.json",
              "data/representations/original/data/1.txt")  # fmt: skip
    found = {path: files[path] for path in wanted if path in files}
    blobs = {path: f"blobs/sha256/{name[:3]}/{name}" for path, name in found.items()}
    return blobs | {"record": f"aips/{aip[-4:-2]}/{aip[-2:]}/{aip[9:]}/v1.json", "README": "README.txt",
                    "restore": "restore.py", "vault": "tianyi-vault.json"}  # fmt: skip


def test_the_first_copy_piece_by_piece(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, tmp_path: Path
) -> None:
    for number, (name, key) in enumerate(sorts(tianyi, repository, aip).items()):
        damage, word = KINDS[("flipped", "cut", "deleted")[number % 3]]
        damage(copies[0] / key)
        dip = tmp_path / str(number)
        assert tianyi("export", aip, dip, at=repository).code == 0, name  # the other copy has it
        damaged = tianyi("audit", at=repository)
        [found] = damaged.said["findings"]
        assert (damaged.code, found["key"], found["copy"], found["outcome"]) == (3, key, "first", word), name
        assert tianyi("rebuild", at=repository).code == 0
        repaired = tianyi("repair", at=repository)
        assert (repaired.code, [one["key"] for one in repaired.said["findings"]]) == (0, [key]), name
        assert tianyi("audit", at=repository).code == 0, name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("which", [0, 1])
def test_the_end_of_the_ledger(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, kind: str, which: int
) -> None:
    before = tianyi("events", at=repository).rows
    [last] = (copies[which] / "log" / "tile" / "entries" / "000.p").iterdir()
    KINDS[kind][0](last)
    assert tianyi("audit", at=repository).code == 3
    tianyi("repair", at=repository)
    assert tianyi("audit", at=repository).code == 0
    assert tianyi("rebuild", at=repository).code == 0
    assert tianyi("events", at=repository).rows[: len(before)] == before


def test_both_copies(tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, tmp_path: Path) -> None:
    key = sorts(tianyi, repository, aip)["data/representations/original/data/1.txt"]
    for copy in copies:
        flip(copy / key)
    assert tianyi("audit", at=repository).said["altered"] == 2
    repaired = tianyi("repair", at=repository)
    assert (repaired.code, repaired.said["repaired"], repaired.said["beyond_repair"]) == (3, 0, 2)
    assert [one["key"] for one in repaired.said["findings"]] == [key, key]
    answer = tianyi("export", aip, tmp_path / "dip", at=repository)
    assert (answer.code, answer.said["code"]) == (3, "damaged")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "second", "source"]
    assert tianyi("rebuild", at=repository).code == 0
    assert tianyi("audit", at=repository).code == 3


def test_what_nobody_knows_of(tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str) -> None:
    held = len(keys(copies[1] / "blobs"))
    (copies[1] / "notes \udcff.txt").write_text("a stray file")
    shutil.copytree(copies[1] / "blobs", copies[1] / "blobs-old")
    answer = tianyi("audit", at=repository)
    assert (answer.code, answer.said["extra"]) == (0, 1 + held)
    assert "=notes =FF.txt" in {finding["key"] for finding in answer.said["findings"]}


def test_a_catalogue_that_cannot_be_read(tianyi: Tianyi, repository: Path, aip: str) -> None:
    before = tianyi("list", at=repository).rows
    for damage in (flip, cut, delete, lambda path: overwrite(path, b"rubbish" * 1_000)):
        damage(repository / "catalogue.db")
        answer = tianyi("rebuild", at=repository)
        assert (answer.code, answer.said["aips"]) == (0, 1)
        assert tianyi("list", at=repository).rows == before


def test_a_lost_piece_hides_nothing_else(tianyi: Tianyi, tmp_path: Path) -> None:
    """One copy alone, and one piece of one AIP gone for ever: a rebuild still finds everything else, and says so."""
    repository, source = tmp_path / "alone", tmp_path / "source"
    source.mkdir()
    (source / "a.txt").write_text("a\n")
    assert tianyi("init", repository).code == 0
    taken = [tianyi("ingest", source, "--title", title, at=repository).said["aip"] for title in ("first", "second")]
    (source / "a.txt").write_text("b\n")
    aip = tianyi("ingest", source, "--title", "damaged", "--metadata", dublin_core(tmp_path), at=repository).said["aip"]
    keep = {path: path.read_bytes() for path in (repository / "vault").rglob("*") if path.is_file()}
    for name, key in sorts(tianyi, repository, aip).items():
        if "a.txt" in name or name in ("vault", "bagit.txt"):
            continue
        (repository / "vault" / key).unlink()
        for path in repository.glob("catalogue.db*"):
            path.unlink()
        listed = tianyi("list", at=repository)
        assert (name, listed.code, [row["aip"] for row in listed.rows]) == (name, 0, [*taken, aip])
        rebuilt, is_listing = tianyi("rebuild", at=repository), "manifest-sha256.txt" in name or name == "record"
        unread = [{"aip": aip, "version": 1, "key": key}] if is_listing else []
        assert (name, rebuilt.code, rebuilt.said["unread"]) == (name, 3 if is_listing else 0, unread)
        audited = tianyi("audit", at=repository)
        missing = [one["key"] for one in audited.said["findings"] if one["outcome"] not in ("extra", "mode")]
        assert (name, audited.code, missing) == (name, 3, [key])
        assert tianyi("export", taken[0], tmp_path / name.replace("/", "-"), at=repository).code == 0
        if not name.startswith("R") and name != "restore":
            answer = tianyi("export", aip, tmp_path / "broken", at=repository)
            assert (
                name,
                answer.code in (3, 4) if name == "record" else answer.code == 3,
                (tmp_path / "broken").exists(),
            ) == (name, True, False)
        (repository / "vault" / key).write_bytes(keep[repository / "vault" / key])
        (repository / "vault" / key).chmod(0o444)
        assert tianyi("rebuild", at=repository).said["files"] == 3
        assert tianyi("audit", at=repository).code == 0


def dublin_core(folder: Path) -> Path:
    (folder / "dc.json").write_text('{"subject": "damage"}')
    return folder / "dc.json"


def test_an_audit_of_a_copy_that_is_away_forgets_no_damage(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str
) -> None:
    key = sorts(tianyi, repository, aip)["data/representations/original/data/1.txt"]
    flip(copies[1] / key)
    assert tianyi("audit", at=repository).said["altered"] == 1
    away = copies[1].rename(copies[1].with_name("away"))
    unread = tianyi("audit", at=repository)
    assert (unread.code, [found["outcome"] for found in unread.said["findings"]]) == (6, ["not_checked"])
    away.rename(copies[1])
    assert tianyi("repair", at=repository).said["repaired"] >= 1
    assert tianyi("audit", at=repository).said["altered"] == 0
    assert tianyi("repair", at=repository).code == 0  # what was written while it was away
    assert tianyi("audit", at=repository).code == 0


def test_a_lost_ledger_loses_no_holdings_and_no_number_is_given_twice(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, tmp_path: Path
) -> None:
    for copy in copies:
        shutil.rmtree(copy / "log")
    assert [row["aip"] for row in tianyi("list", at=repository).rows] == [aip]
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "new.txt").write_text("new\n")
    refused = tianyi("ingest", tmp_path / "more", at=repository)
    assert (refused.code, refused.said["code"]) == (3, "ledger-changed"), "it had entries, as its checkpoint tells"
    assert tianyi("copies", "promote", "first", at=repository).said["entries_missing"] > 0
    assert tianyi("ingest", tmp_path / "more", at=repository).said["accession"].endswith("-0002")
    assert tianyi("rebuild", at=repository).said["aips"] == 2


def test_an_audit_does_not_believe_a_catalogue_that_forgot(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str
) -> None:
    key = sorts(tianyi, repository, aip)["data/representations/original/data/1.txt"]
    with closing(sqlite3.connect(repository / "catalogue.db")) as catalogue, catalogue:
        catalogue.execute("delete from files where path like '%/1.txt'")
    for copy in copies:
        (copy / key).unlink()
    answer = tianyi("audit", at=repository)
    assert (answer.code, answer.said["missing"]) == (3, 2)


def test_what_cannot_be_written_stops_no_other_repair(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str
) -> None:
    """A folder lies in a blob's place, with something in it that cannot be kept elsewhere: it stays."""
    places = [copies[1] / key for key in sorted(sorts(tianyi, repository, aip).values()) if key.startswith("blobs/")]
    places[0].unlink()
    places[0].mkdir()
    (places[0] / "theirs.txt").write_text("somebody's")
    os.mkfifo(places[0] / "pipe")
    for place in places[1:3]:
        flip(place)
    assert tianyi("audit", at=repository).code == 3
    answer = tianyi("repair", at=repository)
    assert (answer.code, answer.said["repaired"], answer.said["beyond_repair"]) == (3, 2, 1)
    [left] = [one for one in answer.said["findings"] if one["outcome"] == "beyond_repair"]
    assert (left["key"], left["source"]) == (str(places[0].relative_to(copies[1])), "first")
    assert (places[0] / "theirs.txt").read_text() == "somebody's"
