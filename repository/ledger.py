"""The ledger of a repository, opened: which key signs, and whether its history is what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

from repository.catalogue import Catalogue
from storage import key_entries
from storage.commit import Committer
from storage.errors import HistoryChanged, KeyLost, KeyThere, MarkDamaged, StorageError
from storage.event import Event, parse_event
from storage.key_entries import LOST, ROTATED, key_event
from storage.scribe import Scribe
from storage.seal import KEY, NEXT
from storage.signed_note import VerifierKey
from storage.vault import Vault

_KEYS = "select entry, raw from events where type in ('founding', 'key') order by entry"


def newest_key(catalogue: Catalogue, vault: Vault) -> VerifierKey | None:
    """The key that signs, as the ledger tells; None where it tells of none."""
    return key_entries.newest(chain(_known(catalogue), _later(catalogue, vault)))


def keys_told(catalogue: Catalogue) -> list[VerifierKey]:
    """The keys that the ledger has told of, as far as the catalogue knows it."""
    return [one.key for one in key_entries.told(_known(catalogue)) if not one.wrong]


def _known(catalogue: Catalogue) -> Iterator[tuple[int, Event]]:
    return ((row["entry"], parse_event(row["raw"])) for row in catalogue.rows(_KEYS))


def _later(catalogue: Catalogue, vault: Vault) -> Iterator[tuple[int, Event]]:
    """What other processes have appended meanwhile."""
    for number, _, event in vault.ledger.read(catalogue.position):
        yield number, event


def changed(committer: Committer) -> HistoryChanged | MarkDamaged | None:
    """Why the ledger is not what it was, or cannot be held against what is remembered; None where all is well. Who
    appends meanwhile is waited for before it is said."""
    history = committer.scribe.history
    assert history is not None  # a repository has keys, or would have
    try:
        history.prove()
    except HistoryChanged:
        with suppress(StorageError), committer.lock():
            try:
                history.prove()
            except HistoryChanged as error:
                return error
    except MarkDamaged as error:
        return error
    except StorageError:
        pass  # what cannot be read is for an audit to tell
    return None


def rotate(scribe: Scribe, time: str, agent: str) -> VerifierKey:
    """A new key, told of by an entry that both sign, as both sign its checkpoint. Call under the commit lock."""
    seal = scribe.seal
    assert seal is not None  # every repository has one
    if not (old := seal.key()):
        raise KeyLost(str(seal.folder / KEY))
    new = seal.make(NEXT)
    keys = [old, new]
    scribe.write([key_event(seal.vault, time, agent, ROTATED, keys, old.verifier)], keys)
    seal.adopt(new)
    return new.verifier


def replace_lost(scribe: Scribe, time: str, agent: str, why: str) -> VerifierKey:
    """A new key where the one before is lost: nobody but itself signs the entry. Call under the commit lock."""
    seal = scribe.seal
    assert seal is not None  # every repository has one
    before = seal.newest()
    if seal.key() or not before:
        raise KeyThere(str(seal.folder / KEY))
    new = seal.make(NEXT)
    scribe.write([key_event(seal.vault, time, agent, LOST, [new], before, why)], [new])
    seal.adopt(new)
    return new.verifier
