"""The sweep: what is needed is never removed, what is not goes; what cannot be told stops it; nobody is overtaken."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Signal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.aip import Record
from storage.away import Away
from storage.commit import Committer, prepare_work
from storage.digest import Digest, sha256
from storage.errors import BlobGone, SweepStopped
from storage.event import Event
from storage.layout import AIPS, BLOBS, blob_key, record_key, tombstone_key
from storage.local import Local
from storage.memory import Memory
from storage.staging import running, staging
from storage.store import Opens, Store
from storage.sweep import Swept, sweeping
from storage.vault import Vault
from tests.faulty import Unsynced
from tests.storage.bags import TIME, buried, entered, parts, put, put_version, record_of

LATER = datetime(2100, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def urn(number: int) -> str:
    return f"urn:uuid:0190a5f2-7c11-7b4e-8f1a-{number:012d}"


def uid(number: int) -> UUID:
    return UUID(urn(number)[9:])


def made(work: Path, stores: Sequence[Store]) -> Committer:
    prepare_work(work)
    return Committer(Vault(stores), work, Unsynced(whole=True), patience=10)


def sweep(committer: Committer, now: datetime = LATER, grace: timedelta = DAY) -> Swept:
    with sweeping(committer, now, grace) as one:
        one.plan()
        return one.carry_out()


def note(committer: Committer, kind: str, about: str = "x", **detail: str) -> None:
    committer.note(Event(time=TIME, type=kind, agent="tests", object=about, outcome="success", detail=detail))


def keep(
    committer: Committer, number: int, files: list[bytes], version: int = 1, previous: Record | None = None
) -> Record:
    """A version in every copy, with its entry."""
    record = record_of(urn(number), files, version, previous)
    put_version(committer.vault.copies, record, files)
    committer.note(entered(record))
    return record


@pytest.fixture
def stores() -> list[Memory]:
    return [Memory("first"), Memory("second")]


@pytest.fixture
def committer(tmp_path: Path, stores: list[Memory]) -> Committer:
    return made(tmp_path / "work", stores)


_pool = st.integers(0, 7).map(lambda number: b"file %d" % number)
_aips = st.lists(
    st.tuples(
        st.lists(st.lists(_pool, max_size=4), min_size=1, max_size=3),  # versions
        st.sampled_from(["kept", "kept", "deleted", "only in second", "no entry"]),
    ),
    max_size=4,
)


@settings(max_examples=60)
@given(_aips, st.lists(_pool, max_size=8), st.lists(_pool, max_size=2))
def test_what_is_referred_to_stays_and_the_rest_goes(
    aips: list[tuple[list[list[bytes]], str]], orphans: list[bytes], evidence: list[bytes]
) -> None:
    stores = [Memory("first"), Memory("second")]
    with TemporaryDirectory() as folder:
        committer = made(Path(folder) / "work", stores)
        put(stores, orphans)
        needed = {sha256(data) for data in evidence}
        for data in evidence:
            put(stores, [data])
            note(committer, "audit", whatever=str(sha256(data)))
        for number, (versions, fate) in enumerate(aips):
            needed |= _put_aip(committer, stores, number, versions, fate)
        had = [set(store.listing(BLOBS)) for store in stores]
        sweep(committer)
        wanted = {blob_key(digest) for digest in needed}
        assert [set(store.listing(BLOBS)) for store in stores] == [keys & wanted for keys in had]
        assert not [key for store in stores for key in store.listing(AIPS) for n, (_, fate) in enumerate(aips)
                    if fate == "deleted" and str(uid(n)) in key]  # fmt: skip


def _put_aip(
    committer: Committer, stores: list[Memory], number: int, versions: list[list[bytes]], fate: str
) -> set[Digest]:
    """An AIP in some state; return the blobs that it needs."""
    needed, previous = set(), None
    for version, files in enumerate(versions, start=1):
        previous = record = record_of(urn(number), files, version, previous)
        put_version(stores[1:] if fate == "only in second" else stores, record, files)
        if fate != "no entry":
            committer.note(entered(record))
        needed |= {sha256(data) for data in parts(files)[1]}
    if fate == "deleted":
        stores[0].create(tombstone_key(uid(number)), buried(urn(number)).to_bytes())
        note(committer, "deletion", about=urn(number))
        return set()
    return needed


def _record(stores: list[Memory], record: Record) -> None:
    stores[1].replace(record_key(record.uuid, 1), b"rotten")


def _manifest(stores: list[Memory], record: Record) -> None:
    for store in stores:
        store.drop(blob_key(record.tagmanifest))


def _ledger(stores: list[Memory], record: Record) -> None:
    for store in stores:
        for key in list(store.listing("log/")):
            store.replace(key, b"rotten")


def _lost(stores: list[Memory], record: Record) -> None:
    for store in stores:
        store.drop(record_key(record.uuid, 1))


@pytest.mark.parametrize("damage", [_record, _manifest, _ledger, _lost])
def test_what_cannot_be_read_stops_it(
    committer: Committer, stores: list[Memory], damage: Callable[[list[Memory], Record], None]
) -> None:
    record = keep(committer, 1, [b"a"])
    put(stores, [b"orphan"])
    damage(stores, record)
    before = [dict(store.kept) for store in stores]
    with pytest.raises(SweepStopped) as error:
        sweep(committer)
    assert error.value.next
    assert [store.kept for store in stores] == before


def test_two_records_for_one_version_both_count(committer: Committer, stores: list[Memory]) -> None:
    keep(committer, 1, [b"a"])
    other = record_of(urn(1), [b"b"])
    put(stores, parts([b"b"])[1])
    stores[1].replace(record_key(uid(1), 1), other.to_bytes())
    assert sweep(committer).removed == 0


def test_the_young_stay_and_so_does_what_is_of_the_future(committer: Committer, stores: list[Memory]) -> None:
    put(stores, [b"orphan"])
    now = datetime.now(UTC)
    for moment in (now, now + DAY - timedelta(minutes=1), now - 400 * DAY):
        assert (sweep(committer, moment).removed, sweep(committer, moment).kept) == (0, 2)
    assert sweep(committer, now + DAY + timedelta(minutes=1)).removed == 2


def test_what_a_live_run_may_have_written_stays(committer: Committer, stores: list[Memory]) -> None:
    put(stores, [b"orphan"])
    with running("an-ingest", committer.work):
        assert (sweep(committer).removed, sweep(committer).kept) == (0, 2)
    assert sweep(committer).removed == 2


def test_nothing_goes_while_a_run_lives_that_began_before_a_deletion(
    committer: Committer, stores: list[Memory]
) -> None:
    put(stores, [b"orphan"])
    for store in stores:
        store._written[blob_key(sha256(b"orphan"))] = datetime(2001, 1, 1, tzinfo=UTC)  # older than any run
    with running("an-ingest", committer.work):
        assert sweep(committer).removed == 2
        put(stores, [b"orphan"])
        for store in stores:
            store._written[blob_key(sha256(b"orphan"))] = datetime(2001, 1, 1, tzinfo=UTC)
        stores[0].create(tombstone_key(uid(9)), buried(urn(9)).to_bytes())
        waits = sweep(committer)
    assert (waits.removed, waits.kept, "before the last deletion" in waits.waits) == (0, 2, True)
    assert sweep(committer).removed == 2


def test_a_version_committed_between_plan_and_removal_keeps_its_blobs(
    committer: Committer, stores: list[Memory]
) -> None:
    put(stores, [*parts([b"late"])[1], b"orphan"])
    with sweeping(committer, LATER, DAY) as one:
        assert one.plan().removed == 2 * 6
        keep(committer, 1, [b"late"])
        assert (one.carry_out().removed, one.done().kept) == (2, 10)
    assert all(stores[0].size(blob_key(sha256(data))) for data in parts([b"late"])[1])


class _Busy(Memory):
    """While its records are listed, somebody else is at work."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def listing(self, prefix: str = "", after: str = "") -> Iterator[str]:
        yield from super().listing(prefix, after)
        if prefix == AIPS:
            act, self.meanwhile = self.meanwhile, lambda: None
            act()


