"""work/alerts.json: what was told, and how full the disks were. Where it is lost, things are told once more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from repository.alerts import Fault, Told
from repository.health import Disk
from storage import durable

_SAMPLES = 60  # of a disk, one a day
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Memory:
    """By keys: the faults that were told, and what was free of disks."""

    told: Mapping[str, Told] = field(default_factory=dict)
    free: Mapping[str, Sequence[tuple[datetime, int]]] = field(default_factory=dict)


def read(work: Path) -> Memory:
    """What is remembered; nothing where the file is lost, or none of ours."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        said = json.loads((work / "alerts.json").read_bytes())
        told = {key: _told(row) for key, row in said["told"].items()}
        free = {name: [(_time(at), int(free)) for at, free in rows] for name, rows in said["free"].items()}
        return Memory(told, free)
    return Memory()


def write(work: Path, memory: Memory) -> None:
    """Replace what is remembered, at once."""
    said = {
        "told": {key: asdict(one) for key, one in memory.told.items()},
        "free": {name: list(rows) for name, rows in memory.free.items()},
    }
    text = json.dumps(said, default=datetime.isoformat).encode()
    durable.publish(durable.DISK, work / "alerts.json", text, work / "scratch", exclusive=False, mode=0o600)


def sampled(
    before: Mapping[str, Sequence[tuple[datetime, int]]], disks: Sequence[Disk], now: datetime
) -> dict[str, Sequence[tuple[datetime, int]]]:
    """What was free, with a sample of now where the last is a day old; of disks that are there. Pure."""
    found: dict[str, Sequence[tuple[datetime, int]]] = {}
    for disk in disks:
        name = ", ".join(disk.holds)
        known = [sample for sample in before.get(name, ()) if sample[0] <= now]
        if not known or now - known[-1][0] >= _DAY:
            known.append((now, disk.free))
        found[name] = known[-_SAMPLES:]
    return found


def _told(row: Mapping[str, Any]) -> Told:
    return Told(Fault(**row["fault"]), _time(row["since"]), _time(row["told"]))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
