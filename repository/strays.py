"""Files under a record's name that are no records and that nothing tells of. They are damage, and not only extra:
whoever asks what a copy refers to stops at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from fixity.audit import Expected, Finding, check
from fixity.fault import Fault
from fixity.outcome import Intact
from fixity.repair import Damage, Mend
from repository.catalogue import Catalogue
from repository.quarantine import Quarantine
from repository.schema import RECORD_KEY
from storage import layout
from storage.aip import parse_record
from storage.digest import Digest, Hashing
from storage.errors import NotFound, StorageError
from storage.receive import chunks
from storage.store import Opens, Store

QUARANTINE = "quarantine"
"""The source of a mend that put something aside instead of bringing something back."""
_LARGEST = 1 << 20  # bytes; a record has some hundred

_STRAYS = f"""
select damage.key, damage.found from damage left join versions on {RECORD_KEY} = +damage.key
where copy = ? and outcome = 'altered' and expected = '' and aip is null order by damage.key
"""


def judged(store: Opens, extra: Finding) -> Finding | None:
    """What nobody expects outside the ledger, as it is or as damage; None for what is gone."""
    if not layout.record_name(extra.key):
        return extra
    try:
        if is_record(store, extra.key):
            return extra
        with store.open(extra.key) as stream:
            found = Hashing().feed_all(chunks(stream)).digest()
    except NotFound:  # it has gone meanwhile, as when a repair puts it aside or an AIP is deleted
        return None
    except (StorageError, OSError) as error:
        return replace(extra, outcome="unreadable", why=str(error))
    return replace(extra, outcome="altered", found=found, why="It is no record, and the ledger tells of none there.")


def is_record(store: Opens, key: str) -> bool:
    """Whether a record lies there that agrees with itself and its name; raise StorageError or OSError."""
    if store.size(key) > _LARGEST:
        return False
    with store.open(key) as stream:
        data = stream.read()
    with suppress(StorageError):
        record = parse_record(data, key)
        return layout.record_name(key) == (record.uuid, record.version)
    return False


def strays(catalogue: Catalogue, copy: str) -> Iterator[Damage]:
    """Yield those that audits found in a copy, with the bytes that they had."""
    for row in catalogue.rows(_STRAYS, copy):
        yield Damage(copy, Expected(row["key"], Digest.parse(row["found"]), 0))


def plan(store: Store, damage: Damage) -> Mend:
    """Whether a stray can be put aside: it is what the audit found, and the copy can give something up."""
    fault = Fault("altered", why="It is no record, and the ledger tells of none there.")
    if not isinstance(check(store, damage.expected), Intact):
        return Mend(damage, "", fault, why="it is another than the audit found: audit again")
    if store.keeps_all:
        return Mend(damage, "", fault, why=f"the copy can give nothing up: {store.keeps_all}")
    return Mend(damage, QUARANTINE, fault)


def put_aside(store: Store, damage: Damage, quarantine: Quarantine) -> Mend:
    """Remove a stray from its copy once it is kept elsewhere; call under the commit lock."""
    planned = plan(store, damage)
    if not planned.source:
        return planned
    try:
        kept = quarantine.keep(store, planned)
        if quarantine.holds(kept, damage.expected.digest):
            store.drop(damage.expected.key)
            return replace(planned, kept=kept)
    except StorageError as error:
        return replace(planned, source="", why=f"it cannot be put aside: {error}")
    return replace(planned, source="", why="it cannot be put aside: it could not be read to its end")
