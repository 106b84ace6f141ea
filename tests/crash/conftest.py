"""Recordings of a real ingest, made once a session: two deliveries one after the other, in each way of syncing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.crash.powercut import State, replay
from tests.crash.promises import Promises
from tests.crash.recording import Op, Recording
from tests.crash.scene import DELIVERIES, answers, deliver, found, opened, snapshot, take_in


@dataclass(frozen=True)
class Recorded:
    """A recording with all that is needed to judge what a power cut in it may leave."""

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
def fresh(room: Path) -> Callable[[], Path]:
    """Gives a new repository each time, always the same."""
    made, number = found(room / "repository"), count()
    return lambda: copytree(made, room / f"scene-{next(number)}")


@pytest.fixture(scope="session", params=[True, False], ids=["whole", "each"])
def recorded(request: pytest.FixtureRequest, fresh: Callable[[], Path], deliveries: Path) -> Recorded:
    scene = fresh()
    start = snapshot(scene)
    disk = Recording(scene, whole=request.param)
    with opened(scene, disk) as repository:
        for name in DELIVERIES:
            take_in(repository, deliveries / name, disk)
        told = answers(repository)
    return Recorded(scene, start, disk.ops, Promises(end_of(start, disk.ops)), told)
