"""How a repository stands, as values: what alerts, metrics and the digest are made of. Nothing of the vault is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from fixity.schedule import Coverage
from policies.errors import PolicyError
from repository import damage, ledger_records
from repository.catalogue import Catalogue
from repository.jobs import Job
from repository.publishing_newest import CONTRADICTED
from storage.away import Away
from storage.errors import StorageError
from storage.local import Local
from storage.ocfl_copy import OcflCopy
from storage.seal import Seal
from storage.store import Store

if TYPE_CHECKING:
    from repository.facade_jobs import Scheduling


@dataclass(frozen=True, slots=True)
class CopyHealth:
    """How a copy stands: why it does not answer, "" where it does; keys that audits found damaged."""

    name: str
    away: str
    damaged: int


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system, with what is on it of ours; bytes."""

    holds: tuple[str, ...]
    size: int
    free: int


@dataclass(frozen=True, slots=True)
class Latest:
    """The entry of the ledger whose time is the latest, and the time of the entry `after` it, None where none is."""

    entry: int
    time: datetime
    after: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """All of it. `wrong` says why a policy cannot be used, `aside` where an older ledger left the catalogue, `changed`
    what was done to the ledger's history, `unsigned` why no key signs it; all are "" otherwise. `untold`
    counts the versions that no entry tells of; `contradicted` names the witnesses that have seen another history."""

    vault: str
    copies: Sequence[CopyHealth]
    disks: Sequence[Disk]
    jobs: Sequence[Job]
    coverage: Sequence[Coverage]
    aips: int
    versions: int
    files: int
    bytes: int
    entries: int
    infected: int
    wrong: str = ""
    aside: str = ""
    changed: str = ""
    unsigned: str = ""
    untold: int = 0
    contradicted: Sequence[str] = ()
    latest: Latest | None = None


def gather(repository: Scheduling) -> Health:
    """How it stands now. Where a policy file has a mistake, jobs and coverage are by the policies last on record."""
    wrong = str(repository.fall_back(shipped=True) or "")
    jobs, coverage = _by_policy(repository)
    held = repository.catalogue.one(
        "select count(*) as aips, coalesce(sum(versions), 0) as versions, coalesce(sum(files), 0) as files,"
        " coalesce(sum(bytes), 0) as bytes from aips"
    )
    infected = repository.catalogue.one("select count(*) as n from scans where outcome = 'infected'")
    assert held is not None  # counts are always there
    assert infected is not None
    return Health(
        repository.settings.vault_id, _copies(repository), _disks(repository), jobs, coverage, **held,
        entries=repository.catalogue.position, infected=infected["n"], wrong=wrong,
        aside=str(repository.catalogue.aside or ""), changed=str(repository.changed or ""),
        unsigned=_why_unsigned(repository.seal), untold=len(ledger_records.untold(repository.catalogue)),
        contradicted=_contradicted(repository), latest=_latest(repository.catalogue),
    )  # fmt: skip


def _by_policy(repository: Scheduling) -> tuple[list[Job], list[Coverage]]:
    with suppress(PolicyError):
        return repository.jobs(), repository.coverage()
    return [], []


def _latest(catalogue: Catalogue) -> Latest | None:
    row = catalogue.one("select entry, time from events order by time desc, entry desc limit 1")
    if not row:
        return None
    after = catalogue.one("select time from events where entry > ? order by entry limit 1", row["entry"])
    then = datetime.fromisoformat(after["time"]) if after else None
    return Latest(row["entry"], datetime.fromisoformat(row["time"]), then)


def _contradicted(repository: Scheduling) -> list[str]:
    """The witnesses of the policy for whom the log was no continuation when they were given it last."""
    asked: set[str] = set()
    with suppress(PolicyError):
        asked = {one.name for one in repository.policies().evidence.witnesses}
    rows = repository.catalogue.rows(
        "select json_extract(detail, '$.witness') as name, outcome, max(entry) from events where type = 'witness'"
        " group by name order by name"
    )
    return [row["name"] for row in rows if row["outcome"] == CONTRADICTED and row["name"] in asked]


def _copies(repository: Scheduling) -> list[CopyHealth]:
    away = {store.name: _why_away(store) for store in repository.vault.copies}
    away |= {one.name: _why_away(one) for one in repository.packages}
    catalogue = repository.catalogue
    return [CopyHealth(copy.name, away[copy.name], damage.count(catalogue, copy.name)) for copy in repository.copies]


def _why_away(store: Store | OcflCopy) -> str:
    """Why a copy does not answer, "" where it does."""
    if isinstance(store, OcflCopy):
        try:
            store.check_answers()
        except StorageError as error:
            return str(error)
    return store.keeps_all if isinstance(store, Away) else ""


def _why_unsigned(seal: Seal) -> str:
    """Why no key signs what is written to the ledger, "" where one does."""
    try:
        return "" if seal.key() else f"The key that signs the ledger is not in {seal.folder}."
    except StorageError as error:
        return str(error)


def _disks(repository: Scheduling) -> list[Disk]:
    """The file systems of the copies that are in folders, and of the repository itself."""
    found: dict[int, Disk] = {}
    places = [(store.name, store.root) for store in repository.vault.copies if isinstance(store, Local)]
    for name, path in [*places, ("the repository", repository.settings.folder)]:
        with suppress(OSError):
            device, facts = os.stat(path).st_dev, os.statvfs(path)
            disk = Disk((), facts.f_blocks * facts.f_frsize, facts.f_bavail * facts.f_frsize)
            known = found.get(device, disk)
            found[device] = replace(known, holds=(*known.holds, name))
    return list(found.values())