@pytest.mark.parametrize("what", ["commit", "deletion"])
def test_what_happens_while_records_are_listed(tmp_path: Path, what: str) -> None:
    """A version that came after the listing is not taken for lost, nor its blobs for orphans; what a deletion frees at
    this moment waits."""
    store = _Busy("first")
    committer = made(tmp_path / "work", [store])
    keep(committer, 1, [b"a"])
    put([store], [*parts([b"late"])[1], b"orphan"])

    def act() -> None:
        if what == "commit":
            keep(committer, 2, [b"late"])
        else:
            with committer.lock():
                committer.delete(buried(urn(1)), "tests")

    with sweeping(committer, LATER, DAY) as one:
        store.meanwhile = act
        one.plan()
        assert one.carry_out().removed == {"commit": 1, "deletion": 0}[what]
    assert all(store.size(blob_key(sha256(data))) for data in parts([b"late"])[1])


def test_a_blob_written_anew_between_plan_and_removal_stays(committer: Committer, stores: list[Memory]) -> None:
    put(stores, [b"orphan"])
    now = datetime.now(UTC) + timedelta(seconds=1)
    for store in stores:
        store._written[blob_key(sha256(b"orphan"))] = now - 2 * DAY
    with sweeping(committer, now, DAY) as one:
        assert one.plan().removed == 2
        put(stores[:1], [b"orphan"])
        assert (one.carry_out().removed, stores[0].size(blob_key(sha256(b"orphan")))) == (1, 6)


