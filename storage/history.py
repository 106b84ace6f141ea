"""Whether the ledger is still what it was: held against the newest checkpoint, remembered outside the vault."""

from __future__ import annotations

from contextlib import suppress

from storage import merkle
from storage.checkpoint import Checkpoint, parse_checkpoint
from storage.errors import HistoryChanged, MarkDamaged, StorageError
from storage.ledger import Ledger, read_checkpoint
from storage.seal import Seal
from storage.store import Store
from storage.vault import Vault


class History:
    """What of the copies' ledgers is to be believed: what is signed, or remembered, or was announced before."""

    def __init__(self, vault: Vault, seal: Seal) -> None:
        self.vault, self.seal = vault, seal
        vault.ledger.vouched, vault.ledger.signed = self.vouched, self.signed

    def check(self) -> Checkpoint | None:
        """The newest checkpoint that is known, whose entries are all there; None where there is none.

        Raises HistoryChanged where some are missing, or the first copy has further ones that nobody here has written.
        """
        known, size, first = self._known(), self.vault.ledger.size(), self.vault.first
        if known and size < known.size:
            raise HistoryChanged(f"it has {size} entries, and had {known.size}")
        if (there := Ledger(first).size_of_bundles()) > size:
            strange = f"it goes on with {there - size} entries that this repository has not written"
            raise HistoryChanged(f"in {first.name} {strange}")
        return known

    def prove(self) -> Checkpoint | None:
        """As `check`; raise HistoryChanged also where the tree is another than the checkpoint's."""
        if known := self.check():
            self.vault.ledger.prove(known)
        return known

    def _known(self) -> Checkpoint | None:
        """The mark; or a later checkpoint of the first copy, where it goes on from there."""
        mark = self.seal.mark()
        if mark and self._claimed(self.vault.first) <= mark[0].size:
            return mark[0]  # whoever has signed the other: it says nothing more
        there = self._of(self.vault.first)
        if there is None:
            return mark[0] if mark else None
        if mark:
            self.vault.ledger.prove(mark[0])
            return there
        with suppress(HistoryChanged):  # nothing outside the vault is against it
            self.vault.ledger.prove(there)
            return there
        return None

    def vouched(self, store: Store, count: int) -> int:
        """How many of the entries that a copy has are to be believed; all where nothing is remembered, or what is
        cannot be read: then reading goes on, and whatever would write is stopped by `check`."""
        mark = None
        with suppress(MarkDamaged):
            mark = self.seal.mark()
        if mark is None or count <= mark[0].size:
            return count
        known = max(mark[0].size, self.signed(store) or 0)
        if known < count and store is self.vault.first:
            known += self._announced(store, known, count)
        return min(known, count)

    def _announced(self, store: Store, known: int, count: int) -> int:
        """How many of the further entries were announced here before they were written."""
        leaves, found = self.seal.announced(known), 0
        with suppress(StorageError):
            for number, raw, _ in Ledger(store).read(known, min(count, known + len(leaves))):
                if merkle.leaf(raw) != leaves[number - known]:
                    break
                found += 1
        return found

    def signed(self, store: Store) -> int | None:
        """How many entries a copy's own checkpoint covers; None where it has none of this repository's."""
        found = self._of(store)
        return found.size if found else None

    def _claimed(self, store: Store) -> int:
        """How many entries a copy's own checkpoint is about, whoever has signed it; 0 where it has none."""
        with suppress(StorageError, ValueError):
            return parse_checkpoint(read_checkpoint(store))[0].size
        return 0

    def _of(self, store: Store) -> Checkpoint | None:
        with suppress(StorageError, ValueError):
            found, note = parse_checkpoint(read_checkpoint(store))
            if any(key.has_signed(note) and found.origin == key.name for key in self.seal.known()):
                return found
        return None
