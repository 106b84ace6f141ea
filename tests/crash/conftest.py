"""Recordings of every verb at work, made once a session, in each way of syncing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, dropwhile
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.crash.powercut import State, replay
from tests.crash.promises import Promises
from tests.crash.quick import opened
from tests.crash.recording import Op, Recording
from tests.crash.scene import answers, deliver, files_of, found, promise, snapshot
from tests.crash.verbs import INGEST, VERBS, Verb

Fresh = Callable[[Verb], Path]


@dataclass(frozen=True)
class Recorded:
    """A recording with all that is needed to judge what a power cut in it may leave."""

    verb: Verb
    scene: Path
    start: dict[str, bytes | None]
    ops: list[Op]
    promises: Promises
    answers: dict[str, Any]


def end_of(start: dict[str, bytes | None], ops: list[Op]) -> State:
    """Everything there is at the end, as a running system sees it."""
    *_, (_, moment) = replay(start, ops)
    return moment.state(moment.pending, {}, None)


@pytest.fixture(scope="session")
def room() -> Iterator[Path]:
    """Where scenes are played: in memory where there is such a disk, since what syncs do is only written down."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None, prefix="tianyi-crash-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def deliveries(room: Path) -> Path:
    return deliver(room / "deliveries")


@pytest.fixture(scope="session")
def fresh(room: Path, deliveries: Path) -> Fresh:
    """Gives a repository as it is before a verb, each time a new one, and always the same."""
    made, number = found(room / "repository"), count()
    before: dict[str, Path] = {}

    def give(verb: Verb) -> Path:
        if verb.name not in before:
            before[verb.name] = copytree(made, room / f"before {verb.name}")
            with opened(before[verb.name], seed=1_000_000) as repository:
                verb.before(repository, deliveries)
        return copytree(before[verb.name], room / f"scene-{next(number)}")

    return give


@pytest.fixture(scope="session", params=[True, False], ids=["whole", "each"])
def whole(request: pytest.FixtureRequest) -> bool:
    """How a batch becomes durable: by one sync of its file system, or each file and folder by itself."""
    return bool(request.param)


_PARAMS = [pytest.param(verb, marks=pytest.mark.slow) if verb.is_slow else verb for verb in VERBS]


@pytest.fixture(scope="session", params=_PARAMS, ids=lambda verb: verb.name.replace(" ", "-"))
def verb(request: pytest.FixtureRequest) -> Verb:
    found: Verb = request.param
    return found


@pytest.fixture(scope="session")
def recorded(verb: Verb, whole: bool, fresh: Fresh, deliveries: Path) -> Recorded:
    return record(verb, whole, fresh(verb), deliveries)


@pytest.fixture(scope="session")
def haunted(whole: bool, fresh: Fresh, deliveries: Path) -> Recorded:
    """A first ingest, to be replayed over folders that nobody made durable: nothing had been promised before it."""
    found = record(INGEST, whole, fresh(INGEST), deliveries)
    return replace(found, ops=list(dropwhile(lambda op: op.kind == "mark", found.ops)))


def record(verb: Verb, whole: bool, scene: Path, deliveries: Path) -> Recorded:
    start = snapshot(scene)
    disk = Recording(scene, whole=whole)
    with opened(scene, disk) as repository:
        promise(repository, disk)
        promise(repository, disk, verb.run(repository, deliveries), mended=verb.mends)
        told = answers(repository)
    return Recorded(verb, scene, start, disk.ops, Promises(files_of(start), end_of(start, disk.ops)), told)
