"""The commit point: of two writers of one version one wins; what a crash cut short is finished once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Barrier, Thread

import pytest

from storage import bag, manifest
from storage.aip import Record
from storage.commit import Committer, prepare_work
from storage.digest import Digest, sha256
from storage.durable import Disk
from storage.errors import Conflict, Damaged, Locked, NotFound
from storage.event import Event
from storage.intent import Intent, intent_name
from storage.layout import blob_key, record_key
from storage.lock import locked
from storage.memory import Memory
from storage.vault import Vault

TIME = "2026-03-01T12:00:00Z"
AIP = "urn:uuid:0190a5f2-7c11-7b4e-8f1a-2b3c4d5e6f70"


class Scene:
    def __init__(self, work: Path, *names: str) -> None:
        prepare_work(work)
        self.work = work
        self.stores = [Memory(name) for name in names]
        self.vault = Vault(self.stores)
        self.committer = Committer(self.vault, work, patience=5)

    def blobs(self) -> Iterable[tuple[Digest, int]]:
        for data in (b"a file", bag.DECLARATION):
            yield sha256(data), len(data)

    def version(self, number: int = 1, previous: Record | None = None, agent: str = "one") -> Record:
        for store in self.stores:
            for data in (b"a file", bag.DECLARATION):
                store.replace(blob_key(sha256(data)), data)
        return Record(
            aip=AIP, version=number, accession="2026-0001", created=TIME, agent=agent, reason="ingestion", files=1,
            size=6, tagmanifest=sha256(manifest.format_line(manifest.Line("data/a", sha256(b"a file")))),
            previous=previous.digest if previous else None,
        )  # fmt: skip

    def commit(self, record: Record, **more: Iterable[str]) -> frozenset[str]:
        return self.committer.commit(record, event(record), self.blobs, **more).behind

    def entries(self) -> list[tuple[str, bool]]:
        found = (entry for _, _, entry in self.vault.ledger.read())
        return [(str(entry.detail["record"]), bool(entry.detail.get("recovered"))) for entry in found]

    def intents(self) -> list[str]:
        return sorted(path.name for path in (self.work / "intents").iterdir())

    def declare(self, record: Record, away: Iterable[str] = ()) -> None:
        intent = Intent(event(record), self.vault.ledger.size(), frozenset(away))
        (self.work / "intents" / intent_name(record)).write_bytes(intent.to_bytes())


def event(record: Record) -> Event:
    detail = {"version": record.version, "record": str(record.digest)}
    return Event(time=TIME, type="commit", agent=record.agent, object=record.aip, outcome="success", detail=detail)


def key(record: Record) -> str:
    return record_key(record.uuid, record.version)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "work", "first", "second")


def test_a_version_is_in_every_copy_and_entered_once(scene: Scene) -> None:
    record = scene.version()
    assert scene.commit(record) == frozenset()
    assert all(store.kept[key(record)] == record.to_bytes() for store in scene.stores)
    assert scene.entries() == [(str(record.digest), False)]
    assert scene.intents() == []


def test_of_two_writers_of_a_version_one_wins(scene: Scene) -> None:
    first = scene.version()
    scene.commit(first)
    rivals = [scene.version(2, first, agent) for agent in ("one", "two")]
    lost: list[Record] = []
    barrier = Barrier(2)

    def write(record: Record) -> None:
        barrier.wait()
        try:
            scene.commit(record)
        except Conflict:
            lost.append(record)

    threads = [Thread(target=write, args=(record,)) for record in rivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [loser] = lost
    [winner] = [record for record in rivals if record != loser]
    assert scene.vault.records(first.uuid) == [first, winner]
    assert scene.entries() == [(str(first.digest), False), (str(winner.digest), False)]
    assert scene.intents() == []


@pytest.mark.parametrize("wrong", ["gap", "again", "other predecessor"])
def test_a_version_follows_the_one_before(scene: Scene, wrong: str) -> None:
    first = scene.version()
    scene.commit(first)
    other = scene.version(agent="somebody else")
    record = {
        "gap": scene.version(3, first), "again": scene.version(1), "other predecessor": scene.version(2, other),
    }[wrong]  # fmt: skip
    with pytest.raises(Conflict):
        scene.commit(record)
    assert scene.vault.records(first.uuid) == [first]
    assert scene.intents() == []


def test_a_blob_that_is_missing_stops_the_commit(scene: Scene) -> None:
    record = scene.version()
    scene.stores[0].drop(blob_key(sha256(b"a file")))
    with pytest.raises(NotFound):
        scene.commit(record)
    scene.stores[0].replace(blob_key(sha256(b"a file")), b"a fil")
    with pytest.raises(Damaged):
        scene.commit(record)
    assert (list(scene.vault.all_records()), scene.entries(), scene.intents()) == ([], [], [])


def test_a_copy_without_a_blob_is_behind_and_gets_no_record(scene: Scene) -> None:
    record = scene.version()
    scene.stores[1].drop(blob_key(sha256(b"a file")))
    assert scene.commit(record) == {"second"}
    assert key(record) not in scene.stores[1].kept
    again = scene.version(2, record)
    assert scene.commit(again, behind=["second"]) == {"second"}
    assert key(again) not in scene.stores[1].kept


def test_a_different_record_in_another_copy_is_left_for_a_person(scene: Scene) -> None:
    record = scene.version()
    other = scene.version(agent="somebody else")
    scene.stores[1].create(key(other), other.to_bytes())
    assert scene.commit(record) == {"second"}
    assert scene.stores[1].kept[key(other)] == other.to_bytes()


def test_an_intent_whose_record_is_there_is_finished_once(scene: Scene) -> None:
    record = scene.version()
    scene.declare(record)
    scene.stores[0].create(key(record), record.to_bytes())
    assert scene.committer.recover() == [intent_name(record)]
    assert scene.entries() == [(str(record.digest), True)]
    assert scene.stores[1].kept[key(record)] == record.to_bytes()
    assert scene.intents() == []
    scene.declare(record)  # its removal was not durable
    scene.work.joinpath("intents", intent_name(record)).write_bytes(Intent(event(record), 0, frozenset()).to_bytes())
    assert scene.committer.recover() == []
    assert scene.entries() == [(str(record.digest), True)]


def test_an_intent_that_was_entered_is_dropped(scene: Scene) -> None:
    record = scene.version()
    scene.declare(record)
    scene.commit(record)
    scene.work.joinpath("intents", intent_name(record)).write_bytes(Intent(event(record), 0, frozenset()).to_bytes())
    assert scene.committer.recover() == []
    assert (scene.entries(), scene.intents()) == ([(str(record.digest), False)], [])


def test_an_intent_without_its_record_is_dropped(scene: Scene) -> None:
    record = scene.version()
    scene.declare(record)
    assert scene.committer.recover() == []
    assert (scene.entries(), scene.intents(), list(scene.vault.all_records())) == ([], [], [])


def test_an_intent_of_the_loser_is_dropped(scene: Scene) -> None:
    winner, loser = scene.version(), scene.version(agent="somebody else")
    scene.commit(winner)
    scene.declare(loser)
    assert scene.committer.recover() == []
    assert (scene.entries(), scene.intents()) == ([(str(winner.digest), False)], [])


def test_recovery_leaves_out_who_was_behind(scene: Scene) -> None:
    record = scene.version()
    scene.declare(record, away=["second"])
    scene.stores[0].create(key(record), record.to_bytes())
    assert scene.committer.recover() == [intent_name(record)]
    assert key(record) not in scene.stores[1].kept


@pytest.mark.parametrize("data", [b"", b"3\n", b'{"away":[],"size":0}\n{}', b"\0" * 100])
def test_an_intent_that_cannot_be_read_stops_nobody(scene: Scene, data: bytes) -> None:
    name = intent_name(scene.version())
    (scene.work / "intents" / name).write_bytes(data)
    assert scene.committer.recover() == []
    assert scene.intents() == [name]


def test_a_record_that_cannot_be_read_stops_nobody(scene: Scene) -> None:
    record = scene.version()
    scene.declare(record)
    scene.stores[0].create(key(record), b"rotten")
    assert scene.committer.recover() == []
    assert scene.intents() == [intent_name(record)]


def test_recovery_begins_with_no_folder_of_work_at_all(tmp_path: Path) -> None:
    committer = Committer(Vault([Memory()]), tmp_path / "work")
    assert committer.recover() == []
    assert {path.name for path in (tmp_path / "work").iterdir()} >= {"intents", "runs", "scratch"}


def test_who_waits_too_long_for_the_lock_is_told_who_holds_it(scene: Scene) -> None:
    impatient = Committer(scene.vault, scene.work, patience=0)
    with locked(scene.work / "commit.lock", "it"), pytest.raises(Locked, match="is locked by process"):
        impatient.note()


class Killed(BaseException):
    """The process is no more."""


@pytest.mark.parametrize("end", [Killed, KeyboardInterrupt])
def test_versions_that_are_made_together_are_all_there_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    """Killed before each call in turn that writes something, and opened again; who is interrupted finishes itself."""
    seen = set()
    for at in range(1, 100):
        scene = Scene(tmp_path / str(at), "first", "second")
        left = at

        def meet(act: Callable[..., None]) -> Callable[..., None]:
            def counted(*arguments: object) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise end
                act(*arguments)

            return counted

        records = [scene.version()]
        for number in (2, 3):
            records.append(scene.version(number, records[-1]))
        disk = Disk()
        with monkeypatch.context() as patch:
            for owner, name in ((scene.stores[0], "create"), (scene.stores[0], "replace"), (scene.stores[1], "create"),
                                (scene.stores[1], "replace"), (disk, "rename"), (disk, "unlink")):  # fmt: skip
                patch.setattr(owner, name, meet(getattr(owner, name)))
            committer = Committer(scene.vault, scene.work, disk)
            with suppress(end):
                committer.commit_all([(record, event(record)) for record in records], scene.blobs)
        if end is Killed:
            scene.committer.recover()
        there = list(scene.vault.all_records())
        seen.add(len(there))
        assert there in ([], records)
        assert [digest for digest, _ in scene.entries()] == [str(record.digest) for record in there]
        assert all(key(record) in store.kept for store in scene.stores for record in there)
        assert scene.intents() == []
        if left > 0:
            break
    assert seen == {0, 3}
    assert left > 0
