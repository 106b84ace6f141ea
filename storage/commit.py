"""The one commit point: intent → every blob is there → record → the other copies → one ledger entry.

Under one kernel lock, which the sweep takes too. A crash at any point leaves the old state or the new one; `recover`
finishes what an intent tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import UUID

from storage import bundle, durable, layout
from storage.aip import Record, parse_record
from storage.canonical import Json
from storage.digest import Digest, sha256
from storage.durable import DISK, Disk, told
from storage.errors import AlreadyThere, BrokenRecord, Conflict, Damaged, NotFound, StorageError
from storage.event import Event
from storage.intent import Intent, intent_name, parse_intent, parse_name
from storage.ledger import Ledger
from storage.lock import locked, remove_dead
from storage.staging import lives
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
        self._folders = durable.Folders(work.parent)
        self.remembers: Callable[[], tuple[str, Digest] | None] = lambda: None
        """Key and digest of the ledger's right-most bundle as somebody who has read it (the catalogue) remembers it."""

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
            intent = self._declare(record, Intent(event, self.vault.ledger.size(), frozenset(away)))
            try:
                self.vault.first.create(record_key(record), record.to_bytes())
            except AlreadyThere as error:
                self._forget(intent)
                raise Conflict(record.aip, record.version) from error
            away |= self._spread(record, away)
            entry, late = self._enter(record, event)
            self._forget(intent)
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
        prepare_work(self._work)
        with self.lock():
            recovered = [name for intent in sorted(self._intents().iterdir()) if (name := self._finish(intent))]
            self._tidy()
            return recovered

    def _tidy(self) -> None:
        """Remove what dead runs left, here and in every copy that answers, and their marks."""
        at_work = partial(lives, self._work)
        durable.remove_leftovers(self._disk, self._work / "scratch", lambda _: False)
        durable.remove_leftovers(self._disk, self._work / "staging", at_work)
        for store in self.vault.copies:
            with suppress(StorageError):
                store.tidy(at_work)
        remove_dead(self._work / "runs")

    def _check_next(self, record: Record) -> None:
        if record.version == 1:
            return
        before = self.vault.records(record.uuid)[-1]
        if (before.version + 1, before.digest) != (record.version, record.previous):
            raise Conflict(record.aip, record.version)

    def _incomplete(self, blobs: BlobSizes, behind: set[str]) -> set[str]:
        """The copies where a blob of the version is not there; raise for the first copy."""
        incomplete = set()
        for store in self.vault.prompt:
            if store.name in behind:
                continue
            try:
                check_all(store, blobs)
            except StorageError:
                if store is self.vault.first:
                    raise
                incomplete.add(store.name)
        return incomplete

    def _declare(self, record: Record, intent: Intent) -> Path:
        target = self._intents() / intent_name(record)
        with told(str(self._work)):
            durable.publish(
                self._disk, target, intent.to_bytes(), self._work / "scratch", exclusive=False, folders=self._folders
            )
        return target

    def _spread(self, record: Record, away: set[str]) -> set[str]:
        """Write the record to the other copies; return those that failed."""
        failed = set()
        for store in self._others(away):
            try:
                create_same(store, record)
            except StorageError:
                failed.add(store.name)
        return failed

    def _enter(self, record: Record, event: Event) -> tuple[int, set[str]]:
        """The commit's entry. The version exists by its record: where the entry fails, its intent stays."""
        try:
            return self._note([event])
        except StorageError as error:
            error.next = (
                f"Version {record.version} of {record.aip} is kept all the same: do not run the command again. What is"
                " missing of the ledger is written when the repository is opened next."
            )
            raise

    def _note(self, events: Sequence[Event]) -> tuple[int, set[str]]:
        healed = self._heal_last_bundle(events[0])
        entry = self.vault.ledger.append([*events, *healed])
        failed = set()
        for store in self._others(set()):
            try:
                Ledger(store).follow(self.vault.ledger, most=2 * bundle.WIDTH)
            except StorageError:
                failed.add(store.name)
        return entry, failed

    def _heal_last_bundle(self, event: Event) -> list[Event]:
        """An append writes the right-most bundle anew, in every copy: where the first copy's is not the one remembered
        and another copy's is, that one is taken first; return the entry that tells of it."""
        remembered = self.remembers()
        if (
            remembered is None
            or remembered[0] != self.vault.ledger.last_key()
            or _is_whole(self.vault.first, *remembered)
        ):
            return []
        source = next((store for store in self._others(set()) if _is_whole(store, *remembered)), None)
        if source is None:
            return []
        key = remembered[0]
        with source.open(key) as stream:
            self.vault.first.replace(key, stream.read())
        detail: dict[str, Json] = {"repaired": [key], "from": [source.name]}
        return [replace(event, type="repair", object=self.vault.first.name, outcome="success", detail=detail)]

    def _finish(self, intent: Path) -> str:
        """Write the entry that an intent promised if its record exists and has none; return which version, or "".

        What is there of record and entry is written again: whoever wrote it may have been killed before it was
        durable. An intent or record that cannot be read is left for a person, and stops nobody.
        """
        try:
            promised = parse_intent(intent.read_bytes())
            record = self._first_record(*parse_name(intent.name))
        except (ValueError, BrokenRecord):
            return ""
        recovered = ""
        if record and str(record.digest) == promised.record:
            self.vault.first.replace(record_key(record), record.to_bytes())
            self._spread(record, set(promised.away))
            recovered = "" if self._renewed(promised) else intent.name
        self._forget(intent)
        return recovered

    def _first_record(self, aip: UUID, version: int) -> Record | None:
        key = layout.record_key(aip, version)
        with suppress(NotFound), self.vault.first.open(key) as stream:
            return parse_record(stream.read(), key)
        return None

    def _renewed(self, promised: Intent) -> bool:
        """Whether the promised entry was in the ledger already; it is there when this returns."""
        entries = self.vault.ledger.read(promised.size)
        if not any(event.detail.get("record") == promised.record for _, _, event in entries):
            self._note([replace(promised.event, detail={**promised.event.detail, "recovered": True})])
            return False
        self.vault.ledger.renew()
        for store in self._others(set()):
            with suppress(StorageError):
                Ledger(store).follow(self.vault.ledger)
                Ledger(store).renew()
        return True

    def _forget(self, intent: Path) -> None:
        with suppress(OSError):  # it is looked into again when the repository is opened
            self._disk.unlink(str(intent))

    def _others(self, away: set[str]) -> list[Store]:
        return [store for store in self.vault.prompt[1:] if store.name not in away]

    def _intents(self) -> Path:
        return self._work / "intents"


def _is_whole(store: Opens, key: str, digest: Digest) -> bool:
    try:
        with store.open(key) as stream:
            return sha256(stream.read()) == digest
    except (StorageError, OSError):
        return False


def prepare_work(work: Path) -> None:
    """Make the folders for work in flight."""
    for name in ("intents", "runs", "scratch", "staging"):
        (work / name).mkdir(parents=True, exist_ok=True)


def record_key(record: Record) -> str:
    return layout.record_key(record.uuid, record.version)


def check_all(store: Opens, blobs: BlobSizes) -> None:
    """Raise NotFound or Damaged where a blob is not in a copy with its size."""
    for digest, size in blobs():
        key = layout.blob_key(digest)
        if store.size(key) != size:
            raise Damaged(f"{key} in {store.name}")


def create_same(store: Store, record: Record) -> None:
    """Write a record that another copy has; one that is there already must be the same, and is made durable."""
    key = record_key(record)
    try:
        store.create(key, record.to_bytes())
    except AlreadyThere:
        with store.open(key) as stream:
            if parse_record(stream.read(), key).digest != record.digest:
                raise Conflict(record.aip, record.version) from None
        store.replace(key, record.to_bytes())
