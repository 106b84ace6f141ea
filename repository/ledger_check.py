"""Whether the ledger is what it always was: every copy's entries against tiles, checkpoints, keys and records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from repository import ledger_records
from repository.ledger_records import Numbered
from repository.ledger_scan import DAMAGE, INCOMPLETE, INFO, LedgerFault, Scanned, scan
from repository.words import counted
from storage import bundle, key_entries, layout
from storage.aip import SKEW, stamp
from storage.checkpoint import Checkpoint, parse_checkpoint
from storage.errors import StorageError, Unreachable
from storage.key_entries import KeyTold
from storage.ledger import Ledger, read_checkpoint
from storage.seal import Seal, is_signed
from storage.signed_note import Note
from storage.store import Store
from storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of it: entries and root (in hexadecimal) of the ledger, how many checkpoints were held against it."""

    entries: int
    root: str
    checkpoints: int
    findings: Sequence[LedgerFault]

    @property
    def valid(self) -> bool:
        """Whether nothing was found that must not be."""
        return not any(fault.weight == DAMAGE for fault in self.findings)

    @property
    def complete(self) -> bool:
        """Whether all could be held against a signed checkpoint, in every copy."""
        return not any(fault.weight != INFO for fault in self.findings)


@dataclass
class Verification:
    """Reads everything; changes nothing."""

    vault: Vault
    seal: Seal

    def carry_out(self) -> Verified:
        """Raises Unreachable for the first copy, and Damaged for entries that no copy has whole."""
        self.faults: list[LedgerFault] = []
        mark, kept = self._mark(), self.seal.kept()
        self.events = list(self._read())
        sizes = {one.size for _, one, _ in kept} | ({mark[0].size} if mark else set()) | set(self._sizes())
        scans = self._scans(sizes)
        first = self._true(scans, mark[0] if mark else None)
        self._compare(scans, first)
        keys = self._keys()
        if mark:
            self._check_newest(mark, keys, scans[first])
        for day, one, note in kept:
            self._check_kept(day, one, note, keys, scans[first])
        for store in self.vault.copies:
            self._check_copys(store, scans.get(store.name), mark, scans[first])
        self.faults += ledger_records.compare(self.vault, self.events)
        self._tell_promotions()
        self._tell_recovered()
        true = scans[first]
        return Verified(true.size, true.roots[true.size].hex(), len(kept) + bool(mark), self.faults)

    def _add(self, code: str, what: str, copy: str = "", weight: str = DAMAGE) -> None:
        self.faults.append(LedgerFault(code, what, copy, weight))

    def _read(self) -> Iterator[Numbered]:
        """What tells of versions, copies and keys; on the way, where the clock was set back."""
        before = None
        for number, _, event in self.vault.ledger.read():
            if event.type in _DATED and (time := _moment(event.time)):
                if before and before[1] - time > SKEW:
                    what = f"entry {number} is of {event.time}, entry {before[0]} before it of {stamp(before[1])}"
                    self._add("clock-went-back", what, weight=INFO)
                before = number, time
            if event.type in _TOLD:
                yield number, event

    def _mark(self) -> tuple[Checkpoint, Note] | None:
        """The newest checkpoint, as it is remembered outside the vault."""
        try:
            found = self.seal.mark()
        except StorageError:
            self._add("mark-damaged", f"{self.seal.folder}/checkpoint, which remembers the newest, cannot be read")
            return None
        if not found:
            self._add("nothing-remembered", "no checkpoint is remembered outside the vault", weight=INCOMPLETE)
            return None
        return found[0], parse_checkpoint(found[1])[1] if is_signed(found[1]) else Note(found[0].text)

    def _sizes(self) -> Iterator[int]:
        for store in self.vault.copies:
            with suppress(StorageError):
                size = Ledger(store).size()
                yield self.vault.ledger.vouched(store, size)

    def _scans(self, sizes: set[int]) -> dict[str, Scanned]:
        scans = {}
        for store in self.vault.copies:
            try:
                scans[store.name] = scan(store, self.vault, sizes)
            except Unreachable as error:
                if store is self.vault.first:
                    raise
                self._add("copy-away", str(error), store.name, INCOMPLETE)
        return scans

    def _true(self, scans: Mapping[str, Scanned], mark: Checkpoint | None) -> str:
        """The first copy whose entries are those of the newest checkpoint; else the one that has most."""
        if mark:
            for name, one in scans.items():
                if one.roots.get(mark.size) == mark.root:
                    return name
            most = max(one.size for one in scans.values())
            why = f"it has {most}" if most < mark.size else "no copy has them"
            self._add("history-changed", f"the newest checkpoint is of {mark.size} entries: {why}")
        return max(scans, key=lambda name: scans[name].size)

    def _compare(self, scans: Mapping[str, Scanned], true: str) -> None:
        """The copies with the one that is right."""
        right = scans[true]
        for store in self.vault.copies:
            if (one := scans.get(store.name)) is None:
                continue
            is_right = right.roots.get(one.size) == one.roots[one.size]
            self.faults += [fault for fault in one.faults if is_right or fault.code != "tile-altered"]
            if one.size < right.size:
                self._add("ledger-behind", f"it has {one.size} of {right.size} entries", store.name, INCOMPLETE)
            if is_right:
                continue
            if Ledger(store).is_forked_from(self.vault.ledger.alone(self._named(true))):
                self._add("history-parted", f"it tells of another history than {true}", store.name)
                continue
            whole = min(one.size, right.size) // bundle.WIDTH
            wrong = [n for n in range(whole) if one.bundles[n] != right.bundles[n]]
            for number in wrong or [whole]:
                self._add("entries-altered", f"bundle {number} has other entries than in {true}", store.name)

    def _named(self, name: str) -> Store:
        return next(store for store in self.vault.copies if store.name == name)

    def _keys(self) -> list[KeyTold]:
        told = list(key_entries.told(self.events))
        for one in told:
            if one.wrong:
                self._add("key-not-believed", f"entry {one.entry} tells of a key: {one.wrong}")
            if one.how == key_entries.LOST and not one.wrong:
                what = f"from entry {one.entry} on another key signs: the one before was lost"
                self._add("key-was-lost", what, weight=INFO)
        if not told:
            self._add("no-key", "the ledger tells of no key that signs it", weight=INCOMPLETE)
        return [one for one in told if not one.wrong]

    def _check_newest(self, mark: tuple[Checkpoint, Note], keys: Sequence[KeyTold], true: Scanned) -> None:
        newest, note = mark
        if not note.signatures:
            what = "the newest entries are covered by no signed checkpoint: the key that signs is not there"
            self._add("key-away", what, weight=INCOMPLETE)
        elif not _is_signed(newest, note, keys):
            self._add("signature-wrong", "the checkpoint that is remembered is not signed by this ledger's key")
        if true.size > newest.size:
            what = f"{true.size - newest.size} entries are newer than the newest checkpoint"
            self._add("entries-uncovered", what, weight=INCOMPLETE)

    def _check_kept(self, day: str, one: Checkpoint, note: Note, keys: Sequence[KeyTold], true: Scanned) -> None:
        if not _is_signed(one, note, keys):
            self._add("signature-wrong", f"the checkpoint kept on {day} is not signed by this ledger's key")
        elif true.roots.get(one.size) != one.root:
            self._add("checkpoint-inconsistent", f"the ledger does not go on from the checkpoint kept on {day}")

    def _check_copys(
        self, store: Store, mine: Scanned | None, mark: tuple[Checkpoint, Note] | None, true: Scanned
    ) -> None:
        """A copy's own checkpoint: the newest, or where the copy is behind, one that the ledger goes on from."""
        if mine is None or mark is None or not mark[1].signatures:
            return
        try:
            found, note = parse_checkpoint(read_checkpoint(store))
        except StorageError:
            self._add("checkpoint-missing", f"{layout.CHECKPOINT} is not there", store.name)
            return
        except ValueError:
            self._add("checkpoint-altered", f"{layout.CHECKPOINT} is none", store.name)
            return
        known = self.seal.known()
        if not any(key.has_signed(note) for key in known):
            self._add("checkpoint-altered", f"{layout.CHECKPOINT} is not signed by this ledger's key", store.name)
        elif found != mark[0] and mine.size == true.size:
            self._add("checkpoint-altered", f"{layout.CHECKPOINT} is not the newest one", store.name)

    def _tell_promotions(self) -> None:
        for number, event in self.events:
            if event.type == "configuration" and event.outcome == "promoted" and event.detail.get("entries"):
                gone = event.detail["entries"]
                what = f"entry {number}: {event.object} was made the first copy, without {gone} entries that were there"
                self._add("entries-given-up", what, event.object, INFO)

    def _tell_recovered(self) -> None:
        found = [number for number, event in self.events if event.type == "commit" and "why" in event.detail]
        if found:
            told = counted(len(found), "version")
            what = f"from entry {found[0]} on {told} entered by hand: the entries of their own were lost"
            self._add("versions-recovered", what, weight=INFO)


_DATED = ("accession", "audit", "job")
"""Entries that have the time at which they were written."""
_TOLD = ("founding", "key", "commit", "deletion", "configuration")


def _moment(text: str) -> datetime | None:
    """The time of an entry; None where it is none, as in one that somebody has edited."""
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else None
    return None


def _is_signed(one: Checkpoint, note: Note, keys: Sequence[KeyTold]) -> bool:
    """Whether a checkpoint is by the key that the ledger told of when it had so many entries, or by the next one."""
    told = [known.key for known in keys if known.entry < one.size]
    return any(key.has_signed(note) and one.origin == key.name for key in told[-2:])
