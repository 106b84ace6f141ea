"""Entries and records of the vault, held against each other both ways; and as the catalogue knows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repository.catalogue import Catalogue
from repository.ledger_scan import LedgerFault
from storage.aip import parse_aip
from storage.digest import Digest
from storage.errors import BrokenRecord, NotFound, StorageError
from storage.event import Event
from storage.vault import Vault

Numbered = tuple[int, Event]
_UNTOLD = """
select versions.aip, versions.version from versions
left join events on events.entry = versions.entry and events.type = 'commit' and events.object = versions.aip
where events.entry is null and not exists (
  select 1 from events as commits where commits.type = 'commit' and commits.object = versions.aip
  and json_extract(commits.detail, '$.version') = versions.version)
order by versions.aip, versions.version
"""


def untold(catalogue: Catalogue) -> list[tuple[str, int]]:
    """The versions, by AIP, that are held and that no entry tells of: an older ledger was put back, with its keys."""
    return [(row["aip"], row["version"]) for row in catalogue.rows(_UNTOLD)]


def compare(vault: Vault, events: Sequence[Numbered]) -> Iterator[LedgerFault]:
    """Yield the records that no commit tells of, and the commits that have not the record that they tell of."""
    deleted = {event.object for _, event in events if event.type == "deletion"}
    commits = {
        (event.object, event.detail.get("version")): (number, str(event.detail.get("record")))
        for number, event in events
        if event.type == "commit" and event.object not in deleted
    }
    for aip, version in vault.versions():
        if (name := f"urn:uuid:{aip}") not in deleted and (name, version) not in commits:
            yield LedgerFault("record-without-entry", f"version {version} of {name} is in no entry")
    for (urn, number), (entry, digest) in commits.items():
        if isinstance(number, int):
            yield from _record(vault, urn, number, entry, digest)


def _record(vault: Vault, urn: str, version: int, entry: int, digest: str) -> Iterator[LedgerFault]:
    """What is wrong with the record that an entry tells of."""
    try:
        vault.record(parse_aip(urn), version, Digest.parse(digest))
    except NotFound:
        yield LedgerFault(
            "entry-without-record", f"entry {entry} tells of version {version} of {urn}, which no copy has"
        )
    except (BrokenRecord, ValueError):
        yield LedgerFault("record-altered", f"entry {entry} tells of another record of version {version} of {urn}")
    except StorageError as error:
        yield LedgerFault("record-unreadable", str(error))
