"""The one commit point: intent → every blob is there → record → the other copies → one ledger entry.

Under one kernel lock, which the sweep takes too. A crash at any point leaves the old state or the new one; `recover`
finishes what an intent tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from storage import durable, layout
from storage.aip import Record, parse_record
from storage.digest import Digest
from storage.durable import DISK, Disk
from storage.errors import AlreadyThere, Conflict, Damaged, NotFound, StorageError
from storage.event import Event, parse_event
from storage.ledger import Ledger
from storage.lock import locked
from storage.staging import live_runs
from storage.store import Opens, Store
from storage.vault import Vault

BlobSizes = Callable[[], Iterable[tuple[Digest, int]]]
"""Every blob of a version with its size in bytes, tag files included; may be asked for several times."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did: the record, the number of its ledger entry, and the copies that could not take part."""

    record: Record
    entry: int
    behind: frozenset[str]


class Committer:
    """Writes records and ledger entries. `work` is the repository's folder for work in flight."""

    def __init__(self, vault: Vault, work: Path, disk: Disk = DISK, patience: float = 60.0) -> None:
        self.vault = vault
        self._work, self._disk, self._patience = work, disk, patience

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the commit lock; raise Locked after the committer's patience (seconds)."""
        with locked(self._work / "commit.lock", "the vault", self._patience):
            yield

    def commit(self, record: Record, event: Event, blobs: BlobSizes, behind: Iterable[str] = ()) -> Committed:
        """Make a version exist. All its blobs are durable in the first copy and in every other not in `behind`.

        Raises Conflict where another writer has made that version, NotFound or Damaged where a blob is not there.
        """
        with self.lock():
            self._check_next(record)
            away = {*behind, *self._incomplete(blobs, set(behind))}
            intent = self._declare(record, event)
            try:
                self.vault.first.create(_key(record), record.to_bytes())
            except AlreadyThere as error:
                self._disk.unlink(str(intent))
                raise Conflict(record.aip, record.version) from error
            away |= self._spread(record, away)
            entry, late = self._note([event])
            self._disk.unlink(str(intent))
            return Committed(record, entry, frozenset(away | late))

    def note(self, *events: Event) -> frozenset[str]:
        """Append entries to the ledger, durable on return; return the copies that could not follow."""
        with self.lock():
            return self.note_locked(*events)

    def note_locked(self, *events: Event) -> frozenset[str]:
        """The same for a caller that holds the lock, because its event depends on what is there."""
        return frozenset(self._note(events)[1])

    def recover(self) -> list[str]:
        """Finish what a crash cut short, and remove the scratch of dead runs; return the AIP versions recovered."""
        with self.lock():
            recovered = [name for intent in sorted(self._intents().iterdir()) if (name := self._finish(intent))]
            self._tidy(live_runs(self._work))
            return recovered

    def _tidy(self, alive: Collection[str]) -> None:
        """Remove what dead runs left, here and in every copy that answers, then their marks."""
        kept: dict[str, Collection[str]] = {"scratch": (), "staging": alive, "runs": alive}
        for name, names in kept.items():
            durable.remove_others(self._disk, self._work / name, names)
        for store in self.vault.copies:
            with suppress(StorageError):
                store.tidy(alive)

    def _check_next(self, record: Record) -> None:
        if record.version == 1:
            return
        before = self.vault.records(record.uuid)[-1]
        if (before.version + 1, before.digest) != (record.version, record.previous):
            raise Conflict(record.aip, record.version)

    def _incomplete(self, blobs: BlobSizes, behind: set[str]) -> set[str]:
        """The copies where a blob of the version is not there; raise for the first copy."""
        incomplete = set()
        for store in self.vault.copies:
            if store.name in behind:
                continue
            try:
                _check_all(store, blobs)
            except StorageError:
                if store is self.vault.first:
                    raise
                incomplete.add(store.name)
        return incomplete

    def _declare(self, record: Record, event: Event) -> Path:
        """The intent: the entry to write and the ledger's size before it, so that recovery knows where to look."""
        target = self._intents() / f"{record.uuid}-v{record.version}"
        data = f"{self.vault.ledger.size()}\n".encode() + event.to_bytes()
        durable.publish(self._disk, target, data, self._work / "scratch", exclusive=False)
        return target

    def _spread(self, record: Record, away: set[str]) -> set[str]:
        """Write the record to the other copies; return those that failed."""
        failed = set()
        for store in self._others(away):
            try:
                _create_same(store, record)
            except StorageError:
                failed.add(store.name)
        return failed

    def _note(self, events: Sequence[Event]) -> tuple[int, set[str]]:
        entry = self.vault.ledger.append(events)
        failed = set()
        for store in self._others(set()):
            try:
                Ledger(store).follow(self.vault.ledger)
            except StorageError:
                failed.add(store.name)
        return entry, failed

    def _finish(self, intent: Path) -> str:
        """Write the entry that an intent promised if its record exists and has none; return which version, or ""."""
        size, _, data = intent.read_bytes().partition(b"\n")
        event = parse_event(data)
        name, _, version = intent.name.rpartition("-v")
        key = layout.record_key(UUID(name), int(version))
        recovered = ""
        with suppress(NotFound), self.vault.first.open(key) as stream:
            record = parse_record(stream.read(), key)
            if str(record.digest) == event.detail["record"] and not self._noted(int(size), data):
                self._spread(record, set())
                self._note([replace(event, detail={**event.detail, "recovered": True})])
                recovered = intent.name
        self._disk.unlink(str(intent))
        return recovered

    def _noted(self, size: int, data: bytes) -> bool:
        return any(entry == data for _, entry, _ in self.vault.ledger.read(size))

    def _others(self, away: set[str]) -> list[Store]:
        return [store for store in self.vault.copies[1:] if store.name not in away]

    def _intents(self) -> Path:
        return self._work / "intents"


def prepare_work(work: Path) -> None:
    """Make the folders for work in flight."""
    for name in ("intents", "runs", "scratch", "staging"):
        (work / name).mkdir(parents=True, exist_ok=True)


def _key(record: Record) -> str:
    return layout.record_key(record.uuid, record.version)


def _check_all(store: Opens, blobs: BlobSizes) -> None:
    for digest, size in blobs():
        key = layout.blob_key(digest)
        if store.size(key) != size:
            raise Damaged(f"{key} in {store.name}")


def _create_same(store: Store, record: Record) -> None:
    """Write a record that another copy has; one that is there already must be the same."""
    key = _key(record)
    try:
        store.create(key, record.to_bytes())
    except AlreadyThere:
        with store.open(key) as stream:
            if parse_record(stream.read(), key).digest != record.digest:
                raise Conflict(record.aip, record.version) from None