def test_copies_that_keep_everything_are_told(tmp_path: Path, stores: list[Memory]) -> None:
    stores[1].keeps_all = "its bucket is versioned"
    committer = made(tmp_path / "work", [*stores, Away("third", "there", "it is not mounted")])
    put(stores, [b"orphan"])
    swept = sweep(committer)
    assert (swept.removed, swept.kept) == (1, 1)
    assert swept.copies["second"] == "its bucket is versioned"
    assert "not mounted" in swept.copies["third"]


def test_a_commit_whose_blob_was_swept_says_run_it_again(committer: Committer, stores: list[Memory]) -> None:
    record = record_of(urn(1), [b"a"])
    with pytest.raises(BlobGone) as error:
        committer.commit(record, entered(record), lambda: [(sha256(b"a"), 1)])
    assert "Run the command again" in error.value.next
    assert list(stores[0].listing(AIPS)) == []


class _Held:
    """Which blobs a committed version refers to, read from the vault itself."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def holds(self, copy: Opens, digest: Digest) -> bool:
        for record in list(self._vault.all_records()):
            if digest in {line.digest for line in self._vault.bag(record)}:
                return True
        return False


def _opened(folder: Path) -> Committer:
    """Two copies on disk, as each process would open them."""
    disk = Unsynced(whole=True)
    for name in ("first", "second"):
        (folder / name).mkdir(exist_ok=True)
    stores = [Local(name, folder / name, folder / "scratch" / name, disk) for name in ("first", "second")]
    return made(folder / "work", stores)


def _ingest(committer: Committer, number: int, files: list[bytes]) -> None:
    record, contents = record_of(urn(number), files), parts(files)[1]
    with staging(f"run-{number}", committer.vault.copies, committer.work) as stage:
        stage.settle([stage.receive([data], _Held(committer.vault)) for data in contents])
        committer.commit(record, entered(record), lambda: [(sha256(data), len(data)) for data in contents])


def _come_and_go(folder: Path, seed: int) -> None:
    committer, chance = _opened(folder), random.Random(seed)
    for number in range(seed * 1000, seed * 1000 + 12):
        _ingest(committer, number, [b"file %d" % chance.randrange(5) for _ in range(3)])
        if chance.random() < 0.6:
            with committer.lock():
                committer.delete(buried(urn(number)), "tests")


def _sweep_until(folder: Path, done: Signal, swept: list[int]) -> None:
    committer = _opened(folder)
    while not done.is_set():
        swept.append(sweep(committer).removed)


def test_ingests_deletions_and_sweeps_at_the_same_time(tmp_path: Path) -> None:
    """Few contents, so that the same blobs come and go: no version ever lacks one, nobody is ever stopped."""
    done, swept = Signal(), list[int]()
    with ThreadPoolExecutor(4) as pool:
        sweepers = [pool.submit(_sweep_until, tmp_path, done, swept) for _ in range(2)]
        writers = [pool.submit(_come_and_go, tmp_path, seed) for seed in (1, 2)]
        wait(writers)
        done.set()
    for thread in (*writers, *sweepers):
        thread.result()
    committer = _opened(tmp_path)
    swept.append(sweep(committer).removed)
    records = list(committer.vault.all_records())
    needed = {blob_key(line.digest) for record in records for line in committer.vault.bag(record)}
    assert [set(store.listing(BLOBS)) for store in committer.vault.copies] == [needed, needed]
    assert (len(records) > 2, sum(swept) > 10) == (True, True)
