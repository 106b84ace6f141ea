"""A power cut after any operation of a verb leaves the old state or the new one, and the next start goes on."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.intent import parse_intent
from tests.conftest import Tally
from tests.crash.conftest import Recorded
from tests.crash.powercut import State, replay, states
from tests.crash.promises import made_before
from tests.crash.quick import opened
from tests.crash.scene import Acknowledged, answers, each_once_and_whole, leftovers, materialised
from tests.crash.verbs import is_whole

SAMPLES = 8  # states that are opened on a real disk, in each way of syncing, besides those with work to recover


def distinct(recorded: Recorded, *, haunted: bool = False) -> Iterator[tuple[int, str, State]]:
    """Yield each different state that some cut may leave, once for each number of promises made before it."""
    seen = set()
    for index, moment in replay(recorded.start, recorded.ops, haunted=haunted):
        made = len(made_before(recorded.ops, index))
        for label, state in states(moment, index, randoms=12):
            if (key := (made, frozenset(state.items()))) not in seen:
                seen.add(key)
                yield index, label, state


def test_the_recording_is_of_a_whole_run(recorded: Recorded, whole: bool) -> None:
    kinds = Counter(op.kind for op in recorded.ops)
    least = {"create": 5, "write": 5, "mkdir": 1, "rename": 1, "link": 1, "unlink": 2, "mark": 2}
    if recorded.verb.is_of_ledger:
        least, whole = {**least, "mkdir": 0}, False
    syncs = {"sync_file": 2, "sync_folder": 3, "sync_filesystem": 2 if whole else 0}
    assert {kind: (n, kinds[kind]) for kind, n in (least | syncs).items() if kinds[kind] < n} == {}
    assert sum(kinds.values()) > 40


def test_no_cut_breaks_a_promise(recorded: Recorded, tally: Tally) -> None:
    judged = _judged(recorded, distinct(recorded))
    assert judged > 20
    tally("states after a power cut", judged)


def test_nor_over_the_folders_of_a_run_that_was_killed(haunted: Recorded, tally: Tally) -> None:
    judged = _judged(haunted, distinct(haunted, haunted=True))
    assert judged > 400
    tally("states after a power cut", judged)


def _judged(recorded: Recorded, found: Iterator[tuple[int, str, State]]) -> int:
    """How many states there are; all of them keep every promise."""
    checked = 0
    for index, label, state in found:
        broken = list(recorded.promises.broken(state, made_before(recorded.ops, index)))
        assert not broken, f"after {recorded.ops[index].kind} (operation {index}), {label}: {broken}"
        checked += 1
    return checked


@pytest.mark.slow  # half a minute: hundreds of starts on a real disk
def test_the_next_start_goes_on_from_there(recorded: Recorded, room: Path, deliveries: Path, tally: Tally) -> None:
    """Sampled over the whole recording, with no catalogue and with one that knows more than the vault."""
    found = list(distinct(recorded))
    recovering = [one for one in found if _to_recover(one[2])]
    recovered = 0
    sampled = found[:: 1 + len(found) // SAMPLES]
    for n, (index, label, state) in enumerate([*sampled, *recovering, *recovering[::-1]]):
        scene = materialised(recorded.scene, state, room / f"{recorded.verb.name} {index} {n}")
        for part in recorded.scene.glob("catalogue.db*") if n % 2 else ():
            shutil.copy(part, scene)
        try:
            recovered += _goes_on(recorded, index, scene, deliveries)
        except Exception as error:
            error.add_note(f"after {recorded.ops[index].kind} (operation {index}), {label}, ahead: {n % 2}")
            raise
        shutil.rmtree(scene)
    tally("starts after a power cut", len(sampled) + 2 * len(recovering))
    assert recovered >= 2 * len(recovering)
    assert recovering or not any(op.to.startswith("work/intents/") for op in recorded.ops)


def _to_recover(state: State) -> bool:
    """Whether the newest record, or tombstone, has its intent and no entry."""
    intents = [parse_intent(data) for path, data in state.items() if path.startswith("work/intents/")]
    promised = [name.encode() for intent in intents for name in (intent.record, intent.tombstone) if ":" in name]
    kept = b"".join(data for path, data in state.items() if path.startswith(("vault/aips/", "vault/tombstones/")))
    ledger = b"".join(data for path, data in state.items() if path.startswith("vault/log/"))
    return any(digest in kept and digest not in ledger for digest in promised)


def _goes_on(recorded: Recorded, index: int, scene: Path, deliveries: Path) -> int:
    """Open it and work with it; return how many versions had to be recovered."""
    promised = [said.record for said in made_before(recorded.ops, index) if isinstance(said, Acknowledged)]
    with opened(scene, seed=index + 1) as repository:
        told = answers(repository)
        deleted = {f"urn:uuid:{path.stem}" for path in (scene / "vault" / "tombstones").glob("*.json")}
        assert recorded.verb.is_untold or set(told["shown"]) >= {record.aip for record in promised} - deleted
        for aip, shown in told["shown"].items():
            assert aip not in recorded.answers["shown"] or _is_old_or_new(shown, recorded.answers["shown"][aip])
        if not recorded.promises.damaged:
            assert each_once_and_whole(repository)
        recorded.verb.run(repository, deliveries)
        repository.audit()
        repository.repair()
        assert is_whole(repository)
        assert recorded.verb.done(repository)
        assert each_once_and_whole(repository)
        told = answers(repository)
        repository.rebuild()
        assert answers(repository) == told
        assert leftovers(scene) == []
        return len(repository.recovered)


def _is_old_or_new(shown: Any, new: Any) -> bool:
    """Whether what is told of an AIP is all that will be, or what was so before its newest version."""
    (_, versions), (_, newer) = shown[0], new[0]
    return bool(shown == new or (len(versions) < len(newer) and versions == newer[: len(versions)]))
