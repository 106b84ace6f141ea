"""The ledger's one writer: an entry goes to the first copy, and the others follow. Call it under the commit lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from storage import bundle
from storage.canonical import Json
from storage.digest import Digest, sha256
from storage.errors import StorageError
from storage.event import Event
from storage.intent import Intent
from storage.ledger import Ledger
from storage.store import Opens
from storage.vault import Vault


class Scribe:
    """Writes entries, and those again that a crash may have left not durable."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.remembers: Callable[[], tuple[str, Digest] | None] = lambda: None
        """Key and digest of the ledger's right-most bundle as somebody who has read it (the catalogue) remembers it."""

    def write(self, events: Sequence[Event]) -> tuple[int, frozenset[str]]:
        """Append entries; return the number of the first, and the copies that could not follow."""
        healed = self._heal_last_bundle(events[0])
        entry = self.vault.ledger.append([*events, *healed])
        failed = set()
        for store in self.vault.prompt[1:]:
            try:
                Ledger(store).follow(self.vault.ledger, most=2 * bundle.WIDTH)
            except StorageError:
                failed.add(store.name)
        return entry, frozenset(failed)

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
        source = next((store for store in self.vault.prompt[1:] if _is_whole(store, *remembered)), None)
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
