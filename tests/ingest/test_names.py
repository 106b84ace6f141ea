"""Names are bytes: a tree of names that tools stumble over comes back byte for byte, by every way in and out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bagit
import pytest

Tianyi = Callable[..., Any]
DAY = 86_400 * 10**9
YEAR = 365 * DAY
LONG = "天".encode() * 85  # 255 bytes of UTF-8
NAMES = [
    b"\xff\xfe", b"caf\xe9.txt", b"\xff" * 255, LONG, b"a" * 255, "\u0080".encode() * 127, b"mixed \xff\xc3\xa9",
    b"bell\x07", b"\x01\x02\x1b[31m", b"tab\there", b"\x7f", "\u0085".encode(), "\ufffe".encode(), "\uffff".encode(),
    b"\xed\xa0\x80 half a character", b"line\nbreak", b"carriage\rreturn", b"both\r\n", b"\n", b"\r",
    b"%41", b"%25", b"%0A", b"%", b"100%", b"%zz", b"A", b"=41", b"=", b"==", b"==FF", b"=FF", b"==~", b"=3D",
    b" leading", b"trailing ", b"  ", b"trailing.", b"...", b"..x", b".hidden", "\u3000wide blanks\u3000".encode(),
    "cafe\u0301".encode(), "caf\u00e9".encode(), "\u212b \u00c5 A\u030a".encode(), b"Twin", b"twin", b"TWIN",
    "\u2028line separator\u2029".encode(), "🏛️ 天一閣".encode(), "\u202eetxt.exe".encode(), "\ufeffbom".encode(),
    b"back\\slash", b"\\\\server\\share", b"~", b"~root", b"-rf", b"--help", b"*", b"?", b"[a-z]", b"'\"`$(ls)", b"a:b",
    b"con", b"AUX.txt", b"<>|", b"bagit.txt", b"manifest-sha256.txt", b"data", b"__proto__", b"#", b";", b"&amp;",
]  # fmt: skip
MODES = {b"mode 000": 0o000, b"mode 400": 0o400, b"mode 755": 0o755, b"mode 777": 0o777}
TIMES = {b"epoch": 0, b"before it": -65 * YEAR - 1, b"far": 130 * YEAR + 123_456_789, b"one": 1, b"less": -1}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The tree; file systems with 128-byte inodes cannot hold its times, and then they are what they are."""
    root = tmp_path / "source"
    top = os.fsencode(root)
    for folder in (b"", b"files", b"folders", b"\xff deep/ in /%41/=", b"empty", b"empty/\xff", b"linked"):
        os.makedirs(os.path.join(top, folder), exist_ok=True)
    for number, name in enumerate(NAMES):
        _write(os.path.join(top, b"files", name), b"file %d\n" % (number // 2))
        _write(os.path.join(top, b"folders", name, b"inside"), name)
    _write(os.path.join(top, b"\xff deep/ in /%41/=", b"= "), b"deep")
    for name, mode in MODES.items():
        _write(os.path.join(top, name), name)
        os.chmod(os.path.join(top, name), mode)
    for name, time in TIMES.items():
        _write(os.path.join(top, name), name)
        os.utime(os.path.join(top, name), ns=(time, time))
    _link_all(top)
    os.chmod(os.path.join(top, b"empty/\xff"), 0o000)
    os.utime(os.path.join(top, b"empty"), ns=(5 * DAY, 5 * DAY))
    return root


def _write(path: bytes, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(data)


def _link_all(top: bytes) -> None:
    folder = os.path.join(top, b"linked")
    for target, name in ((b"\xff not there\n", b"dangling"), (b"/etc/passwd", b"absolute"), (b"../files", b"folder"),
                         (b"../../..", b"out"), (b"loop", b"loop"), (b"../files/A", b"\xff link ")):  # fmt: skip
        os.symlink(target, os.path.join(folder, name))
        os.utime(os.path.join(folder, name), ns=(YEAR, YEAR + 7), follow_symlinks=False)
    os.link(os.path.join(top, b"files", b"A"), os.path.join(folder, b"hard"))


@pytest.fixture(params=["folder", "tar"])
def package(request: pytest.FixtureRequest, source: Path, tmp_path: Path) -> Path:
    """The tree as it is delivered."""
    if request.param == "folder":
        return source
    packed = tmp_path / "packed.tar"
    subprocess.run(["tar", "--format=posix", "-cf", packed, "-C", source, "."], check=True)
    return packed


def test_every_name_comes_back(
    tianyi: Tianyi, repository: Path, source: Path, package: Path, tmp_path: Path, tree: Any
) -> None:
    before = tree(source)
    answer = tianyi("ingest", package, at=repository)
    assert (answer.code, answer.said["outcome"]) == (0, "accepted")
    assert answer.said["files"] == sum(entry.kind == "file" for entry in before.values())
    assert tree(source) == before
    aip = answer.said["aip"]
    listed = [row["original_name"] for row in tianyi("files", aip, at=repository).rows]
    assert len(set(listed)) == len(listed) == answer.said["files"]
    folder, restored = tmp_path / "folder", tmp_path / "restored"
    assert tianyi("export", aip, folder, "--as", "folder", at=repository).code == 0
    assert tree(folder) == before
    restore = [sys.executable, "-I", str(repository / "vault" / "restore.py"), aip]
    subprocess.run([*restore, str(restored), "--as-received"], check=True, capture_output=True)
    assert tree(restored) == before


def test_every_name_in_a_bag(tianyi: Tianyi, repository: Path, source: Path, tmp_path: Path, tree: Any) -> None:
    aip = tianyi("ingest", source, at=repository).said["aip"]
    contents = sorted(entry.content for entry in tree(source).values() if entry.kind == "file")
    for names in ("portable", "rfc"):
        dip = tmp_path / names
        assert tianyi("export", aip, dip, "--as", "bag", "--names", names, at=repository).code == 0
        verdict = tianyi("validate", dip)
        assert (verdict.code, verdict.said["valid"], verdict.said["findings"]) == (0, True, [])
        payload = dip / "data" / "representations" / "original" / "data"
        assert sorted(entry.content for entry in tree(payload).values() if entry.kind == "file") == contents
    bagit.Bag(str(tmp_path / "portable")).validate()
    restored = tmp_path / "restored"
    restore = [sys.executable, "-I", str(repository / "vault" / "restore.py"), aip, str(restored)]
    subprocess.run(restore, check=True, capture_output=True)
    assert {name: entry.content for name, entry in tree(restored).items() if entry.kind == "file"} == {
        name: entry.content for name, entry in tree(tmp_path / "rfc").items() if entry.kind == "file"
    }
    again = tianyi("ingest", tmp_path / "rfc", at=repository)  # our own bag is a SIP like any other
    assert (again.code, again.said["kind"], again.said["new_bytes"] < again.said["bytes"]) == (0, "bag", True)


def test_every_name_in_a_crate(tianyi: Tianyi, repository: Path, source: Path, tmp_path: Path, tree: Any) -> None:
    aip = tianyi("ingest", source, at=repository).said["aip"]
    dip = tmp_path / "crate"
    answer = tianyi("export", aip, dip, "--as", "rocrate", at=repository)
    assert answer.code == 0
    files = {name: entry.content for name, entry in tree(source).items() if entry.kind == "file"}
    assert {name: entry.content for name, entry in tree(dip / "data").items() if entry.kind == "file"} == files


def test_a_name_in_json_can_be_turned_back(tianyi: Tianyi, source: Path) -> None:
    from storage.names import unescape_path

    rows = tianyi("identify", source / "files").rows
    assert {unescape_path(row["path"]) for row in rows} == {os.path.join(bytes(source), b"files", n) for n in NAMES}
    assert all(row.keys() >= {"path", "size", "puids", "mime", "basis"} for row in rows)
    assert [row["path"] for row in rows] == [row["path"] for row in tianyi("identify", source / "files").rows]
    assert {row["basis"] for row in rows} <= {"signature", "container", "extension", "none"}


def test_a_package_and_a_place_of_any_name(tianyi: Tianyi, repository: Path, tmp_path: Path, tree: Any) -> None:
    package = Path(os.fsdecode(os.path.join(bytes(tmp_path), b"\xff\n%41 ")))
    package.mkdir()
    (package / "a").write_text("a")
    answer = tianyi("ingest", package, at=repository)
    assert (answer.code, answer.said["outcome"]) == (0, "accepted")
    shown = tianyi("show", answer.said["aip"], at=repository).said
    assert shown["title"]
    for form in ("folder", "bag", "rocrate"):
        dest = package.with_name(package.name + form)
        dip = tianyi("export", answer.said["aip"], dest, "--as", form, at=repository)
        assert dip.code == 0
        assert dest.is_dir()
    restored = package.with_name(package.name + "again")
    restore = [sys.executable, "-I", repository / "vault" / "restore.py", answer.said["aip"], restored, "--as-received"]
    subprocess.run(restore, check=True, capture_output=True)
    assert tree(restored) == tree(package)
    assert tianyi("ingest", package / "nothing \udcff", at=repository).code == 4


def test_names_that_look_alike_are_told_apart(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    (source := tmp_path / "alike").mkdir()
    for name in ("caf\u00e9", "cafe\u0301", "Dues", "dues"):
        (source / name).write_text(name)
    found = tianyi("ingest", source, "--dry-run", at=repository).said["findings"]
    told = {one["path"]: one["message"].split(" by ")[1] for one in found if one["code"] == "names-alike"}
    assert told == {"caf\u00e9": "Unicode normalization alone.", "dues": "case or form alone."}


def test_the_list_that_the_producer_gets_is_checked_by_sha256sum(
    tianyi: Tianyi, source: Path, repository: Path
) -> None:
    assert tianyi("ingest", source, at=repository).code == 0
    [listing] = (repository / "work" / "reports").glob("*.sha256")
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", listing], cwd=source, check=True)
