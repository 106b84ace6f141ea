"""Repair: what is good is never written to, what is replaced is kept, and what breaks midway makes nothing worse."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from unittest.mock import patch

import pytest

from fixity.audit import is_damaged
from fixity.fault import Fault
from fixity.repair import NOWHERE, REFUSED
from repository import damage
from repository.job import perform
from repository.mending import AWAY
from repository.outside import OUTSIDE, SHIPPED
from storage import layout
from storage.local import Local
from tests.crash.quick import COPIES, NOW, Quick, opened
from tests.crash.scene import answers, found
from tests.faulty import Faulty, Unsynced, broken_disk


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """One AIP of ten files in two copies."""
    scene = found(tmp_path / "archive")
    (tmp_path / "harbour" / "drawings").mkdir(parents=True)
    for n in range(10):
        (tmp_path / "harbour" / "drawings" / f"plan-{n}.txt").write_text(f"plan {n}\n" * 10)
    with opened(scene, Unsynced(whole=True)) as repository:
        repository.ingest(tmp_path / "harbour", title="Harbour", producer="Ningbo Harbour Office")
    return scene


@pytest.fixture
def repository(scene: Path) -> Iterator[Quick]:
    with opened(scene, Unsynced(whole=True), seed=1) as repository:
        yield repository


def plans(repository: Quick) -> list[str]:
    """The keys of the ten plans, by name."""
    rows = repository.catalogue.rows("select digest from files where path like '%/plan-%' order by path")
    return [f"blobs/sha256/{(name := row['digest'][7:])[:3]}/{name}" for row in rows]


def place(repository: Quick, copy: str, key: str) -> Path:
    return repository.settings.folder / COPIES[copy] / key


def spoil(path: Path, data: bytes = b"spoiled") -> None:
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(0o444)


def audited(repository: Quick) -> bool:
    return any(map(is_damaged, repository.audit()))


def test_the_only_good_copy_is_never_written_to(repository: Quick) -> None:
    """It was damaged when it was read; since then it has come back, as from a controller that had a bad day, and the
    other one is gone."""
    key = plans(repository)[0]
    mine, other = place(repository, "copy-2", key), place(repository, "first", key)
    good = mine.read_bytes()
    spoil(mine)
    assert audited(repository)
    spoil(mine, good)
    spoil(other)
    before = os.stat(mine)
    done = repository.repair()
    after = os.stat(mine)
    assert (before.st_ino, before.st_mtime_ns, before.st_ctime_ns) == (
        after.st_ino,
        after.st_mtime_ns,
        after.st_ctime_ns,
    )
    assert [(one.source, one.fault, one.kept) for one in done.healed] == [("copy-2", Fault("intact"), "")]
    assert audited(repository)
    assert [(one.damage.copy, one.source) for one in repository.repair().healed] == [("first", "copy-2")]
    assert not audited(repository)


def identity(facts: os.stat_result) -> tuple[int, int, int]:
    return facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns


def test_damage_in_both_copies_of_different_files_is_healed_from_each_other(repository: Quick) -> None:
    one, other, *_ = plans(repository)
    spoil(place(repository, "first", one))
    spoil(place(repository, "copy-2", other))
    assert audited(repository)
    assert {(mend.damage.copy, mend.source) for mend in repository.repair().healed} == {
        ("first", "copy-2"), ("copy-2", "first")
    }  # fmt: skip
    assert not audited(repository)


def test_what_both_copies_lost_is_named_and_comes_back_from_a_file(repository: Quick, tmp_path: Path) -> None:
    key = plans(repository)[3]
    for copy in COPIES:
        spoil(place(repository, copy, key))
    assert audited(repository)
    done = repository.repair()
    assert [(one.damage.copy, one.why) for one in done.beyond] == [("first", NOWHERE), ("copy-2", NOWHERE)]
    [loss] = repository.losses(done)
    assert (loss.file, loss.producer) == ("drawings/plan-3.txt", "Ningbo Harbour Office")
    assert loss.copies == ("first", "copy-2")
    digest = key.rpartition("/")[2]
    assert loss.ask.startswith(
        f"ask Ningbo Harbour Office for drawings/plan-3.txt, accession {loss.accession}, 70 bytes, SHA-256 {digest}"
    )
    drawer = tmp_path / "drawer" / "old disk"
    drawer.mkdir(parents=True)
    os.mkfifo(drawer / "pipe")
    (drawer / "something else.txt").write_bytes(bytes(70))
    (drawer / "copy of plan 3 (final).txt").write_text("plan 3\n" * 10)
    assert [one.source for one in repository.repair_plan(tmp_path / "drawer").healed] == [OUTSIDE, OUTSIDE]
    healed = repository.repair(given=tmp_path / "drawer").healed
    assert [(one.damage.copy, one.source) for one in healed] == [("first", OUTSIDE), ("copy-2", "first")]
    assert not audited(repository)


@pytest.mark.parametrize("key", layout.FIXED)
def test_what_ships_with_the_program_is_lost_in_no_vault(repository: Quick, key: str) -> None:
    before = place(repository, "first", key).read_bytes()
    place(repository, "first", key).unlink()
    spoil(place(repository, "copy-2", key))
    assert audited(repository)
    assert [one.source for one in repository.repair_plan().healed] == [SHIPPED, SHIPPED]
    healed = repository.repair().healed
    assert [(one.damage.copy, one.source) for one in healed] == [("first", SHIPPED), ("copy-2", "first")]
    assert {place(repository, copy, key).read_bytes() for copy in COPIES} == {before}
    assert not audited(repository)


def test_what_another_version_founded_is_not_replaced_by_what_ships_today(repository: Quick) -> None:
    for copy in COPIES:
        place(repository, copy, layout.README).unlink()
    assert audited(repository)
    with patch("storage.founding.fixed_files", lambda vault: dict.fromkeys(layout.FIXED, b"of another version")):
        assert {one.why for one in repository.repair().beyond} == {NOWHERE}
    assert not place(repository, "first", layout.README).exists()


@pytest.mark.parametrize("copy", COPIES)
def test_a_sector_that_cannot_be_read(repository: Quick, copy: str) -> None:
    key = plans(repository)[0]
    with Worn(copy, key, 16):
        [bad] = [one for result in repository.audit() for one in result.findings]
        assert (bad.outcome, bad.copy, bad.key) == ("unreadable", copy, key)
        [mend] = repository.repair().healed or repository.repair().beyond
    assert (mend.fault and (mend.fault.outcome, mend.fault.first, mend.fault.size)) == ("unreadable", 16, 70)
    note = json.loads((repository.settings.work / "quarantine" / f"{mend.kept}.json").read_text())
    assert (note["read"], note["expected"]["bytes"], note["found"]["first"]) == (16, 70, 16)
    assert not audited(repository)


class Worn:
    """A disk that gives nothing of a file of one copy from an offset on, until it is written anew."""

    def __init__(self, copy: str, key: str, last: int) -> None:
        self._copy, self._key, self._last = copy, key, last
        self._inode = 0

    def __enter__(self) -> None:
        worn, honest = self, Local.open

        def opened(store: Local, key: str) -> BinaryIO:
            stream = honest(store, key)
            if (store.name, key) != (worn._copy, worn._key):
                return stream
            worn._inode = worn._inode or os.fstat(stream.fileno()).st_ino
            if os.fstat(stream.fileno()).st_ino != worn._inode:
                return stream
            with stream:
                return _Torn(stream.read(), worn._last)

        self._patch = patch.object(Local, "open", opened)
        self._patch.start()

    def __exit__(self, *_: object) -> None:
        self._patch.stop()


class _Torn(io.BytesIO):
    def __init__(self, data: bytes, last: int) -> None:
        super().__init__(data)
        self._last = last

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= self._last:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(min(size or 0, self._last - self.tell()))


def test_a_copy_that_is_unplugged_midway(scene: Path) -> None:
    """What was healed before is healed, the rest is told, and nothing is worse; plugged in again, all of it is."""
    with opened(scene, Unsynced(whole=False), seed=1) as repository:
        keys = plans(repository)
        for key in keys:
            spoil(place(repository, "copy-2", key))
        assert audited(repository)
    disk = Faulty(Unsynced(whole=False)).on("rename", 4, broken_disk, within=[scene / COPIES["copy-2"]], onwards=True)
    with disk, opened(scene, disk, seed=2) as repository:
        done = repository.repair()
        assert all(one.why.startswith(REFUSED.format("first")) for one in done.beyond)
        assert len(done.healed) + len(done.beyond) == len(keys)
        assert repository.losses(done) == []
    with opened(scene, Unsynced(whole=False), seed=3) as repository:
        assert audited(repository)
        assert list(repository.repair().beyond) == []
        assert not audited(repository)


def test_nothing_in_quarantine_is_ever_overwritten(repository: Quick) -> None:
    path = place(repository, "first", plans(repository)[0])
    kept = []
    for data in (b"once", b"twice", b"thrice"):
        spoil(path, data)
        assert audited(repository)
        [mend] = repository.repair().healed
        kept.append(repository.settings.work / "quarantine" / mend.kept)
    assert [path.read_bytes() for path in kept] == [b"once", b"twice", b"thrice"]


class TestAutomatically:
    def test_a_repository_without_damage_is_not_even_looked_through(self, repository: Quick) -> None:
        with patch.object(damage, "damaged", side_effect=AssertionError):
            assert repository.mend_automatically().healed.__len__() == 0

    def test_it_stops_at_the_policy_s_limit_and_goes_on_the_next_day(self, repository: Quick) -> None:
        say(repository, "most: 4\n")
        for key in plans(repository):
            spoil(place(repository, "copy-2", key))
        assert audited(repository)
        assert job(repository) == ("limit", {"repaired": 4, "beyond_repair": 0, "left": 6, "copies": "copy-2"})
        assert job(repository) == ("limit", {"repaired": 0, "beyond_repair": 0, "left": 6, "copies": "copy-2"})
        repository.rebuild()
        assert job(repository)[0] == "limit"
        repository.now = lambda: NOW + timedelta(days=1, seconds=1)
        assert job(repository)[1]["repaired"] == 4
        assert repository.overworked() == {}
        assert len(repository.repair().healed) == 2
        assert repository.overworked() == {"copy-2": 6}
        assert not audited(repository)

    def test_what_cannot_be_healed_is_tried_some_times(self, repository: Quick) -> None:
        say(repository, "attempts: 2\n")
        lost, other, *_ = plans(repository)
        for copy in COPIES:
            spoil(place(repository, copy, lost))
        spoil(place(repository, "first", other))
        assert audited(repository)
        outcomes = [job(repository) for _ in range(4)]
        assert [(outcome, detail["repaired"], detail["beyond_repair"]) for outcome, detail in outcomes] == [
            ("damage", 1, 2), ("damage", 0, 2), ("damage", 0, 0), ("damage", 0, 0)
        ]  # fmt: skip
        assert told(repository) == {("first", "fail"): 1, ("copy-2", "fail"): 1, ("first", "success"): 1}
        before = answers(repository)
        repository.rebuild()
        assert (answers(repository), job(repository)[1]["beyond_repair"]) == (before, 0)
        assert audited(repository)
        assert job(repository)[1]["beyond_repair"] == 2

    def test_what_cannot_be_healed_is_said_once_however_often_it_is_found(self, repository: Quick) -> None:
        lost, another, *_ = plans(repository)
        for copy in COPIES:
            spoil(place(repository, copy, lost))
        for _ in range(3):
            assert audited(repository)
            assert [job(repository)[1]["beyond_repair"] for _ in range(4)] == [2, 2, 2, 0]
            repository.rebuild()
        assert told(repository) == {("first", "fail"): 1, ("copy-2", "fail"): 1}
        for copy in COPIES:
            spoil(place(repository, copy, another))
        assert audited(repository)
        assert job(repository)[1]["beyond_repair"] == 4
        assert told(repository) == {("first", "fail"): 2, ("copy-2", "fail"): 2}
        assert [event.detail["failed"] for event in repository.events() if event.outcome == "fail"
                and event.type == "recovery"] == [1, 1, 1, 1]  # fmt: skip

    def test_while_a_copy_is_away_nothing_of_it_is_given_up(self, scene: Path) -> None:
        with opened(scene, Unsynced(whole=True), seed=1) as repository:
            healable, lost, *_ = plans(repository)
            for key, copy in ((healable, "copy-2"), (lost, "first"), (lost, "copy-2")):
                spoil(place(repository, copy, key))
            assert audited(repository)
        second = scene / COPIES["copy-2"]
        second.rename(scene / "unplugged")
        for seed in range(2, 6):
            with opened(scene, Unsynced(whole=True), seed=seed) as repository:
                assert job(repository)[1]["away"] == "copy-2"
                planned = repository.repair_plan()
                assert [(one.damage.copy, one.damage.expected.key, one.why) for one in planned.beyond] == [
                    ("first", lost, NOWHERE), *(("copy-2", key, AWAY) for key in sorted((healable, lost)))
                ]  # fmt: skip
                assert not planned.healed
        (scene / "unplugged").rename(second)
        with opened(scene, Unsynced(whole=True), seed=6) as repository:
            assert job(repository) == ("damage", {"repaired": 1, "beyond_repair": 1})

    def test_it_is_said_again_where_it_is_another_fault(self, repository: Quick) -> None:
        lost = plans(repository)[0]
        good = place(repository, "first", lost).read_bytes()
        for copy in COPIES:
            spoil(place(repository, copy, lost))
        assert audited(repository)
        job(repository)
        spoil(place(repository, "first", lost), b"otherwise")
        assert audited(repository)
        job(repository)
        assert told(repository) == {("first", "fail"): 2, ("copy-2", "fail"): 1}
        for copy in COPIES:
            spoil(place(repository, copy, lost), good)
        assert not audited(repository)
        for copy in COPIES:
            spoil(place(repository, copy, lost))
        assert audited(repository)
        job(repository)
        assert told(repository) == {("first", "fail"): 3, ("copy-2", "fail"): 2}

    def test_it_only_tells_where_the_policy_says_so(self, repository: Quick) -> None:
        say(repository, "automatic: false\n")
        spoil(place(repository, "first", plans(repository)[0]))
        assert audited(repository)
        assert job(repository)[0] == "damage"
        assert len(repository.repair().healed) == 1
        assert job(repository)[0] == "success"


def say(repository: Quick, text: str) -> None:
    (repository.settings.policies / "repair.yaml").write_text(text)


def job(repository: Quick) -> tuple[str, dict[str, str | int]]:
    done = perform(repository, "repair")
    return done.outcome, {name: count for name, count in done.detail.items() if name != "seconds"}


def told(repository: Quick) -> dict[tuple[str, str], int]:
    """The repairs in the ledger, by copy and outcome."""
    found: dict[tuple[str, str], int] = {}
    for event in repository.events():
        if event.type == "recovery":
            found[event.object, event.outcome] = found.get((event.object, event.outcome), 0) + 1
    return found


def test_an_entry_tells_what_was_wrong_and_where_the_good_bytes_came_from(repository: Quick) -> None:
    altered, missing, open_to_all, *_ = plans(repository)
    good = place(repository, "copy-2", altered).read_bytes()
    spoil(place(repository, "copy-2", altered), good[:5] + b"\x00" + good[6:])
    place(repository, "copy-2", missing).unlink()
    place(repository, "copy-2", open_to_all).chmod(0o666)
    assert audited(repository)
    repository.repair()
    entries = [event.detail for event in repository.events() if event.type == "recovery"]
    faults = {key: fault for one in entries for key, fault in zip(one["repaired"], one["faults"], strict=True)}
    kept = faults[altered].pop("kept")
    assert faults[altered] == {"outcome": "altered", "bytes": 70, "first": 5, "bits": 2, "from": "first"}
    assert kept.startswith("copy-2/")
    assert kept.endswith(altered.replace("/", "_"))
    assert faults[missing] == {"outcome": "missing", "from": "first"}
    assert faults[open_to_all] == {"outcome": "mode", "why": "0666 instead of 0444", "from": "copy-2"}


def test_many_repairs_fit_into_entries(repository: Quick) -> None:
    """One entry is at most 65,535 bytes, whatever is in it."""
    root = repository.settings.folder / COPIES["copy-2"]
    with patch("repository.repairs._BYTES", 500):
        blobs = [path for path in (root / layout.BLOBS).rglob("*") if path.is_file() and path.stat().st_size]
        for path in blobs:
            spoil(path)
        assert audited(repository)
        assert len(repository.repair().healed) == len(blobs)
    assert told(repository)["copy-2", "success"] > 3
    assert not audited(repository)
