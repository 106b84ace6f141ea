"""The one commit point: intent → every blob is there → record → the other copies → one ledger entry.

Under one kernel lock, which the sweep takes too. A crash at any point leaves the old state or the new one; `recover`
finishes what an intent tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from storage import deletion, durable, layout
from storage.aip import Record, parse_record
from storage.digest import Digest
from storage.durable import DISK, Disk
from storage.errors import AlreadyThere, BlobGone, BrokenRecord, Conflict, Damaged, NotFound, StorageError
from storage.event import Event
from storage.intent import Intent, deleted_aip, intent_name, parse_intent, parse_name
from storage.intents import Intents
from storage.lock import locked, remove_dead
from storage.scribe import Scribe
from storage.seal import Seal
from storage.staging import lives
from storage.store import Opens, Store
from storage.tombstone import Tombstone
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
    """Writes records and ledger entries. `work` is the repository's folder for work in flight; `seal` signs."""

    def __init__(
        self, vault: Vault, work: Path, disk: Disk = DISK, patience: float = 60.0, seal: Seal | None = None
    ) -> None:
        self.vault = vault
        self.scribe, self.intents = Scribe(vault, seal), Intents(work, disk)
        self.work, self.disk, self._patience = work, disk, patience

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the commit lock; raise Locked after the committer's patience (seconds). What an interrupt cuts short is
        finished at once, as the next opening would."""
        with locked(self.work / "commit.lock", "the vault", self._patience):
            try:
                yield
            except KeyboardInterrupt:
                with suppress(StorageError, OSError):  # what cannot be finished now is for the next opening
                    self._finish_all()
                raise

    def commit(self, record: Record, event: Event, blobs: BlobSizes, behind: Iterable[str] = ()) -> Committed:
        """Make a version exist. All its blobs are durable in the first copy and in every other not in `behind`.

        Raises Conflict where another writer has made that version, Deleted where the AIP has a tombstone, BlobGone or
        Damaged where a blob is not there.
        """
        return self.commit_all([(record, event)], blobs, behind)[0]

    def commit_all(
        self, versions: Sequence[tuple[Record, Event]], blobs: BlobSizes, behind: Iterable[str] = ()
    ) -> list[Committed]:
        """Make several versions of one AIP exist, each following the one before it: once the first does, the others
        will, where a crash comes between them when the repository is opened next. `blobs` are those of all."""
        with self.lock():
            self._check_next(versions[0][0])
            away = {*behind, *self._incomplete(blobs, set(behind))}
            size = self.vault.ledger.size()
            intents = [
                self.intents.declare(intent_name(record), Intent(event, size, frozenset(away), record if n else None))
                for n, (record, event) in enumerate(versions)
            ]
            self._decide(versions[0][0], intents)
            done: list[Committed] = []
            for (record, event), intent in zip(versions, intents, strict=True):
                if done:
                    self._follow(record)
                done.append(self._make(record, event, intent, away))
            return done

    def _decide(self, record: Record, intents: Sequence[Path]) -> None:
        """Create the record that decides; where another writer was first, nothing was intended."""
        try:
            self.vault.first.create(record_key(record), record.to_bytes())
        except AlreadyThere as error:
            for intent in intents:
                self.intents.forget(intent)
            raise Conflict(record.aip, record.version) from error

    def _follow(self, record: Record) -> None:
        """Create a further record of several; what fails is made good when the repository is opened next."""
        try:
            self.vault.first.create(record_key(record), record.to_bytes())
        except StorageError as error:
            error.next = (
                f"Version {record.version - 1} of {record.aip} is kept all the same: do not run the command again. What"
                " follows it is made when the repository is opened next."
            )
            raise

    def _make(self, record: Record, event: Event, intent: Path, away: set[str]) -> Committed:
        """The rest of a commit whose record is in the first copy."""
        behind = away | self._spread(record, away)
        entry, late = self._enter(record, event)
        self.intents.forget(intent)
        return Committed(record, entry, frozenset(behind | late))

    def note(self, *events: Event) -> frozenset[str]:
        """Append entries to the ledger, durable on return; return the copies that could not follow."""
        with self.lock():
            return self.note_locked(*events)

    def note_locked(self, *events: Event) -> frozenset[str]:
        """The same for a caller that holds the lock, because its event depends on what is there."""
        return self.scribe.write(events)[1]

    def delete(self, tombstone: Tombstone, agent: str) -> frozenset[str]:
        """Delete an AIP, for a caller that holds the lock, because what it deletes depends on what is there; return the
        copies that keep its records. Raises Deleted where it has a tombstone."""
        if before := self.vault.tombstone(tombstone.uuid):
            raise before.as_error()
        return deletion.carry_out(self.scribe, self.intents, tombstone, agent)

    def recover(self) -> list[str]:
        """Finish what a crash cut short, and remove the scratch of dead runs; return what was recovered: AIP versions
        and deletions, by the names of their intents."""
        prepare_work(self.work)
        with self.lock():
            recovered = self._finish_all()
            self._tidy()
            return recovered

    def _finish_all(self) -> list[str]:
        recovered = [intent.name for intent in self.intents.left() if self._finish(intent)]
        self.scribe.settle()
        return recovered

    def _tidy(self) -> None:
        """Remove what dead runs left, here and in every copy that answers, and their marks."""
        at_work = partial(lives, self.work)
        durable.remove_leftovers(self.disk, self.work / "scratch", lambda _: False)
        if self.scribe.seal:
            self.scribe.seal.tidy()
        durable.remove_leftovers(self.disk, self.work / "staging", at_work)
        for store in self.vault.copies:
            with suppress(StorageError):
                store.tidy(at_work)
        remove_dead(self.work / "runs")

    def _check_next(self, record: Record) -> None:
        if tombstone := self.vault.tombstone(record.uuid):
            raise tombstone.as_error()
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

    def _spread(self, record: Record, away: set[str]) -> set[str]:
        """Write the record to the other copies; return those that failed."""
        failed = set()
        for store in self._others(away):
            try:
                create_same(store, record)
            except StorageError:
                failed.add(store.name)
        return failed

    def _enter(self, record: Record, event: Event) -> tuple[int, frozenset[str]]:
        """The commit's entry. The version exists by its record: where the entry fails, its intent stays."""
        try:
            return self.scribe.write([event])
        except StorageError as error:
            error.next = (
                f"Version {record.version} of {record.aip} is kept all the same: do not run the command again. What is"
                " missing of the ledger is written when the repository is opened next."
            )
            raise

    def _finish(self, intent: Path) -> bool:
        """Finish what an intent tells of; return whether there was something to finish.

        An intent, record or tombstone that cannot be read is left for a person, and stops nobody.
        """
        try:
            promised = parse_intent(intent.read_bytes())
            if aip := deleted_aip(intent.name):
                recovered = deletion.finish(self.scribe, promised, aip)
            else:
                recovered = self._finish_commit(promised, *parse_name(intent.name))
        except (ValueError, BrokenRecord):
            return False
        self.intents.forget(intent)
        return recovered

    def _finish_commit(self, promised: Intent, aip: UUID, version: int) -> bool:
        """Write the entry that was promised, if its record exists and has none; return whether it had none.

        What is there of record and entry is written again: whoever wrote it may have been killed before it was durable.
        """
        if self.vault.tombstone(aip):
            return False
        record = self._first_record(aip, version) or self._followed(promised.follows)
        if record is None or str(record.digest) != promised.record:
            return False
        self.vault.first.replace(record_key(record), record.to_bytes())
        self._spread(record, set(promised.away))
        return not self.scribe.renewed(promised)

    def _first_record(self, aip: UUID, version: int) -> Record | None:
        key = layout.record_key(aip, version)
        with suppress(NotFound), self.vault.first.open(key) as stream:
            return parse_record(stream.read(), key)
        return None

    def _followed(self, record: Record | None) -> Record | None:
        """The record that an intent holds, created, where the version that it follows exists."""
        before = self._first_record(record.uuid, record.version - 1) if record else None
        if record is None or before is None or before.digest != record.previous:
            return None
        self.vault.first.create(record_key(record), record.to_bytes())
        return record

    def _others(self, away: set[str]) -> list[Store]:
        return [store for store in self.vault.prompt[1:] if store.name not in away]


def prepare_work(work: Path) -> None:
    """Make the folders for work in flight."""
    for name in ("intents", "runs", "scratch", "staging"):
        (work / name).mkdir(parents=True, exist_ok=True)


def record_key(record: Record) -> str:
    return layout.record_key(record.uuid, record.version)


def check_all(store: Opens, blobs: BlobSizes) -> None:
    """Raise NotFound or Damaged where a blob is not in a copy with its size."""
    from storage.parallel import side_by_side

    def check(blob: tuple[Digest, int]) -> None:
        key = layout.blob_key(blob[0])
        try:
            if store.size(key) != blob[1]:
                raise Damaged(f"{key} in {store.name}")
        except NotFound as error:
            raise BlobGone(key, store.name) from error

    for _ in side_by_side(store.at_once, check, blobs()):
        pass


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
