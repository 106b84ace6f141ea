"""A copy kept as an OCFL storage root, through the commands: filled, audited, healed, buried in, and read from."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from storage import layout
from storage.digest import sha256
from storage.errors import NoRoom
from tests.conftest import Answer, Tianyi, tree_of
from tests.repository.test_copies import keys, states, take_in

DARK = "dark"


@pytest.fixture
def archive(tmp_path: Path, tianyi: Tianyi) -> Path:
    """A repository with one copy of the vault, two AIPs, and a package copy that is complete."""
    folder = tmp_path / "archive"
    assert tianyi("init", folder).code == 0
    for name in ("harbour", "bridge"):
        take_in(tianyi, folder, name)
    assert tianyi("copies", "add", DARK, tmp_path / DARK, "--form", "ocfl", at=folder).code == 0
    assert states(tianyi, folder) == {"first": ("complete", 0), DARK: ("behind", 2)}
    assert tianyi("replicate", at=folder).code == 0
    return folder


def test_it_is_complete_valid_and_audited(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    assert states(tianyi, archive) == {"first": ("complete", 0), DARK: ("complete", 0)}
    valid = tianyi("validate", tmp_path / DARK).said
    assert (valid["kind"], valid["valid"]) == ("ocfl", True)
    audit = tianyi("audit", at=archive)
    assert (audit.code, audit.said["copies"]) == (0, ["first", DARK])
    assert all(row["last_read_in_full"] for row in tianyi("copies", at=archive).rows)
    late = take_in(tianyi, archive, "late")
    assert states(tianyi, archive)[DARK] == ("behind", 1)
    assert tianyi("replicate", "--copy", DARK, at=archive).said["behind"] == 0
    assert late.removeprefix("urn:uuid:") in str(sorted(keys(tmp_path / DARK)))


def test_it_heals_the_vault_and_the_vault_heals_it(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    for damaged in (archive / "vault" / "blobs", tmp_path / DARK):
        place = max((path for path in damaged.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
        place.chmod(0o644)
        place.write_bytes(spoiled := b"\0" + place.read_bytes()[1:])
        assert tianyi("audit", at=archive).said["altered"] == 1, place
        assert "damaged" in [state for state, _ in states(tianyi, archive).values()]
        repaired = tianyi("repair", at=archive)
        assert (repaired.code, repaired.said["repaired"]) == (0, 1), place
        [kept] = [one["quarantine"] for one in repaired.said["findings"]]
        assert (archive / "work" / "quarantine" / kept).read_bytes() == spoiled
        assert tianyi("audit", at=archive).code == 0, place


def test_what_is_deleted_leaves_it_too(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    aip = tianyi("list", at=archive).rows[0]["aip"]
    assert delete(tianyi, archive, aip).code == 0
    left = [key for key in keys(tmp_path / DARK) if aip.removeprefix("urn:uuid:") in key]
    assert left == [f"tombstone-{aip.removeprefix('urn:uuid:')}.json"]
    assert tianyi("audit", at=archive).code == 0
    assert tianyi("validate", tmp_path / DARK).said["valid"]


def test_one_that_is_away_or_another_vaults_is_told(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    dark = (tmp_path / DARK).rename(tmp_path / "unplugged")
    assert states(tianyi, archive)[DARK] == ("away", None)
    assert tianyi("replicate", at=archive).code == 6
    assert tianyi("audit", at=archive).code == 6
    assert not (tmp_path / DARK).exists(), "made anew where its disk is not mounted"
    other = tmp_path / "other"
    assert tianyi("init", other).code == 0
    shutil.copytree(dark, tmp_path / DARK)
    assert tianyi("copies", "add", "mine", tmp_path / DARK, "--form", "ocfl", at=other).said["code"] == "not-empty"
    assert tianyi("copies", "promote", DARK, at=archive).said["code"] == "usage"
    assert states(tianyi, archive)[DARK] == ("complete", 0)


def change(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"\0" + path.read_bytes()[1:])


def test_nothing_is_written_where_its_disk_is_not_mounted(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    change(max((tmp_path / DARK).rglob("*.json"), key=lambda path: path.stat().st_size))
    assert tianyi("audit", at=archive).code == 3
    (tmp_path / DARK).rename(tmp_path / "unplugged")
    mount = tmp_path / DARK
    mount.mkdir()
    assert states(tianyi, archive)[DARK] == ("away", None)
    repaired = tianyi("repair", at=archive)
    assert (repaired.code, repaired.said["beyond_repair"]) == (3, 1)
    audit = tianyi("audit", at=archive)
    assert (audit.code, audit.said["missing"], audit.said["not_checked"] > 0) == (6, 0, True)
    assert [found["key"] for found in audit.said["findings"]] == [""]
    assert (tianyi("repair", at=archive).code, tianyi("replicate", at=archive).code) == (3, 6), "it is damaged as well"
    assert list(mount.iterdir()) == []


@pytest.mark.parametrize("how", [change, Path.unlink])
def test_its_damaged_identity_stops_nobody(archive: Path, tmp_path: Path, tianyi: Tianyi, how: Any) -> None:
    how(tmp_path / DARK / layout.VAULT)
    late = take_in(tianyi, archive, "late")
    assert tianyi("replicate", at=archive).code == 0
    assert late.removeprefix("urn:uuid:") in str(sorted(keys(tmp_path / DARK)))
    audit = tianyi("audit", at=archive)
    assert (audit.code, [found["key"] for found in audit.said["findings"]]) == (3, [layout.VAULT])
    [planned] = tianyi("repair", "--dry-run", at=archive).said["findings"]
    repaired = tianyi("repair", at=archive)
    assert (repaired.code, repaired.said["findings"][0]["source"]) == (0, planned["source"])
    assert tianyi("audit", at=archive).code == 0


def test_another_vaults_stops_only_what_is_done_to_it(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    other = tmp_path / "other"
    assert tianyi("init", other).code == 0
    take_in(tianyi, other, "foreign")
    assert tianyi("copies", "add", "theirs", tmp_path / "theirs", "--form", "ocfl", at=other).code == 0
    assert tianyi("replicate", at=other).code == 0
    (tmp_path / DARK).rename(tmp_path / "unplugged")
    (tmp_path / "theirs").rename(tmp_path / DARK)
    before = tree_of(tmp_path / DARK)
    assert (tianyi("list", at=archive).code, states(tianyi, archive)[DARK]) == (0, ("away", None))
    assert (tianyi("replicate", at=archive).code, tianyi("audit", at=archive).code) == (6, 3)
    assert tianyi("repair", at=archive).said["code"] == "not-a-vault"
    assert tree_of(tmp_path / DARK) == before


def test_a_plan_promises_what_the_vault_has(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    """An object is written as a whole: where one of its blobs is whole nowhere, none of its files can be healed."""
    damaged = max((tmp_path / DARK).rglob("own.txt"))
    content = damaged.read_bytes()
    change(damaged)
    assert tianyi("audit", at=archive).code == 3
    [planned] = tianyi("repair", "--dry-run", at=archive).said["findings"]
    assert (planned["outcome"], planned["source"]) == ("repairable", "first")
    (archive / "vault" / layout.blob_key(sha256(content))).unlink()
    [planned] = tianyi("repair", "--dry-run", at=archive).said["findings"]
    assert (planned["outcome"], planned["source"]) == ("beyond_repair", None)
    assert tianyi("repair", at=archive).said["beyond_repair"] == 1


def test_a_full_disk_is_told_as_such(
    archive: Path, tmp_path: Path, tianyi: Tianyi, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(max((tmp_path / DARK).rglob("own.txt")))
    assert tianyi("audit", at=archive).code == 3

    def full(*_: object, **__: object) -> None:
        raise NoRoom(DARK)

    monkeypatch.setattr("storage.ocfl_copy.put", full)
    repaired = tianyi("repair", at=archive)
    assert (repaired.code, repaired.said["code"]) == (6, NoRoom.code)


def test_a_copy_that_keeps_what_was_deleted_is_told(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    aip = tianyi("list", at=archive).rows[0]["aip"]
    (tmp_path / DARK).rename(tmp_path / "unplugged")
    swept = delete(tianyi, archive, aip)
    assert (swept.code, swept.said["deleted"][0]["behind"], list(swept.said["copies"])) == (6, [DARK], [DARK])
    (tmp_path / "unplugged").rename(tmp_path / DARK)
    swept = tianyi("sweep", at=archive)
    assert (swept.code, swept.said["copies"]) == (0, {})
    left = [key for key in keys(tmp_path / DARK) if aip.removeprefix("urn:uuid:") in key]
    assert left == [f"tombstone-{aip.removeprefix('urn:uuid:')}.json"]


def delete(tianyi: Tianyi, archive: Path, aip: str) -> Answer:
    """Delete an AIP; return what the sweep said that did."""
    (archive / "policies" / "retention.yaml").write_text("waiting: 1 second\napprover_is_another_user: false\n")
    settings = archive / "tianyi.toml"
    settings.write_text(settings.read_text() + '\n[[agents]]\nname = "li"\n[[agents]]\nname = "wu"\n')
    asked = tianyi("--agent", "li", "delete", aip, "--reason", "agreement ended", at=archive)
    assert asked.code == 0
    assert tianyi("--agent", "wu", "approve", asked.said["request"], at=archive).code == 0
    until = time.monotonic() + 20
    while not (swept := tianyi("sweep", at=archive)).said["deleted"]:
        assert time.monotonic() < until, "it was never due"
    return swept
