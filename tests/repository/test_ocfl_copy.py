"""A copy kept as an OCFL storage root: valid at every moment, complete, audited, healed, and a source for repair."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ocfl as library
import pytest

from fixity.packages import audit_packages
from fixity.packages_repair import plan_packages, repair_packages
from repository import Repository
from repository.watch import expected
from storage import layout
from storage.digest import Hashing
from storage.durable import DISK, Disk
from storage.errors import NotAVault, NotFound, StorageError
from storage.ocfl_copy import OcflCopy
from storage.ocfl_update import aips, behind, update
from storage.parallel import Inline
from storage.receive import chunks
from storage.tombstone import Tombstone

Tianyi = Callable[..., Any]
NOW = "2026-03-01T12:00:00Z"
PICTURE = Path(__file__).parents[2] / "samples/accession/Pictures/BMP/seal.bmp"


@pytest.fixture
def opened(tianyi: Tianyi, repository: Path, tmp_path: Path) -> Iterator[Repository]:
    """A repository with an AIP of two versions and one of one."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "seal.bmp").write_bytes(PICTURE.read_bytes())
    (source / "two\nlines").write_bytes(b"a")
    assert tianyi("ingest", source, at=repository).code == 0
    assert tianyi("migrate", "run", at=repository).code == 0
    (source / "twice").write_bytes(b"a")
    assert tianyi("ingest", source, at=repository).code == 0
    with Repository.open(repository) as found:
        yield found


@pytest.fixture
def copy(opened: Repository, tmp_path: Path) -> OcflCopy:
    return founded(opened, tmp_path)


def founded(opened: Repository, tmp_path: Path) -> OcflCopy:
    (tmp_path / "packages").mkdir()
    made = packages(opened, tmp_path)
    made.found(opened.settings.vault_id)
    return made


def packages(opened: Repository, tmp_path: Path, disk: Disk = DISK) -> OcflCopy:
    work = opened.settings.work
    return OcflCopy("packages", tmp_path / "packages", tmp_path / "scratch", work / "packages.db", disk)


def fill(copy: OcflCopy, opened: Repository) -> Any:
    return update(copy, opened.vault, opened.settings.work, "a-run")


def look(copy: OcflCopy, opened: Repository) -> dict[str, list[str]]:
    """What an audit finds, by outcome."""
    found: dict[str, list[str]] = {}
    for one in audit_packages(copy, opened.vault, opened.settings.vault_id, Inline()).findings:
        found.setdefault(one.outcome, []).append(one.key)
    return found


def is_valid(root: Path) -> bool:
    """What the library says of a storage root and every object in it."""
    judged = library.StorageRoot(root=str(root))
    return bool(judged.validate()) and judged.num_objects == judged.good_objects


def test_it_has_all_that_the_vault_has(opened: Repository, copy: OcflCopy, tianyi: Tianyi) -> None:
    assert is_valid(copy.folder)
    assert (behind(copy, opened.vault), look(copy, opened).keys()) == (3, {"missing"})
    done = fill(copy, opened)
    assert (done.copied > 0, done.behind) == (True, {})
    assert (behind(copy, opened.vault), look(copy, opened)) == (0, {})
    assert (is_valid(copy.folder), tianyi("validate", copy.folder).code) == (True, 0)
    assert set(copy.records()) == set(opened.vault.all_records())
    assert fill(copy, opened).copied == 0
    held = [one for one in expected(opened.catalogue) if one.key.startswith(("blobs/", "aips/"))]
    for one in held:
        with copy.open(one.key) as stream:
            assert Hashing().feed_all(chunks(stream)).digest() == one.digest
        assert copy.size(one.key) == one.size
    with pytest.raises(NotFound):
        copy.open(layout.README)


def test_the_index_may_be_lost(opened: Repository, copy: OcflCopy, tmp_path: Path) -> None:
    fill(copy, opened)
    (opened.settings.work / "packages.db").unlink()
    digest = next(iter(opened.vault.all_records())).tagmanifest
    with packages(opened, tmp_path).open(layout.blob_key(digest)) as stream:
        assert stream.read() == opened.vault.read(digest)


SPOILT = ["v1/content/bagit.txt", "inventory.json", "inventory.json.sha256", "v1/inventory.json", "logs/v1.json",
          "0=ocfl_object_1.1", "v1/content/manifest-sha256.txt"]  # fmt: skip


