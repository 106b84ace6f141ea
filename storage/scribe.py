"""The ledger's one writer: an entry goes to the first copy with tiles and a signed checkpoint, and the others follow.
Call it under the commit lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from storage import bundle, layout, merkle
from storage.away import why_away
from storage.canonical import Json
from storage.checkpoint import Checkpoint
from storage.digest import Digest, sha256
from storage.errors import StorageError, Unreachable
from storage.event import Event
from storage.history import History
from storage.intent import Intent
from storage.key_entries import INTRODUCED, key_event
from storage.ledger import Grown, Ledger
from storage.seal import Seal
from storage.signed_note import Note, SigningKey
from storage.store import Opens
from storage.vault import Vault

_FEW = 2 * bundle.WIDTH  # entries that a copy takes over in passing


class Scribe:
    """Writes entries, and those again that a crash may have left not durable. Without a `seal` nothing is signed."""

    def __init__(self, vault: Vault, seal: Seal | None = None) -> None:
        self.vault, self.seal = vault, seal
        self.history = History(vault, seal) if seal else None
        self.unsigned = False  # whether an entry was written that no key was there to sign
        self.remembers: Callable[[], tuple[str, Digest] | None] = lambda: None
        """Key and digest of the ledger's right-most bundle as somebody who has read it (the catalogue) remembers it."""
        self.beside: Callable[[], Sequence[Opens]] = tuple
        """Who else may have that bundle right, where no copy has."""

    def write(self, events: Sequence[Event], keys: Sequence[SigningKey] = ()) -> tuple[int, frozenset[str]]:
        """Append entries; return the number of the first, and the copies that could not follow. The checkpoint is
        signed by the repository's key, or by those that are given.

        Raises HistoryChanged where the ledger is not what it was: then nothing is written.
        """
        trusted = self.history.check() if self.history else None
        healed = self._heal_last_bundle(events[0])
        added = [*events, *healed, *self._introduced(events[0])]
        if not self.seal:
            return self.vault.ledger.append(added), self._follow()
        if not trusted and self.seal.key():  # what is signed first is read in full
            trusted = Checkpoint("", 0, merkle.EMPTY)
        grown = self.vault.ledger.add(added, trusted, self.seal.announce)
        return grown.first, self._sign(self.seal, grown, keys, events[0].time)

    def settle(self) -> None:
        """Finish what a crash cut short between entries and checkpoint; raise HistoryChanged."""
        if not self.history or not self.seal or not (mark := self.seal.mark()):
            return
        trusted, size = self.history.check(), self.vault.ledger.size()
        if size > mark[0].size:
            self.vault.ledger.renew()
            grown = self.vault.ledger.add([], trusted)
            [(_, _, last)] = self.vault.ledger.read(size - 1, size)
            self._sign(self.seal, grown, (), last.time)

    def renewed(self, promised: Intent) -> bool:
        """Whether a promised entry was in the ledger already; it is there when this returns, marked recovered where it
        was not."""
        entries = self.vault.ledger.read(promised.size)
        if not any(event.type == promised.event.type and promised.is_about(event) for _, _, event in entries):
            self.write([replace(promised.event, detail={**promised.event.detail, "recovered": True})])
            return False
        self.vault.ledger.renew()
        for store in self.vault.prompt[1:]:
            with suppress(StorageError):
                Ledger(store).follow(self.vault.ledger)
                Ledger(store).renew()
        return True

    def _sign(self, seal: Seal, grown: Grown, keys: Sequence[SigningKey], time: str) -> frozenset[str]:
        """The checkpoint of what was appended, in every copy, and as the mark; without a key as the mark alone."""
        signing = keys or list(filter(None, [seal.key()]))
        note = Note(Checkpoint(signing[0].name if signing else seal.origin, grown.size, grown.root).text)
        sealed = note.signed(*signing).to_bytes()
        self.unsigned = not signing
        if signing:
            self.vault.first.replace(layout.CHECKPOINT, sealed)
        failed = self._follow()
        seal.remember(sealed, time[:10])
        return failed

    def _follow(self) -> frozenset[str]:
        failed = set()
        for store in self.vault.prompt[1:]:
            try:
                if why := why_away(store):  # never begin a ledger where a disk was unmounted meanwhile
                    raise Unreachable(store.name, why)
                Ledger(store).follow(self.vault.ledger, most=_FEW)
            except StorageError:
                failed.add(store.name)
        return frozenset(failed)

    def _introduced(self, event: Event) -> list[Event]:
        """The entry of a key, for a ledger that has come to this without one."""
        if not self.seal or self.seal.newest() or event.type in ("founding", "key"):
            return []
        key = self.seal.make()
        return [key_event(self.seal.vault, event.time, event.agent, INTRODUCED, [key], None)]

    def _heal_last_bundle(self, event: Event) -> list[Event]:
        """An append writes the right-most bundle anew, in every copy: where the first copy's is not the one remembered
        and another's is, that one is taken first; return the entry that tells of it."""
        remembered = self.remembers()
        if (
            remembered is None
            or remembered[0] != self.vault.ledger.last_key()
            or _is_whole(self.vault.first, *remembered)
        ):
            return []
        sources = (*self.vault.prompt[1:], *self.beside())
        source = next((store for store in sources if _is_whole(store, *remembered)), None)
        if source is None:
            return []
        key = remembered[0]
        with source.open(key) as stream:
            self.vault.first.replace(key, stream.read())
        detail: dict[str, Json] = {"repaired": [key], "from": [source.name]}
        return [replace(event, type="repair", object=self.vault.first.name, outcome="success", detail=detail)]


def _is_whole(store: Opens, key: str, digest: Digest) -> bool:
    try:
        with store.open(key) as stream:
            return sha256(stream.read()) == digest
    except (StorageError, OSError):
        return False
