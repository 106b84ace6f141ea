"""A copy kept as an OCFL storage root, through the commands: filled, audited, healed, buried in, and read from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import Tianyi
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
        place.write_bytes(b"\0" + place.read_bytes()[1:])
        assert tianyi("audit", at=archive).said["altered"] == 1, place
        assert "damaged" in [state for state, _ in states(tianyi, archive).values()]
        repaired = tianyi("repair", at=archive)
        assert (repaired.code, repaired.said["repaired"]) == (0, 1), place
        assert tianyi("audit", at=archive).code == 0, place


def test_what_is_deleted_leaves_it_too(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    (archive / "policies" / "retention.yaml").write_text("waiting: 1 second\napprover_is_another_user: false\n")
    settings = archive / "tianyi.toml"
    settings.write_text(settings.read_text() + '\n[[agents]]\nname = "li"\n[[agents]]\nname = "wu"\n')
    aip = tianyi("list", at=archive).rows[0]["aip"]
    asked = tianyi("--agent", "li", "delete", aip, "--reason", "agreement ended", at=archive)
    assert asked.code == 0
    approved = tianyi("--agent", "wu", "approve", asked.said["request"], at=archive)
    assert approved.code == 0
    for _ in range(40):
        tianyi("sweep", at=archive)
        if len(tianyi("list", at=archive).rows) == 1:
            break
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
    assert tianyi("copies", "add", "mine", tmp_path / DARK, "--form", "ocfl", at=other).said["code"] == "not-a-vault"
    assert tianyi("copies", "promote", DARK, at=archive).said["code"] == "usage"
    assert states(tianyi, archive)[DARK] == ("complete", 0)
