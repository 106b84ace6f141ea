"""What somebody who can write to one copy may leave there: it deletes nothing, stops nothing, and is not believed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import UUID

import pytest

from storage import layout
from storage.aip import parse_record
from storage.digest import sha256
from storage.tombstone import Tombstone
from tests.conftest import Tianyi
from tests.repository.test_copies import SECOND, answers, archive, keys, states, take_in

__all__ = ["archive"]  # the fixture


@pytest.mark.parametrize("whole", [True, False])
def test_a_tombstone_alone_deletes_nothing(archive: Path, tmp_path: Path, tianyi: Tianyi, whole: bool) -> None:
    told = answers(tianyi, archive)
    aip = tianyi("list", at=archive).rows[0]["aip"]
    forged = Tombstone(
        aip=aip, accession="2026-0001", request="D-2026-0001", reason="a forgery", requested="2026-01-01T00:00:00Z",
        requested_by="mallory", approved="2026-01-01T00:00:00Z", approved_by="mallory",
        deleted="2026-01-01T00:00:00Z", policy="", versions={1: sha256(b"x")},
    )  # fmt: skip
    place = tmp_path / "second" / layout.tombstone_key(UUID(aip.removeprefix("urn:uuid:")))
    place.parent.mkdir()
    place.write_bytes(forged.to_bytes() if whole else b"garbage")
    before = keys(archive / "vault")
    assert tianyi("replicate", at=archive).said["behind"] == 0
    for path in (*(archive / "vault" / "blobs").rglob("*"), *(tmp_path / "second" / "blobs").rglob("*")):
        os.utime(path, (10**9, 10**9))
    assert tianyi("sweep", at=archive).said["removed"] == 0
    assert {key: data for key, data in keys(archive / "vault").items() if key in before} == before
    assert tianyi("rebuild", at=archive).code == 0
    assert answers(tianyi, archive) == told
    assert tianyi("audit", at=archive).said["extra"] == 1


@pytest.mark.parametrize("name", ["005", "000.p/200", "x999/x999/999"])
@pytest.mark.parametrize("where", ["first", SECOND])
def test_a_stray_file_in_the_log_stops_nothing(
    archive: Path, tmp_path: Path, tianyi: Tianyi, name: str, where: str
) -> None:
    told = answers(tianyi, archive)
    root = archive / "vault" if where == "first" else tmp_path / "second"
    stray = root / "log" / "tile" / "entries" / name
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"x")
    assert answers(tianyi, archive) == told
    take_in(tianyi, archive, "another")
    assert tianyi("audit", at=archive).code == 0
    assert tianyi("rebuild", at=archive).code == 0
    assert len(tianyi("list", at=archive).rows) == 3


def test_another_aips_record_under_a_key_is_damage(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    one, other = sorted((tmp_path / "second" / "aips").rglob("v1.json"))
    right = one.read_bytes()
    one.unlink()
    shutil.copy(other, one)
    assert tianyi("audit", at=archive).said["altered"] == 1
    assert tianyi("repair", at=archive).code == 0
    assert one.read_bytes() == right
    assert parse_record(right, "").version == 1


def test_a_copy_may_not_be_where_another_or_the_repository_is(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    (tmp_path / "link").symlink_to(archive / "vault")
    places = [archive / "work" / "scratch", archive / "keys", archive, tmp_path, tmp_path / "link" / "sub"]
    for place in places:
        assert tianyi("copies", "add", "third", place, at=archive).said["code"] == "not-a-vault", place
    settings = archive / "tianyi.toml"
    settings.write_text(settings.read_text() + f'\n[[copies]]\nname = "third"\nurl = "{tmp_path / "link"}"\n')
    assert tianyi("list", at=archive).said["code"] == "not-a-vault"


@pytest.mark.parametrize("url", ["file://[x", "s3://[x/y", "file:%00", " "])
def test_a_url_that_is_none(archive: Path, tianyi: Tianyi, url: str) -> None:
    if url.strip():  # on the command line a blank is a folder's name
        assert tianyi("copies", "add", "third", url, at=archive).said["code"] in ("usage", "copy-unsupported")
    (archive / "tianyi.toml").write_text(f'[vault]\nid = "x"\n[[copies]]\nname = "first"\nurl = "{url}"\n')
    assert tianyi("list", at=archive).said["code"] in ("config-invalid", "copy-unsupported")


def test_a_copy_that_may_be_the_only_good_one_is_not_retired(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    shutil.rmtree(archive / "vault" / "blobs")
    assert tianyi("copies", "retire", SECOND, at=archive).said["code"] == "usage"
    assert tianyi("replicate", at=archive).code == 0
    assert tianyi("copies", "retire", SECOND, at=archive).code == 0


def test_promoting_needs_no_folder_of_work(archive: Path, tianyi: Tianyi) -> None:
    told = answers(tianyi, archive)
    shutil.rmtree(archive / "vault")
    shutil.rmtree(archive / "work")
    assert tianyi("copies", "promote", SECOND, at=archive).code == 0
    assert answers(tianyi, archive) == told
    assert states(tianyi, archive)[SECOND] == ("complete", 0)


def test_what_only_a_parted_history_tells_of_is_brought_over(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    """Records count as committed wherever they are; which ledger is right is for a person."""
    shutil.copytree(tmp_path / "second", tmp_path / "kept")
    take_in(tianyi, archive, "only in the first")
    (archive / "vault").rename(tmp_path / "unplugged")
    shutil.rmtree(tmp_path / "second")
    (tmp_path / "kept").rename(tmp_path / "second")
    assert tianyi("copies", "promote", SECOND, at=archive).code == 0
    take_in(tianyi, archive, "only in the second")
    (tmp_path / "unplugged").rename(archive / "vault")
    assert tianyi("replicate", at=archive).code == 6
    assert len(tianyi("list", at=archive).rows) == 4
    assert tianyi("show", "2026-0003", at=archive).said["code"] == "ambiguous"
    assert tianyi("rebuild", at=archive).said["aips"] == 4
    for root in (archive / "vault", tmp_path / "second"):
        assert len(list((root / "aips").rglob("v1.json"))) == 4


@pytest.mark.parametrize("where", ["first", SECOND])
def test_garbage_under_a_records_name_goes_to_quarantine_and_the_sweep_goes_on(
    archive: Path, tmp_path: Path, tianyi: Tianyi, where: str
) -> None:
    root = archive / "vault" if where == "first" else tmp_path / "second"
    key = layout.record_key(UUID("01234567-89ab-7def-8123-456789abcdef"), 1)
    (root / key).parent.mkdir(parents=True)
    (root / key).write_bytes(b"garbage")
    assert tianyi("sweep", at=archive).code != 0
    audit = tianyi("audit", at=archive)
    assert (audit.code, audit.said["altered"], audit.said["extra"]) == (3, 1, 0)
    plan = tianyi("repair", "--dry-run", at=archive).said
    assert (plan["repairable"], [found["outcome"] for found in plan["findings"]]) == (1, ["repairable"])
    mended = tianyi("repair", at=archive)
    assert (mended.code, mended.said["repaired"], mended.said["findings"][0]["source"]) == (0, 1, "quarantine")
    assert not (root / key).exists()
    assert [path.read_bytes() for path in (archive / "work" / "quarantine").rglob("*v1.json")] == [b"garbage"]
    assert tianyi("audit", at=archive).code == 0
    assert tianyi("sweep", at=archive).code == 0
    assert tianyi("rebuild", at=archive).code == 0
    assert tianyi("audit", at=archive).code == 0


def test_garbage_that_changed_since_the_audit_is_left_alone(archive: Path, tianyi: Tianyi) -> None:
    key = layout.record_key(UUID("01234567-89ab-7def-8123-456789abcdef"), 1)
    stray = archive / "vault" / key
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"garbage")
    assert tianyi("audit", at=archive).code == 3
    stray.write_bytes(b"something else")
    mended = tianyi("repair", at=archive)
    assert (mended.code, mended.said["beyond_repair"], stray.read_bytes()) == (3, 1, b"something else")
