"""Exports that share bytes with the vault: checked all the same, never written through, refused where it cannot be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from repository import Repository
from repository.dip_contents import Link
from repository.errors import BadRequest, CannotLink

DATA = b"bytes worth keeping\n"


@pytest.fixture
def archive(tmp_path: Path) -> Repository:
    (tmp_path / "source" / "box").mkdir(parents=True)
    (tmp_path / "source" / "box" / "letter.txt").write_bytes(DATA)
    (tmp_path / "source" / "box" / "letter.txt").chmod(0o666)
    repository = Repository.init(tmp_path / "archive", [str(tmp_path / "second")])
    repository.ingest(tmp_path / "source")
    return repository


def blobs(copy: Path) -> dict[int, Path]:
    """Files of a copy by their inodes."""
    return {path.stat().st_ino: path for path in copy.rglob("blobs/**/*") if path.is_file()}


def test_a_hard_link_is_the_vault_s_own_file_and_is_not_dressed(archive: Repository, tmp_path: Path) -> None:
    archive.export(next(archive.aips()).aip, tmp_path / "out", "folder", link=Link.HARD)
    letter = tmp_path / "out" / "box" / "letter.txt"
    assert letter.read_bytes() == DATA
    assert letter.stat().st_ino in blobs(tmp_path / "archive" / "vault")
    assert stat.S_IMODE(letter.stat().st_mode) == 0o444
    archive.close()


def test_what_is_damaged_is_not_linked(archive: Repository, tmp_path: Path) -> None:
    [aip] = archive.aips()
    bad = next(path for path in blobs(tmp_path / "archive" / "vault").values() if path.read_bytes() == DATA)
    bad.chmod(0o644)
    bad.write_bytes(DATA.upper())
    archive.export(aip.aip, tmp_path / "out", "folder", link=Link.HARD)
    letter = tmp_path / "out" / "box" / "letter.txt"
    assert letter.read_bytes() == DATA
    assert letter.stat().st_ino in blobs(tmp_path / "second")
    assert [copy for copy, _ in archive.bad_reads] == ["first"]
    archive.close()


def test_a_clone_or_a_refusal_and_nothing_half_written(archive: Repository, tmp_path: Path) -> None:
    [aip] = archive.aips()
    try:
        archive.export(aip.aip, tmp_path / "out", "bag", link=Link.REFLINK)
    except CannotLink:
        assert sorted(os.listdir(tmp_path)) == ["archive", "second", "source"]
    else:
        letter = tmp_path / "out" / "data/representations/original/data/box/letter.txt"
        assert letter.read_bytes() == DATA
        assert letter.stat().st_ino not in blobs(tmp_path / "archive" / "vault")
    with pytest.raises(BadRequest):
        archive.export(aip.aip, tmp_path / "crate", "rocrate", link=Link.HARD)
    archive.close()