@pytest.mark.parametrize("path", [*SPOILT, "ocfl_layout.json", "tianyi-vault.json", "0=ocfl_1.1"])
@pytest.mark.parametrize("how", ["altered", "missing"])
def test_damage_is_found_and_healed(opened: Repository, copy: OcflCopy, path: str, how: str) -> None:
    fill(copy, opened)
    records = max(aips(opened.vault), key=len)
    key = path if (copy.folder / path).exists() else f"{copy.place(records[0].uuid)}/{path}"
    if how == "altered":
        (copy.folder / key).write_bytes((copy.folder / key).read_bytes()[:-1] + b"?")
    else:
        (copy.folder / key).unlink()
    found = look(copy, opened)
    assert key in found[how]
    damaged = [one for keys in found.values() for one in keys]
    planned = plan_packages(copy, opened.vault, opened.settings.vault_id, damaged)
    assert repair_packages(copy, opened.vault, opened.settings.vault_id, damaged, "a-run") == planned
    assert planned.keys() == set(damaged)
    assert (set(planned.values()) <= {"first", "Tianyi itself"}, look(copy, opened)) == (True, {})
    assert is_valid(copy.folder)


def test_what_does_not_belong_is_told(opened: Repository, copy: OcflCopy) -> None:
    fill(copy, opened)
    (copy.folder / "stray").write_bytes(b"")
    assert look(copy, opened) == {"extra": ["stray"]}


def test_the_vault_s_loss_is_not_the_copy_s(opened: Repository, copy: OcflCopy, copies: tuple[Path, Path]) -> None:
    """What no other copy has whole any more is still right here."""
    fill(copy, opened)
    records = max(aips(opened.vault), key=len)
    bagit = next(line for line in opened.vault.bag(records[0]) if line.path == "bag-info.txt")
    for folder in copies:
        (folder / layout.blob_key(bagit.digest)).unlink()
    assert look(copy, opened) == {}
    with copy.open(layout.blob_key(bagit.digest)) as stream:
        assert b"Bag-Software-Agent" in stream.read()
    for folder in copies:
        (folder / layout.blob_key(records[1].tagmanifest)).unlink()
    assert look(copy, opened) == {"not_checked": [copy.place(records[0].uuid)]}


def test_tombstones_come_first_and_stay(opened: Repository, copy: OcflCopy, copies: tuple[Path, Path]) -> None:
    fill(copy, opened)
    gone, *_ = aips(opened.vault)
    key = layout.tombstone_key(gone[0].uuid)
    tombstone = Tombstone(
        aip=gone[0].aip, accession="2026-0001", request="1", reason="asked for", requested=NOW, requested_by="a",
        approved=NOW, approved_by="b", deleted=NOW, policy="", versions={one.version: one.digest for one in gone},
    )  # fmt: skip
    opened.vault.copies[1].create(key, tombstone.to_bytes())
    assert behind(copy, opened.vault) == 0, "a tombstone alone deletes nothing"
    opened._note("deletion", gone[0].aip, "success", {"request": "1"})
    assert behind(copy, opened.vault) == 1
    assert fill(copy, opened).copied == 1
    assert (copy.is_buried(gone[0].uuid), is_valid(copy.folder), behind(copy, opened.vault)) == (True, True, 0)
    assert (look(copy, opened), fill(copy, opened).copied) == ({}, 0)
    assert not (copy.folder / copy.place(gone[0].uuid)).parent.exists()


def test_it_is_never_founded_over_something_else(opened: Repository, copy: OcflCopy, tmp_path: Path) -> None:
    copy.check(opened.settings.vault_id)
    copy.found(opened.settings.vault_id)  # as after a founding that was cut short
    with pytest.raises(NotAVault):
        copy.check("another")
    with pytest.raises(NotAVault):
        copy.found("another")
    fill(copy, opened)
    with pytest.raises(NotAVault):
        copy.found(opened.settings.vault_id)
    (tmp_path / "packages" / layout.VAULT).unlink()
    with pytest.raises(NotAVault):
        copy.check(opened.settings.vault_id)


class Failing(Disk):
    """From one call on, everything fails that would change something."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in ("create", "write", "rename", "link", "exchange", "mkdir", "sync_folder", "sync_filesystem"):
            self.left -= 1
            if self.left <= 0:
                return _fail
        return found


def _fail(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("at", range(1, 160, 13))
def test_a_run_that_was_cut_short_is_gone_on_with(opened: Repository, copy: OcflCopy, tmp_path: Path, at: int) -> None:
    with pytest.raises(StorageError):
        fill(packages(opened, tmp_path, Failing(at)), opened)
    assert is_valid(copy.folder)
    assert set(look(copy, opened)) <= {"missing"}
    copy.tidy(lambda run: False)
    assert not any((tmp_path / "scratch").iterdir())
    fill(copy, opened)
    assert (look(copy, opened), is_valid(copy.folder)) == ({}, True)
