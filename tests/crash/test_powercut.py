"""A power cut after any operation of an ingest leaves the old state or the new one, and the next start goes on."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from repository.repository import Repository
from storage import layout
from storage.intent import parse_intent
from tests.crash.conftest import Recorded
from tests.crash.powercut import State, replay, states
from tests.crash.promises import made_before
from tests.crash.scene import COPIES, Acknowledged, answers, materialised, opened, take_in

SAMPLES = 60  # states that are opened on a real disk, in each way of syncing, besides those with work to recover


def distinct(recorded: Recorded, *, haunted: bool = False) -> Iterator[tuple[int, str, State]]:
    """Yield each different state that some cut may leave, once for each number of promises made before it."""
    seen = set()
    for index, moment in replay(recorded.start, recorded.ops, haunted=haunted):
        made = len(made_before(recorded.ops, index))
        for label, state in states(moment, index, randoms=12):
            if (key := (made, frozenset(state.items()))) not in seen:
                seen.add(key)
                yield index, label, state


def test_the_recording_is_of_a_whole_ingest(recorded: Recorded) -> None:
    kinds = Counter(op.kind for op in recorded.ops)
    least = {"create": 50, "write": 100, "mkdir": 80, "rename": 40, "link": 8, "unlink": 20, "rmdir": 4, "mark": 4}
    syncs = {"sync_file": 14, "sync_folder": 36, "sync_filesystem": 8}
    if not kinds["sync_filesystem"]:
        syncs = {"sync_file": 50, "sync_folder": 110}
    assert {kind: (n, kinds[kind]) for kind, n in (least | syncs).items() if kinds[kind] < n} == {}


@pytest.mark.parametrize("haunted", [False, True], ids=["", "over a killed run's folders"])
def test_no_cut_breaks_a_promise(recorded: Recorded, haunted: bool) -> None:
    checked = 0
    for index, label, state in distinct(recorded, haunted=haunted):
        made = made_before(recorded.ops, index)
        broken = list(recorded.promises.broken(state, made))
        assert not broken, f"after {recorded.ops[index].kind} (operation {index}), {label}: {broken}"
        checked += 1
    assert checked > 400


def test_the_next_start_goes_on_from_there(recorded: Recorded, room: Path, deliveries: Path) -> None:
    """Sampled over the whole recording, with no catalogue and with one that knows more than the vault."""
    found = list(distinct(recorded))
    recovering = [one for one in found if _to_recover(one[2])]
    recovered = 0
    for n, (index, label, state) in enumerate([*found[:: len(found) // SAMPLES], *recovering, *recovering[::-1]]):
        scene = materialised(recorded.scene, state, room / "materialised")
        for part in recorded.scene.glob("catalogue.db*") if n % 2 else ():
            shutil.copy(part, scene)
        try:
            recovered += _goes_on(recorded, index, scene, deliveries)
        except Exception as error:
            error.add_note(f"after {recorded.ops[index].kind} (operation {index}), {label}, ahead: {n % 2}")
            raise
        shutil.rmtree(scene)
    assert recovered >= 2 * len(recovering) > 0


def _to_recover(state: State) -> bool:
    """Whether the newest record has its intent and no entry."""
    intents = [parse_intent(data).record.encode() for path, data in state.items() if path.startswith("work/intents/")]
    records = b"".join(data for path, data in state.items() if path.startswith("vault/aips/"))
    ledger = b"".join(data for path, data in state.items() if path.startswith("vault/log/"))
    return any(record in records and record not in ledger for record in intents)


def _goes_on(recorded: Recorded, index: int, scene: Path, deliveries: Path) -> int:
    """Open it and work with it; return how many versions had to be recovered."""
    promised = [said.record for said in made_before(recorded.ops, index) if isinstance(said, Acknowledged)]
    with opened(scene, seed=index + 1) as repository:
        told = answers(repository)
        assert set(told["shown"]) >= {record.aip for record in promised}
        for aip, shown in told["shown"].items():
            assert shown == recorded.answers["shown"][aip]
        _whole(repository)
        assert not take_in(repository, deliveries / "harbour").behind
        told = answers(repository)
        repository.rebuild()
        assert answers(repository) == told
        assert leftovers(scene) == []
        return len(repository.recovered)


def _whole(repository: Repository) -> None:
    """Every version in every copy that has its record, and entered in the ledger once."""
    entered = Counter(str(event.detail.get("record")) for _, _, event in repository.vault.ledger.read())
    records = list(repository.vault.all_records())
    for record in records:
        assert entered[str(record.digest)] == 1
        for store in repository.vault.copies:
            if layout.record_key(record.uuid, record.version) in store.listing(layout.AIPS):
                assert all(store.size(layout.blob_key(line.digest)) >= 0 for line in repository.vault.bag(record))
    assert {record.aip for record in records} == {aip.aip for aip in repository.aips()}


def leftovers(scene: Path) -> list[Path]:
    """What lies in scratch spaces, and marks of runs and intents."""
    spaces = [*(f"work/copies/{name}" for name in COPIES), "work/scratch", "work/runs", "work/intents", "work/staging"]
    return [path for space in spaces for path in (scene / space).rglob("*")]
