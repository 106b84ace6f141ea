"""What is needed: every blob that a record, a manifest, an entry of the ledger or a tombstone refers to.

Asked of the vault itself and never of the catalogue, and strictly: what cannot be read in any copy stops it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

from storage import layout
from storage.aip import Record, parse_aip, parse_record
from storage.away import answers
from storage.digest import Digest
from storage.durable import told
from storage.errors import NotFound, StorageError, SweepStopped
from storage.event import Event
from storage.references import References, named
from storage.store import Opens
from storage.vault import Vault

_SCHEMA = """
create table seen (record text primary key, aip text, version integer) without rowid;
create table entered (aip text, version integer, primary key (aip, version)) without rowid;
"""


class Marks:
    """The keys of the blobs that are needed, so far as the vault was read; `size` entries of its ledger were."""

    def __init__(self, vault: Vault, references: References, db: sqlite3.Connection) -> None:
        self.size = 0
        self._vault, self._references, self._db = vault, references, db
        self._dead: frozenset[UUID] = frozenset()

    def __contains__(self, key: str) -> bool:
        """Whether the blob under a key is needed."""
        return key in self._references

    def read_all(self) -> None:
        """Mark what everything in every copy that answers refers to; raise SweepStopped where that cannot be told."""
        with _stopping():
            self.size = self._vault.ledger.size()  # before records are listed: `catch_up` takes what comes later
            self._dead = self._vault.buried()
            for aip in self._dead:
                if (tombstone := self._vault.tombstone(aip)) and tombstone.policy:
                    self._references.add([Digest.parse(tombstone.policy)])
            self._read_records(layout.AIPS)
            for _, _, event in self._vault.ledger.read(0, self.size):
                self._take(event)
            self._check_lost()

    def catch_up(self) -> None:
        """Mark also what was committed since; call under the commit lock, and raise as `read_all` does."""
        with _stopping():
            if (size := self._vault.ledger.size()) == self.size:
                return
            for _, _, event in self._vault.ledger.read(self.size, size):
                self._take(event)
                if event.type == "commit":
                    self._read_records(layout.aip_prefix(parse_aip(event.object)))
            self.size = size
            self._check_lost()

    def _read_records(self, prefix: str) -> None:
        for store in self._vault.copies:
            if store is self._vault.first or answers(store):
                for key in store.listing(prefix):
                    if (name := layout.record_name(key)) and name[0] not in self._dead:
                        self._read_record(store, key, name[0])

    def _read_record(self, store: Opens, key: str, aip: UUID) -> None:
        try:
            self._mark_bag(_record(store, key))
        except NotFound:
            if not self._vault.tombstone(aip):  # else it was deleted at this moment
                raise

    def _mark_bag(self, record: Record) -> None:
        """Each copy's record counts, and those that are the same only once."""
        row = (str(record.digest), record.aip, record.version)
        if self._db.execute("insert or ignore into seen values (?, ?, ?)", row).rowcount:
            self._references.add(line.digest for line in self._vault.bag(record))

    def _take(self, event: Event) -> None:
        self._references.add(named(event))
        if event.type == "commit":
            row = (event.object, event.detail.get("version"))
            self._db.execute("insert or ignore into entered values (?, ?)", row)

    def _check_lost(self) -> None:
        """A version that was committed and is not deleted has a record somewhere: without it, its blobs are unknown."""
        query = "select aip, version from entered except select aip, version from seen order by aip, version"
        for aip, version in self._db.execute(query):
            if parse_aip(aip) not in self._dead and not self._vault.tombstone(parse_aip(aip)):
                raise NotFound(f"The record of version {version} of {aip}", "any copy that answers")


@contextmanager
def marking(vault: Vault) -> Iterator[tuple[Marks, sqlite3.Connection]]:
    """Nothing marked yet, and a temporary database for notes, which SQLite removes in the end."""
    with closing(References()) as references, closing(sqlite3.connect("", isolation_level=None)) as db:
        db.executescript(_SCHEMA)
        db.execute("begin")
        yield Marks(vault, references, db), db


def _record(store: Opens, key: str) -> Record:
    with told(store.name), store.open(key) as stream:
        return parse_record(stream.read(), key)


@contextmanager
def _stopping() -> Iterator[None]:
    try:
        yield
    except (StorageError, ValueError) as error:
        raise SweepStopped(str(error)) from error
