"""Carrying a deletion out: intent → tombstone in the first copy → the other copies → one ledger entry → records go.

Call it under the commit lock. Once its tombstone is in the first copy an AIP is deleted, whatever happens next;
`finish` does what a crash left undone. Blobs are not touched: the sweep removes those that nothing needs any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from storage import tombstones
from storage.canonical import Json
from storage.errors import StorageError
from storage.event import Event
from storage.intent import Intent, deletion_name
from storage.intents import Intents
from storage.scribe import Scribe
from storage.store import Store
from storage.tombstone import Tombstone


def carry_out(scribe: Scribe, intents: Intents, tombstone: Tombstone, agent: str) -> frozenset[str]:
    """Delete an AIP; return the copies that keep its records, because they are away or give nothing up."""
    vault = scribe.vault
    event = _event(tombstone, agent)
    intent = intents.declare(deletion_name(tombstone.uuid), Intent(event, vault.ledger.size()))
    tombstones.lay(vault.first, tombstone)
    behind = _lay_in(vault.copies[1:], tombstone)
    scribe.write([_with_behind(event, behind)])
    behind |= _clear_in((store for store in vault.copies if store.name not in behind), tombstone.uuid)
    intents.forget(intent)
    return frozenset(behind)


def finish(scribe: Scribe, promised: Intent, aip: UUID) -> bool:
    """Do what is left of a deletion whose tombstone is there; return whether its entry was missing.

    Without its tombstone it was never begun. Raises BrokenRecord where the tombstone cannot be trusted.
    """
    vault = scribe.vault
    tombstone = tombstones.find([vault.first], aip)
    if tombstone is None or str(tombstone.digest) != promised.tombstone:
        return False
    tombstones.lay(vault.first, tombstone)
    behind = _lay_in(vault.copies[1:], tombstone)
    was_there = scribe.renewed(Intent(_with_behind(promised.event, behind), promised.size))
    _clear_in((store for store in vault.copies if store.name not in behind), aip)
    return not was_there


def _event(tombstone: Tombstone, agent: str) -> Event:
    detail: dict[str, Json] = {
        "request": tombstone.request, "tombstone": str(tombstone.digest), "accession": tombstone.accession,
        "why": tombstone.reason,
    }  # fmt: skip
    if tombstone.policy:
        detail["policy"] = tombstone.policy
    return Event(
        time=tombstone.deleted, type="deletion", agent=agent, object=tombstone.aip, outcome="success", detail=detail
    )


def _with_behind(event: Event, behind: Iterable[str]) -> Event:
    return replace(event, detail={**event.detail, "behind": sorted(behind)})


def _lay_in(stores: Iterable[Store], tombstone: Tombstone) -> set[str]:
    """Put the tombstone into copies; return those that did not take it."""
    failed = set()
    for store in stores:
        try:
            tombstones.lay(store, tombstone)
        except StorageError:
            failed.add(store.name)
    return failed


def _clear_in(stores: Iterable[Store], aip: UUID) -> set[str]:
    """Remove the records from copies; return those that keep them."""
    kept = set()
    for store in stores:
        try:
            if store.keeps_all:
                kept.add(store.name)
            else:
                tombstones.clear(store, aip)
        except StorageError:
            kept.add(store.name)
    return kept
