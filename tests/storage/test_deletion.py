"""Carrying a deletion out: killed at any step it leaves the old state or the new one, and the next start ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from storage import founding, tombstones
from storage.away import Away
from storage.commit import Committer, prepare_work
from storage.digest import sha256
from storage.durable import Disk
from storage.errors import Deleted
from storage.event import Event
from storage.intent import Intent, deletion_name
from storage.layout import AIPS, blob_key, record_key
from storage.local import Local
from storage.sweep import sweeping
from storage.vault import Vault
from tests.faulty import Unsynced
from tests.storage.bags import buried, entered, parts, put_version, record_of

AIP, OTHER = (f"urn:uuid:0190a5f2-7c11-7b4e-8f1a-{number:012d}" for number in (1, 2))
UID = UUID(AIP[9:])
FILES = {AIP: [b"shared", b"own"], OTHER: [b"shared", b"others"]}
QUICK = Unsynced(whole=True)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Killed(BaseException):
    """The process is no more."""


class Dying(Unsynced):
    """A disk whose process is killed before a given operation that changes something (from 1), or interrupted there."""

    def __init__(self, at: int, end: type[BaseException] = Killed) -> None:
        super().__init__(whole=True)
        self.left, self.end = at, end

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0 or (self.left < 0 and self.end is Killed):
            raise self.end

    def create(self, path: str, mode: int = 0o444) -> int:
        self._step()
        return super().create(path, mode)

    def rename(self, old: str, new: str) -> None:
        self._step()
        super().rename(old, new)

    def link(self, old: str, new: str) -> None:
        self._step()
        super().link(old, new)

    def unlink(self, path: str) -> None:
        self._step()
        super().unlink(path)

    def mkdir(self, path: str) -> None:
        self._step()
        super().mkdir(path)


def opened(folder: Path, disk: Disk = QUICK) -> Committer:
    for name in ("first", "second"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    stores = [Local(name, folder / name, folder / "scratch" / name, disk) for name in ("first", "second")]
    return Committer(Vault(stores), folder / "work", disk, patience=1)


def made(folder: Path) -> Committer:
    """Two copies with two AIPs that share a file."""
    prepare_work(folder / "work")
    committer = opened(folder)
    for store in committer.vault.copies:
        founding.found(store, founding.fixed_files("v"))
    for aip, files in FILES.items():
        record = record_of(aip, files)
        put_version(committer.vault.copies, record, files)
        committer.note(entered(record))
    return committer


def delete(committer: Committer) -> frozenset[str]:
    with committer.lock():
        return committer.delete(buried(AIP), "tests")


def sweep(committer: Committer) -> int:
    with sweeping(committer, LATER, timedelta(days=1)) as one:
        one.plan()
        return one.carry_out().removed


def entries(committer: Committer) -> list[Event]:
    return [event for _, _, event in committer.vault.ledger.read() if event.type == "deletion"]


def records(committer: Committer) -> list[list[str]]:
    return [list(store.listing(AIPS)) for store in committer.vault.copies]


def check_deleted(committer: Committer) -> None:
    kept = [record_key(UUID(OTHER[9:]), 1)]
    assert records(committer) == [kept, kept]
    assert len(entries(committer)) == 1
    assert [tombstones.read(store, UID) for store in committer.vault.copies] == [buried(AIP)] * 2
    assert list((committer.work / "intents").iterdir()) == []


def test_a_deletion(tmp_path: Path) -> None:
    committer = made(tmp_path)
    assert delete(committer) == frozenset()
    check_deleted(committer)
    assert entries(committer)[0].detail["tombstone"] == str(buried(AIP).digest)
    with pytest.raises(Deleted):
        delete(committer)
    assert sweep(committer) == 2 * 3  # its file, its manifest, its tag manifest
    assert sweep(committer) == 0


@pytest.mark.parametrize("end", [Killed, KeyboardInterrupt])
def test_killed_at_any_step(tmp_path: Path, end: type[BaseException]) -> None:
    """At each change to a disk in turn: all is as it was, or all is done, after the next start where it was killed, and
    at once where it was interrupted."""
    fates = []
    for step in range(1, 200):
        folder = tmp_path / str(step)
        made(folder)
        try:
            delete(opened(folder, Dying(step, end)))
        except end:
            committer = opened(folder)
            recovered = committer.recover() if end is Killed else []
            fates.append(bool(committer.vault.tombstone(UID)))
            if not fates[-1]:
                assert (recovered, entries(committer)) == ([], [])
                assert (len(committer.vault.records(UID)), committer.vault.first.size(blob_key(sha256(b"own")))) == (
                    1,
                    3,
                )
                delete(committer)
            check_deleted(committer)
            assert sweep(committer) == 6
            assert committer.recover() == []
        else:
            break
    assert fates == sorted(fates)  # the tombstone in the first copy is the one point of no return
    assert (fates.count(False) > 2, fates.count(True) > 5) == (True, True)


def test_a_sweep_killed_at_any_step(tmp_path: Path) -> None:
    for step in range(1, 200):
        folder = tmp_path / str(step)
        delete(made(folder))
        try:
            sweep(opened(folder, Dying(step)))
        except Killed:
            committer = opened(folder)
            committer.recover()
            sweep(committer)
            for store in committer.vault.copies:
                assert all(store.size(blob_key(sha256(data))) for data in parts(FILES[OTHER])[1])
            assert sweep(committer) == 0
        else:
            break
    assert step > 6


def test_a_copy_that_is_away_is_told_and_a_full_one_stops_nothing(tmp_path: Path) -> None:
    committer = made(tmp_path)
    away = Away("second", "there", "its disk is not mounted")
    alone = Committer(Vault([committer.vault.first, away]), tmp_path / "work", patience=1)
    assert delete(alone) == {"second"}
    assert entries(alone)[0].detail["behind"] == ["second"]
    assert record_key(UID, 1) in records(committer)[1]
    assert [record.aip for record in committer.vault.all_records()] == [OTHER]


def test_nothing_is_added_to_a_deleted_aip(tmp_path: Path) -> None:
    committer = made(tmp_path)
    first = committer.vault.records(UID)[0]
    delete(committer)
    for record in (first, record_of(AIP, FILES[AIP], 2, first)):
        with pytest.raises(Deleted):
            committer.commit(record, entered(record), list)
    check_deleted(committer)


def test_a_commit_s_intent_of_an_aip_deleted_since_brings_nothing_back(tmp_path: Path) -> None:
    """Its record came, its entry did not, and somebody else deleted the AIP before it could be finished."""
    committer = made(tmp_path)
    second = record_of(AIP, FILES[AIP], 2, committer.vault.records(UID)[0])
    committer.intents.declare(f"{UID}-v2", Intent(entered(second), committer.vault.ledger.size()))
    delete(committer)
    committer.vault.first.create(record_key(UID, 2), second.to_bytes())  # a power cut undid its removal
    assert committer.recover() == []
    assert [event.detail["version"] for _, _, event in committer.vault.ledger.read() if event.type == "commit"] == [
        1,
        1,
    ]
    sweep(committer)
    check_deleted(committer)


def test_an_intent_that_was_never_begun_is_dropped(tmp_path: Path) -> None:
    committer = made(tmp_path)
    event = Event(time=buried(AIP).deleted, type="deletion", agent="tests", object=AIP, outcome="success")
    committer.intents.declare(deletion_name(UID), Intent(event, committer.vault.ledger.size()))
    assert committer.recover() == []
    assert (len(committer.vault.records(UID)), list((committer.work / "intents").iterdir())) == (1, [])
