"""The one verified door: what comes in is what it claims to be, in every copy, or nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from storage.digest import Digest, sha256
from storage.errors import Damaged, NoRoom, SyncFailed
from storage.layout import blob_key
from storage.local import Local
from storage.memory import Memory
from storage.receive import HoldsNothing, Received, receive
from storage.staging import staging
from storage.store import Store
from tests.faulty import Fault, Faulty, Unsynced, broken_disk, full_disk

DATA = b"what the producer sent" * 1000
KEY = blob_key(sha256(DATA))
WRONG = {"empty": b"", "torn": DATA[:100], "rotten": DATA[:-1] + b"?", "zeros": bytes(len(DATA)), "longer": DATA + b"+"}


class HoldsAll:
    def holds(self, copy: str, digest: Digest) -> bool:
        return True


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work" / "runs").mkdir(parents=True)
    return tmp_path / "work"


def taken(stores: list[Store], work: Path, parts: Iterable[bytes], holds: object = None) -> tuple[Received, set[str]]:
    """Receive one blob and settle it: what came of it, and who is behind."""
    with staging("run", stores, work) as stage:
        received = stage.receive(parts, holds or HoldsNothing())  # type: ignore[arg-type]
        stage.settle([received])
        return received, stage.behind


def read(store: Store) -> bytes:
    with store.open(KEY) as stream:
        return stream.read()


@pytest.mark.parametrize("parts", [[DATA], [DATA[:7], DATA[7:]], [b"", DATA[:1], b"", DATA[1:]]])
def test_a_blob_comes_into_every_copy(work: Path, parts: list[bytes]) -> None:
    stores = [Memory("first"), Memory("second")]
    received, behind = taken(list(stores), work, parts)
    assert (received.digest, received.size, behind) == (sha256(DATA), len(DATA), set())
    assert [read(store) for store in stores] == [DATA, DATA]


def test_no_bytes_are_a_blob_too(work: Path) -> None:
    store = Memory()
    received, _ = taken([store], work, [])
    assert received.size == store.size(blob_key(sha256(b""))) == 0


def test_every_digest_is_over_the_same_bytes() -> None:
    received = receive([], "run", [DATA[:9], DATA[9:]], holds=HoldsNothing(), algorithms=("sha256", "md5", "sha512"))
    assert [digest.algorithm for digest in received.digests] == ["sha256", "md5", "sha512"]
    assert received.digest == sha256(DATA)


@pytest.mark.parametrize("parts", [[DATA], [DATA[:7], DATA[7:]]])
def test_a_false_claim_keeps_nothing(work: Path, parts: list[bytes]) -> None:
    store = Memory()
    with staging("run", [store], work) as stage, pytest.raises(Damaged) as told:
        stage.receive(parts, HoldsNothing(), claimed=sha256(b"something else"))
    assert (told.value.expected, told.value.found) == (sha256(b"something else"), sha256(DATA))
    assert (store.kept, store.scratch) == ({}, {})


@pytest.mark.parametrize("parts", [[DATA], [DATA[:7], DATA[7:]]])
def test_what_is_held_and_reads_right_is_not_written_again(work: Path, parts: list[bytes]) -> None:
    store = Memory()
    store.create(KEY, DATA)
    received, _ = taken([store], work, parts, HoldsAll())
    assert (received.pending, received.new_in("memory")) == ((), False)


def test_what_no_record_refers_to_is_written_again(work: Path) -> None:
    store = Memory()
    store.create(KEY, DATA)
    received, _ = taken([store], work, [DATA])
    assert received.new_in("memory")


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
@pytest.mark.parametrize(
    "damaged", [{"first"}, {"second"}, {"first", "second"}], ids=lambda names: "+".join(sorted(names))
)
@pytest.mark.parametrize("holds", [HoldsAll(), HoldsNothing()], ids=["held", "orphan"])
def test_wrong_bytes_never_swallow_the_right_ones(work: Path, wrong: bytes, damaged: set[str], holds: object) -> None:
    stores = [Memory("first"), Memory("second")]
    for store in stores:
        store.create(KEY, wrong if store.name in damaged else DATA)
    taken(list(stores), work, [DATA], holds)
    assert [read(store) for store in stores] == [DATA, DATA]


def local(name: str, folder: Path, disk: Faulty) -> Local:
    (folder / name).mkdir()
    return Local(name, folder / name, folder / f"{name}.scratch", disk)


@pytest.fixture
def disks(tmp_path: Path) -> Callable[..., tuple[list[Store], Faulty]]:
    """Two local copies, the one named with the faulty disk."""

    def make(bad: str, *, whole: bool = False) -> tuple[list[Store], Faulty]:
        good, faulty = Faulty(Unsynced(whole=whole)), Faulty(Unsynced(whole=whole))
        return [local(name, tmp_path, faulty if name == bad else good) for name in ("first", "second")], faulty

    return make


def parts() -> Iterator[bytes]:
    yield from (DATA[:1000], DATA[1000:2000], DATA[2000:])


FAULTS = [("write", 2, full_disk), ("create", 1, full_disk), ("sync_file", 1, broken_disk), ("write", 3, broken_disk),
          ("sync_folder", 1, broken_disk), ("rename", 1, full_disk), ("mkdir", 1, full_disk)]  # fmt: skip


@pytest.mark.parametrize(("operation", "call", "do"), FAULTS)
def test_a_second_copy_that_fails_midway_is_behind(
    disks: Callable[..., tuple[list[Store], Faulty]], work: Path, operation: str, call: int, do: Fault
) -> None:
    stores, disk = disks("second")
    with disk.on(operation, call, do):
        _, behind = taken(stores, work, parts())
    assert behind == {"second"}
    assert read(stores[0]) == DATA
    assert _scratch(stores) == []


@pytest.mark.parametrize(("operation", "call", "do"), FAULTS)
def test_where_the_first_fails_all_do(
    disks: Callable[..., tuple[list[Store], Faulty]], work: Path, operation: str, call: int, do: Fault
) -> None:
    stores, disk = disks("first")
    error = SyncFailed if operation.startswith("sync") else NoRoom if do is full_disk else Exception
    with disk.on(operation, call, do), pytest.raises(error):
        taken(stores, work, parts())
    assert _scratch(stores) == []
    taken(stores, work, parts())
    assert [read(store) for store in stores] == [DATA, DATA]


def _scratch(stores: list[Store]) -> list[Path]:
    return [path for store in stores if isinstance(store, Local) for path in store.scratch.rglob("*")]
