"""A small repository with two copies, the deliveries for it, what it promises, and what lies on its disks."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repository import config
from repository.config import Config, Copy
from repository.repository import Repository
from storage import layout
from storage.aip import Record
from storage.errors import StorageError
from storage.ledger import Ledger
from storage.store import Store
from tests.crash.quick import BITMAP, COPIES, Entered, Quick, required
from tests.crash.recording import Recording

DELIVERIES: Mapping[str, Mapping[str, bytes]] = {
    "harbour": {"a.txt": b"one and the same\n", "b.txt": b"one and the same\n", "sub/c.bin": bytes(64), "d": b""},
    "bridge": {"c.bin": bytes(64), "e.txt": b"another\n"},  # c.bin is held already
    "album": {"seal.bmp": BITMAP + b"a seal", "gate.bmp": BITMAP + b"a gate", "list.txt": b"a list\n"},
}


@dataclass(frozen=True)
class Acknowledged:
    """A promise: at this moment the version is whole in these copies."""

    record: Record
    copies: frozenset[str]


@dataclass(frozen=True)
class Mended:
    """A promise: what was damaged when the recording began is not damaged any more."""


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


def show(repository: Quick, disk: Recording, behind: Iterable[str] = (), but: Container[Record] = ()) -> None:
    """Every version that can be seen counts as acknowledged from now on, in the copies that have it."""
    names = frozenset(COPIES) - frozenset(behind)
    for record in repository.vault.all_records():
        if record not in but:
            disk.mark(Acknowledged(record, names - lacking(repository, record)))


def promise(
    repository: Quick,
    disk: Recording,
    behind: frozenset[str] = frozenset(),
    *,
    since: int = 0,
    mended: bool = False,
    but: Container[Record] = (),
) -> None:
    """What holds when a command has said that it is done: besides, the entries that it made beyond `since` are there,
    and what was damaged is mended."""
    show(repository, disk, behind, but)
    if (size := repository.vault.ledger.size()) > since:
        follow = {store.name for store in repository.vault.copies if Ledger(store).size() == size}
        disk.mark(Entered(size, required(disk) & follow))
    if mended and not behind:
        disk.mark(Mended())


def lacking(repository: Repository, record: Record) -> frozenset[str]:
    """The copies, but for the first, that do not have a record: they are behind."""
    key = layout.record_key(record.uuid, record.version)
    return frozenset(store.name for store in repository.vault.copies[1:] if not _has(store, key))


def _has(store: Store, key: str) -> bool:
    try:
        return store.size(key) >= 0
    except StorageError:
        return False


def each_once_and_whole(repository: Repository) -> bool:
    """Every version in every copy that has its record, entered in the ledger once, and told of by the catalogue."""
    entered = Counter(str(event.detail.get("record")) for _, _, event in repository.vault.ledger.read())
    records = list(repository.vault.all_records())
    for record in records:
        assert entered[str(record.digest)] == 1
        for store in repository.vault.copies:
            if _has(store, layout.record_key(record.uuid, record.version)):
                assert all(_has(store, layout.blob_key(line.digest)) for line in repository.vault.bag(record))
    assert {record.aip for record in records} == {aip.aip for aip in repository.aips()}
    return True


def answers(repository: Repository) -> dict[str, Any]:
    """All that the catalogue answers."""
    aips = list(repository.aips())
    shown = {aip.aip: (repository.show(aip.aip), list(repository.files(aip.aip, everything=True))) for aip in aips}
    events = {aip.aip: list(repository.events(aip.aip)) for aip in aips}
    return {"aips": aips, "shown": shown, "of": events, "events": list(repository.events())}


def snapshot(scene: Path) -> dict[str, bytes | None]:
    """What lies in the copies and in the folders of work and keys, by path in the scene; None for a folder."""
    found: dict[str, bytes | None] = {"work": None, "keys": None}
    for top in ("vault", "second", "work", "keys"):
        for path in sorted((scene / top).rglob("*")):
            found[str(path.relative_to(scene))] = path.read_bytes() if path.is_file() else None
    return found


def files_of(start: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """The files of a snapshot."""
    return {path: data for path, data in start.items() if data is not None}


def materialised(scene: Path, state: Mapping[str, bytes], target: Path) -> Path:
    """The state as a repository on a real disk, without a catalogue; locks and scratch did not survive."""
    for folder in ("vault", "second", "work", "policies", "keys"):
        (target / folder).mkdir(parents=True)
    shutil.copy(scene / config.FILE, target)
    for path, data in state.items():
        place = target / path
        os.makedirs(place.parent, exist_ok=True)
        place.write_bytes(data)
    return target


def leftovers(scene: Path) -> list[Path]:
    """What lies in scratch spaces, and marks of runs and intents."""
    spaces = [*(f"work/copies/{name}" for name in COPIES), "work/scratch", "work/runs", "work/intents", "work/staging"]
    spaces.append("keys/.new")
    return [path for space in spaces for path in (scene / space).rglob("*")]
