"""A small repository with two copies, and what is taken in: four tiny files, two of them the same."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from ingest.identify import Basis, Identification, Sample
from ingest.pipeline import Receipt, Setting
from repository import config
from repository.config import Config, Copy
from repository.repository import Repository
from storage.aip import Record, parse_aip, uuid7
from storage.durable import Disk
from tests.crash.recording import Recording
from tests.faulty import Unsynced

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DELIVERIES: Mapping[str, Mapping[str, bytes]] = {
    "harbour": {"a.txt": b"one and the same\n", "b.txt": b"one and the same\n", "sub/c.bin": bytes(64), "d": b""},
    "bridge": {"c.bin": bytes(64), "e.txt": b"another\n"},  # c.bin is held already
}
COPIES = {"first": "vault", "copy-2": "second"}  # a copy's name, and its folder in the scene


@dataclass(frozen=True)
class Acknowledged:
    """A promise: at this moment the version is whole in these copies."""

    record: Record
    copies: frozenset[str]


@dataclass(frozen=True)
class Entered:
    """A promise: the ledger has this many entries, in these copies."""

    size: int
    copies: frozenset[str]


def required(disk: Recording) -> frozenset[str]:
    """The copies that must take part in everything: another whose disk fails is behind."""
    return frozenset({"first"} if disk.fails_at else COPIES)


class _Plain:
    name, version = "plain", "1"

    def identify(self, sample: Sample) -> Identification:
        return Identification((), Basis.NONE, "application/octet-stream")


@cache
def _plain() -> _Plain:
    return _Plain()


class Quick(Repository):
    """The repository with identification left out and with chance and time made certain."""

    chance: random.Random
    recording: Recording | None

    def _setting(self) -> Setting:
        return replace(super()._setting(), identifier=_plain, new_id=lambda: uuid7(NOW, self.chance.randbytes(10)))

    def _next_accession(self) -> str:
        number = super()._next_accession()
        if self.recording:
            self.recording.mark(Entered(self.vault.ledger.size(), required(self.recording)))
        return number


def found(scene: Path) -> Path:
    """A new repository with its second copy in a folder of it, so that it can be moved as a whole."""
    Repository.init(scene, [str(scene / "second")]).close()
    written = config.load(scene)
    text = config.render(Config(scene, written.vault_id, [Copy(name, folder) for name, folder in COPIES.items()]))
    (scene / config.FILE).write_text(text)
    return scene


def deliver(where: Path) -> Path:
    """What will be taken in, the same to the bit each time."""
    for name, files in DELIVERIES.items():
        for path, data in files.items():
            target = where / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    for path in where.rglob("*"):
        os.utime(path, ns=(0, 0))  # the map of names tells of it, and digests decide how many folders are made
    return where


def opened(scene: Path, disk: Disk | None = None, seed: int = 0) -> Quick:
    """As a process of its own would open it; each has its own `seed`, or they would make the same identifiers."""
    settings = config.load(scene)
    repository = Quick(settings, agent="tests", now=lambda: NOW, disk=disk or Unsynced(whole=True), patience=1.0)
    repository.chance = random.Random(seed)
    repository.recording = disk if isinstance(disk, Recording) else None
    return repository


def take_in(repository: Quick, delivery: Path, disk: Disk | None = None) -> Receipt:
    receipt = repository.ingest(delivery)
    assert receipt.outcome == "accepted", receipt
    if isinstance(disk, Recording):
        disk.mark(promised(repository, receipt.aip, receipt.behind))
    return receipt


def promise_all(repository: Repository, disk: Recording) -> None:
    """Every version that can be seen counts as acknowledged in every copy."""
    for aip in repository.aips():
        disk.mark(promised(repository, aip.aip))


def promised(repository: Repository, aip: str, behind: frozenset[str] = frozenset()) -> Acknowledged:
    return Acknowledged(repository.vault.record(parse_aip(aip), 1), frozenset(COPIES) - behind)


def answers(repository: Repository) -> dict[str, Any]:
    """All that the catalogue answers."""
    aips = list(repository.aips())
    shown = {aip.aip: (repository.show(aip.aip), list(repository.files(aip.aip, everything=True))) for aip in aips}
    events = {aip.aip: list(repository.events(aip.aip)) for aip in aips}
    return {"aips": aips, "shown": shown, "of": events, "events": list(repository.events())}


def snapshot(scene: Path) -> dict[str, bytes | None]:
    """What lies in the copies and in the folder of work, by path in the scene; None for a folder."""
    found: dict[str, bytes | None] = {"work": None}
    for top in ("vault", "second", "work"):
        for path in sorted((scene / top).rglob("*")):
            found[str(path.relative_to(scene))] = path.read_bytes() if path.is_file() else None
    return found


def materialised(scene: Path, state: Mapping[str, bytes], target: Path) -> Path:
    """The state as a repository on a real disk, without a catalogue; locks and scratch did not survive."""
    for folder in ("vault", "second", "work", "policies"):
        (target / folder).mkdir(parents=True)
    shutil.copy(scene / config.FILE, target)
    for path, data in state.items():
        place = target / path
        os.makedirs(place.parent, exist_ok=True)
        place.write_bytes(data)
    return target
