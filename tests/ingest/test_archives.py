"""Which archives are told apart, and what is refused by its kind alone."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import py7zr
import pytest

from ingest import unpack_zip
from ingest.archive import kind_of
from ingest.errors import UnknownPackage
from ingest.finding import Finding
from ingest.unpack import CHUNK, TooMuch, Unpacking
from policies.ingest import ContainerLimits

Tianyi = Callable[..., Any]


def made(path: Path) -> Path:
    """An archive of one file, by the name's ending."""
    if ".7z" in path.name:
        with py7zr.SevenZipFile(path, "w") as seven:
            seven.writestr(b"text", "a.txt")
    elif ".zip" in path.name:
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("a.txt", "text")
    else:
        with tarfile.open(path, "w:gz") as archive:
            archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO())
    return path


@pytest.mark.parametrize(("name", "kind"), [("a.7z", "7z"), ("a.zip", "zip"), ("a.tar.gz", "tar"), ("a.tgz", "tar")])
def test_by_the_name_or_by_the_first_bytes(name: str, kind: str, tmp_path: Path) -> None:
    path = made(tmp_path / name)
    assert kind_of(path) == kind
    assert kind_of(path.rename(tmp_path / "nameless")) == kind
    unknown = (tmp_path / "nameless").rename(tmp_path / "a.dat")
    with pytest.raises(UnknownPackage):
        kind_of(unknown)
    assert kind_of(unknown, kind) == kind


def test_a_name_that_is_wrong_misleads_nobody(tianyi: Tianyi, tmp_path: Path) -> None:
    names = {"a.7z": "7z", "a.zip": "zip", "a.tar.gz": "tar"}
    for name, kind in names.items():
        path = made(tmp_path / name)
        for other in names:
            path = path.rename(tmp_path / f"wrong-{other}")
            assert kind_of(path) == kind
        assert tianyi("validate", path).said["kind"] == kind
        path.unlink()
    (tmp_path / "a.zip").write_bytes(b"MZ, a program that unpacks itself")
    (tmp_path / "a.tar").write_bytes(bytes(1024))
    assert (kind_of(tmp_path / "a.zip"), kind_of(tmp_path / "a.tar")) == ("zip", "tar")


def test_a_rar_is_refused_with_its_code(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    for name, version in (("a.rar", b"\x00"), ("a.zip", b"\x01\x00")):
        (tmp_path / name).write_bytes(b"Rar!\x1a\x07" + version + bytes(100))
        for command in ("validate", "ingest"):
            answer = tianyi(command, tmp_path / name, at=repository)
            assert (answer.code, answer.said["kind"]) == (5, "rar")
            told = {found["code"]: found["message"] for found in answer.said["findings"]}
            assert "no-rules" not in told  # there is nothing to say --as
            assert "There is no file" not in told.get("empty-package", "")  # nobody has looked
            assert "deliver the folder" in next(
                found["message"] for found in answer.said["findings"] if found["code"] == "rar-refused"
            )


def test_what_it_is_said_to_be_goes_before_what_it_looks_like(tianyi: Tianyi, tmp_path: Path) -> None:
    hidden = made(tmp_path / "a.zip").rename(tmp_path / "a.dat")
    assert tianyi("validate", hidden).said["code"] == "unknown-package"
    assert tianyi("validate", hidden, "--as", "zip").said["kind"] == "zip"
    assert (plain := tianyi("validate", hidden, "--as", "zip")).said["valid"] is None  # it claims nothing
    assert plain.code == 6
    (tmp_path / "folder").mkdir()
    assert tianyi("validate", tmp_path / "folder", "--as", "zip").said["code"] == "unknown-package"


def test_a_zip_that_needs_too_much_memory(tmp_path: Path) -> None:
    path, limits = tmp_path / "a.zip", ContainerLimits(files=1_000, bytes=10**9, ratio=1000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("a.txt", "text")
    whole = path.read_bytes()
    dictionary = whole.index(b"a.txt") + 5 + 5
    for number, (size, codes) in enumerate(((1 << 16, set()), (1 << 30, {"zip-damaged"}))):
        path.write_bytes(whole[:dictionary] + size.to_bytes(4, "little") + whole[dictionary + 4 :])
        (out := tmp_path / str(number)).mkdir()
        found = list(unpack_zip.unpack(path, Unpacking(out, len(whole), limits, lambda name: None)))
        assert {one.code for one in found if isinstance(one, Finding)} == codes


def test_a_zip_whose_directory_has_more_entries_than_the_policy_allows(tmp_path: Path) -> None:
    """zipfile keeps its whole directory in memory: it is refused before."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for number in range(CHUNK // 80):
            packed.writestr(f"{number:040d}", "")
    (tmp_path / "out").mkdir()
    limits = ContainerLimits(files=1_000, bytes=10**9, ratio=1000)
    with pytest.raises(TooMuch):
        next(unpack_zip.unpack(tmp_path / "a.zip", Unpacking(tmp_path / "out", 1 << 20, limits, lambda name: None)))
    with (tmp_path / "a.zip").open("r+b") as file:  # nothing but a directory of 4 GB, on a disk that has not so much
        file.truncate(4_000_000_000)
        file.seek(0, 2)
        file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 3_900_000_000, 100_000_000, 0))
    with pytest.raises(TooMuch, match="3900000000"):
        next(unpack_zip.unpack(tmp_path / "a.zip", Unpacking(tmp_path / "out", 1 << 20, limits, lambda name: None)))


def _appended(path: Path, *entries: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "a") as archive:  # as `tar -r`
        for entry in entries:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return path


def _entry(name: str, kind: bytes, mode: int, mtime: int = 0, size: int = 0) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.mode, found.mtime, found.size = kind, mode, mtime, size
    return found


def test_a_folder_that_a_tar_lists_twice(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    """It is as it was told last: so does tar unpack it."""
    packed = _appended(
        tmp_path / "a.tar", _entry("d", tarfile.DIRTYPE, 0o755, 5), _entry("d/a", tarfile.REGTYPE, 0o644)
    )
    _appended(packed, _entry("d/", tarfile.DIRTYPE, 0o750, 7), _entry("d/b", tarfile.REGTYPE, 0o644, size=1))
    answer = tianyi("ingest", packed, at=repository)
    assert (answer.code, answer.said["outcome"], answer.said["files"]) == (0, "accepted", 2)
    assert not [found for found in answer.said["findings"] if found["severity"] == "error"]
    assert tianyi("export", "2026-0001", tmp_path / "out", "--as", "folder", at=repository).code == 0
    facts = (tmp_path / "out" / "d").stat()
    assert (facts.st_mode & 0o777, facts.st_mtime) == (0o750, 7)
    assert sorted(path.name for path in (tmp_path / "out" / "d").iterdir()) == ["a", "b"]


@pytest.mark.parametrize("kinds", ["FF", "FD", "DF", "DL", "LD"])
def test_what_an_archive_has_twice_otherwise_is_refused(
    tianyi: Tianyi, repository: Path, tmp_path: Path, kinds: str
) -> None:
    types = {"F": tarfile.REGTYPE, "D": tarfile.DIRTYPE, "L": tarfile.SYMTYPE}
    entries = [_entry("x", types[kind], 0o755) for kind in kinds]
    for entry in entries:
        entry.linkname = "elsewhere" * (entry.type == tarfile.SYMTYPE)
    answer = tianyi("ingest", _appended(tmp_path / "a.tar", *entries), at=repository)
    assert answer.code == 5
    assert [found["path"] for found in answer.said["findings"] if found["code"] == "duplicate-entry"] == ["x"]
