"""Catch-up: one copy is brought up to what the others have, by comparing listings and never by asking a catalogue.

Tombstones come first, then what every copy has, blobs, the records whose blobs are all there, and the ledger. Each
batch is durable before the next begins, so that a run that is killed goes on from there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from uuid import UUID

from storage import durable, founding, lacking, layout, tombstones
from storage.aip import Record
from storage.away import answers
from storage.carry import Sized, carry
from storage.commit import Committer, create_same
from storage.digest import Digest
from storage.errors import Conflict, NotFound, StorageError
from storage.ledger import Ledger
from storage.parallel import Workers, in_order
from storage.portions import portions
from storage.progress import SILENT, Progress
from storage.receive import Received, reads_as
from storage.references import References, gather
from storage.spool import Spool
from storage.staging import running
from storage.store import Opens, Store
from storage.vault import Vault

_NOWHERE = "No copy that answers has it whole."


@dataclass(slots=True)
class Replicated:
    """What came of it: how many keys and bytes were copied, and the keys that the copy still lacks, with the reason."""

    copy: str
    copied: int = 0
    size: int = 0
    behind: dict[str, str] = field(default_factory=dict)

    def add(self, keys: int, size: int) -> None:
        self.copied, self.size = self.copied + keys, self.size + size


@dataclass
class Replication:
    """Brings `target` up to the other copies. `work` is the repository's folder for work in flight."""

    committer: Committer
    target: Store
    work: Path
    run: str
    workers: Workers
    progress: Progress = SILENT

    def __post_init__(self) -> None:
        self.copies = self.committer.vault.copies
        self.others = [store for store in self.copies if store is not self.target and answers(store)]
        self.result = Replicated(self.target.name)

    def carry_out(self) -> Replicated:
        """Raises Unreachable, NoRoom or SyncFailed for the copy, Diverged for its ledger; what it has by then stays."""
        if not self.others:
            return self.result
        self.sources = Vault([*self.others, self.target])  # what it has itself may be the last that is whole
        scratch = self.work / "staging" / self.run
        with ExitStack() as stack:
            stack.enter_context(running(self.run, self.work))
            durable.make_folders(durable.DISK, scratch)
            stack.callback(durable.remove_tree, durable.DISK, scratch)
            self.references = stack.enter_context(closing(References(scratch / "references.db")))
            self.written = stack.enter_context(closing(References(scratch / "written.db")))
            self.held = stack.enter_context(closing(References(scratch / "held.db")))
            gone = self._bury()
            self._fixed()
            gather(self.references, self.committer.vault, gone, self._unreadable)
            self._blobs()
            self._records(gone)
            self._ledger()
        return self.result

    def _bury(self) -> Set[UUID]:
        """Bring tombstones over, and remove the records under any."""
        with self.committer.lock():
            gone = self.committer.vault.buried()
            for tombstone in tombstones.catch_up(self.target, self.copies, gone):
                self.result.add(1, len(tombstone.to_bytes()))
        return gone

    def _fixed(self) -> None:
        """README.txt, restore.py and tianyi-vault.json, where they are missing."""
        if not (missing := [key for key in layout.FIXED if not _has(self.target, key)]):
            return
        known = founding.known_files(self.sources)
        with self.committer.lock():
            for key in missing:
                self.target.replace(key, known[key])
                self.result.add(1, len(known[key]))

    def _unreadable(self, error: StorageError) -> None:
        """What no copy has whole: what it refers to is not known, so that nobody can say that this copy has it."""
        self.result.behind[str(getattr(error, "key", "") or getattr(error, "what", "") or error)] = str(error)

    def _blobs(self) -> None:
        """Whatever the vault refers to and the target's listing lacks."""
        wanted = Spool(self._missing())
        size = sum(octets for _, octets in wanted)
        self.progress.begin(f"Copying to {self.target.name}", len(wanted), size)
        self._carry(wanted, len(wanted), size)
        self.progress.end()
        for digest, _ in wanted if len(self.written) < len(wanted) else ():
            if (key := layout.blob_key(digest)) not in self.written:
                self.result.behind[key] = _NOWHERE

    def _missing(self) -> Iterator[Sized]:
        for key in lacking.missing(self.target.listing(layout.BLOBS), self.references):
            digest = layout.blob_digest(key)
            assert digest is not None  # references gives nothing else
            try:
                yield digest, self.sources.first_size(key)
            except StorageError:
                self.result.behind[key] = _NOWHERE

    def _carry(self, wanted: Iterable[Sized], files: int, size: int) -> None:
        if files:
            with self.workers(files, size) as executor:
                carry(wanted, self.sources.copies, self.target, f"{self.run}-blobs", self.work, executor, self._done)

    def _done(self, carried: Sequence[Received]) -> None:
        size = sum(blob.size for blob in carried)
        self.written.add(blob.digest for blob in carried)
        self.result.add(len(carried), size)
        self.progress.advance(len(carried), size)

    def _records(self, gone: Collection[UUID]) -> None:
        missing = lacking.records(self.target, self.others, gone)
        if (first := next(missing, None)) is None:
            return
        gather(self.held, Vault([self.target]), gone, lambda error: None)
        for _, versions in groupby(chain([first], missing), key=lambda name: name[0]):
            for aip, version in sorted(versions):
                try:
                    self._record(self.sources.record(aip, version))
                except StorageError as error:
                    self.result.behind[layout.record_key(aip, version)] = str(error)

    def _record(self, record: Record) -> None:
        """A version becomes one of this copy's when its blobs are all there, and it goes on from the one before it."""
        if record.version > 1 and self.sources.record(record.uuid, record.version - 1).digest != record.previous:
            raise Conflict(record.aip, record.version)
        self._make_whole(record)
        with self.committer.lock():
            if not tombstones.is_buried(self.copies, record.uuid):
                create_same(self.target, record)
                self.result.add(1, len(record.to_bytes()))

    def _make_whole(self, record: Record) -> None:
        """What lay in the copy before is written again, unless one of its own records refers to it: a run that was
        killed, or whose sync failed, may have left it, and then it reads and is not durable. The rest is read."""
        if next(self._old(record), None) is None:
            return
        unheld = (digest for digest in self._old(record) if layout.blob_key(digest) not in self.held)
        if (one := next(unheld, None)) is not None:
            sized = ((digest, self.sources.size(digest)) for digest in chain([one], unheld))
            self._carry(sized, record.files, record.size)
        old = portions(self._old(record), 500)
        if (first := next(old, None)) is None:
            return
        with self.workers(record.files, record.size) as executor:
            for bad in in_order(executor, partial(_bad, self.target), chain([first], old)):
                self._carry(((digest, self.sources.size(digest)) for digest in bad), len(bad), 0)
                if lost := next((digest for digest in bad if layout.blob_key(digest) not in self.written), None):
                    raise NotFound(f"{layout.blob_key(lost)} in its right form", "any copy")

    def _old(self, record: Record) -> Iterator[Digest]:
        """The blobs of a version that this run has not written."""
        bag = self.sources.bag(record)
        return (line.digest for line in bag if layout.blob_key(line.digest) not in self.written)

    def _ledger(self) -> None:
        """Most of it outside the lock: full bundles do not change. Histories that went apart stay as they are, for a
        person; what they tell of is brought over all the same."""
        ledger = self.committer.vault.ledger
        first = ledger.alone(self.committer.vault.first)
        same = [store for store in self.others if not ledger.alone(store).is_forked_from(first)]
        ours = Ledger(self.target)
        ours.check_same(first)
        if not same:
            return
        leader = ledger.alone(*same)
        for number in list(lacking.bundles(self.target, same)):
            with self.committer.lock():
                ours.fill(leader, number)
            self.result.add(1, 0)
        with self.committer.lock():
            ours.follow(leader)
            self.result.add(ours.complete(), 0)


def _bad(store: Opens, digests: Sequence[Digest]) -> list[Digest]:
    """A chunk of blobs read again, for a worker: those that are not whole."""
    return [digest for digest in digests if not reads_as(store, digest)]


def _has(store: Opens, key: str) -> bool:
    try:
        return store.size(key) > 0
    except NotFound:
        return False
