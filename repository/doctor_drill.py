"""The doctor's drill: a tiny repository on the user's own disks, damaged in every way, read again, healed, compared.

It lies beside the copies, never in them, and is gone afterwards, whatever happened; after a kill, with the next start.
The user's own holdings are not touched.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fixity.audit import Audit
from repository import config, doctor_injuries, founding
from repository.config import Config
from repository.doctor_injuries import STRAY, Injury
from repository.errors import ListLost
from repository.holdings import HeldFile
from repository.repository import Repository
from repository.scratch import scratch
from storage.errors import BrokenRecord, Damaged, NotFound, StorageError, TianyiError
from storage.local import Local

_FILES = 12
_CATALOGUE = Injury("lost catalogue", "", "", "catalogue.db")


@dataclass(frozen=True, slots=True)
class Tried:
    """An injury and what became of it; `repaired` is None for what is found and left alone, as a file too many is."""

    injury: Injury
    detected: bool
    repaired: bool | None


@dataclass(slots=True)
class Drill:
    """What a drill came to: every injury, what could not be given back at the end, and the copies left out."""

    tried: list[Tried] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def detected(self) -> int:
        return sum(one.detected for one in self.tried)

    @property
    def repaired(self) -> int:
        return sum(one.repaired is True for one in self.tried)


def drill(settings: Config) -> Drill:
    """Try it with as many copies, where they are: those that are folders and answer.

    Raises Unreachable, NotAVault where the first copy does not answer, NoRoom, Locked.
    """
    done = Drill()
    stores = list(_stores(settings, done))
    run = f"drill-{os.getpid()}-{time.monotonic_ns()}"
    with scratch(settings.work, run, *(store.scratch for store in stores)) as rooms:
        try:
            _play(done, rooms, [store.name for store in stores])
        except (BrokenRecord, Damaged, NotFound) as error:  # of the drill's own repository, not of the user's
            done.lost.append(f"the drill could not go on: {error}")
    return done


def _stores(settings: Config, done: Drill) -> Iterator[Local]:
    for copy in settings.copies:
        try:
            store = config.open_copy(copy, settings)
            founding.check(store, settings.vault_id)
        except TianyiError:
            if copy is settings.copies[0]:
                raise
            done.left_out.append(copy.name)
            continue
        if isinstance(store, Local):
            yield store
        else:
            done.left_out.append(copy.name)


def _play(done: Drill, rooms: Sequence[Path], names: Sequence[str]) -> None:
    """Found it, fill it, hurt one copy after the other, then take the catalogue away, and see what is left."""
    folder, source = rooms[0] / "archive", rooms[0] / "source"
    roots = [folder / "vault", *(room / "copy" for room in rooms[1:])]
    _deliver(source)
    with Repository.init(folder, [str(root) for root in roots[1:]], agent="drill") as repository:
        repository.ingest(source, title="drill")
        _deliver(source, version=2)
        repository.ingest(source, title="drill")
        called = dict(zip((copy.name for copy in repository.copies), names, strict=True))
        for root, store in zip(roots, repository.vault.copies, strict=True):
            done.tried += _hurt(repository, store.name, root, called)
        before = _told(repository)
    _lose_catalogue(folder)
    with Repository.open(folder, agent="drill") as repository:
        noticed = (folder / _CATALOGUE.key).exists()
        done.tried.append(Tried(_CATALOGUE, noticed, _told(repository) == before))
        done.lost += _lost(repository, called)


def _hurt(repository: Repository, copy: str, root: Path, called: dict[str, str]) -> list[Tried]:
    """Every kind of damage to one copy; an audit, a repair, and an audit that tells what the repair has reached.

    The ledger of a lone copy is spared: nothing would go on without it.
    """
    hurt = [one for one in doctor_injuries.injuries(copy, root) if one.kind != "ledger" or len(called) > 1]
    for injury in hurt:
        doctor_injuries.inflict(injury, root)
    doctor_injuries.forget(root)
    seen = _seen(repository.audit())
    (root / STRAY).unlink()
    repository.repair()
    doctor_injuries.forget(root)
    left = _seen(repository.audit())
    return [
        Tried(
            Injury(one.kind, one.outcome, called[copy], one.key),
            seen.get((copy, one.key)) == one.outcome,
            None if one.outcome == "extra" else (copy, one.key) not in left,
        )
        for one in hurt
    ]


def _seen(audits: Sequence[Audit]) -> dict[tuple[str, str], str]:
    """What audits found, by copy and key."""
    return {(found.copy, found.key): found.outcome for audit in audits for found in audit.findings}


def _lose_catalogue(folder: Path) -> None:
    for path in folder.glob("catalogue.db*"):
        path.unlink()


def _told(repository: Repository) -> list[object]:
    """What the catalogue answers."""
    aips = list(repository.aips())
    return [aips, *(_files(repository, one.aip) for one in aips), list(repository.events())]


def _files(repository: Repository, aip: str) -> list[HeldFile]:
    """None where nobody knows: with one copy, what was damaged is lost."""
    with suppress(ListLost):
        return list(repository.files(aip, everything=True))
    return []


def _lost(repository: Repository, called: dict[str, str]) -> Iterator[str]:
    """What is still damaged, and what does not come back from each copy alone."""
    for (copy, key), outcome in _seen(repository.audit()).items():
        if outcome != "extra":
            yield f"{key} in {called[copy]}: {outcome}"
    for store in repository.vault.copies:
        with suppress(StorageError):
            for one in repository.drill_restore(store.name, sample=_FILES).differences:
                yield f"{one.path or one.aip} from {called[store.name]}: {one.why}"


def _deliver(folder: Path, version: int = 1) -> None:
    """A few small files, no two alike, one of them empty."""
    for number in range(_FILES):
        path = folder / f"{number % 3}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number} of the drill, version {version}\n" * number)
