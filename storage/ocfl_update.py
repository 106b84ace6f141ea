"""Catch-up of a package copy: an OCFL storage root is brought up to what the vault has, object by object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from uuid import UUID

from storage import layout
from storage.aip import Record
from storage.errors import NoRoom, StorageError, SyncFailed
from storage.lock import locked
from storage.ocfl_copy import OcflCopy
from storage.ocfl_object import Package
from storage.progress import SILENT, Progress
from storage.replicate import Replicated
from storage.staging import running
from storage.tombstones import find
from storage.vault import Vault


def update(copy: OcflCopy, vault: Vault, work: Path, run: str, progress: Progress = SILENT) -> Replicated:
    """Bring the copy up to the vault: tombstones first, then what it lacks of each AIP, each at once and durably, so
    that a run that is killed goes on from there.

    `work` is the repository's folder for work in flight, `run` this run's own name. What cannot be copied now is told
    in `behind`. Raises Unreachable, NoRoom or SyncFailed for the copy, Locked where another process is at it.
    """
    result = Replicated(copy.name)
    copy.check_answers()
    with locked(work / f"packages-{copy.name}.lock", copy.name), running(run, work):
        _bury(copy, vault, run, result)
        files = size = 0
        for records in _lacking(copy, vault):  # asked twice, since memory must not grow
            files, size = files + records[-1].files, size + records[-1].size
        progress.begin(f"Copying to {copy.name}", files, size)
        for records in _lacking(copy, vault):
            _add(copy, vault, records, run, result, progress)
        progress.end()
    return result


def bury(copy: OcflCopy, vault: Vault, work: Path, run: str) -> Replicated:
    """Bring the vault's tombstones to the copy, and remove the objects under them; tell and raise as `update` does."""
    result = Replicated(copy.name)
    copy.check_answers()
    with locked(work / f"packages-{copy.name}.lock", copy.name), running(run, work):
        _bury(copy, vault, run, result)
    return result


def behind(copy: OcflCopy, vault: Vault) -> int:
    """How many versions the copy lacks, and tombstones; raise Unreachable."""
    copy.check_answers()
    tombstones = sum(1 for aip in vault.buried() if not copy.is_buried(aip))
    return tombstones + sum(1 for records in aips(vault) for record in records if not copy.has(record))


def packages(vault: Vault, records: Sequence[Record]) -> Iterator[Package]:
    """Yield versions with the files of their bags, which are read when they are asked for."""
    for record in records:
        yield Package(record, list(vault.bag(record)))


def _bury(copy: OcflCopy, vault: Vault, run: str, result: Replicated) -> None:
    for aip in sorted(vault.buried()):
        if not copy.is_buried(aip):
            try:
                tombstone = find(vault.copies, aip)
            except StorageError as error:
                result.behind[layout.tombstone_key(aip)] = str(error)
                continue
            if tombstone:
                _bury_one(copy, aip, tombstone.to_bytes(), run, result)


def _bury_one(copy: OcflCopy, aip: UUID, tombstone: bytes, run: str, result: Replicated) -> None:
    try:
        copy.bury(aip, tombstone, run)
    except (NoRoom, SyncFailed):
        raise
    except StorageError as error:
        copy.check_answers()  # else it is the copy that failed, and not this AIP
        result.behind[layout.tombstone_key(aip)] = str(error)
    else:
        result.add(1, len(tombstone))


def _add(
    copy: OcflCopy, vault: Vault, records: Sequence[Record], run: str, result: Replicated, progress: Progress
) -> None:
    try:
        written = copy.add(packages(vault, records), vault.copy_out, run, progress)
    except (NoRoom, SyncFailed):
        raise
    except StorageError as error:
        copy.check_answers()  # else it is the copy that failed, and not what was to come
        for record in records:
            if not copy.has(record):
                result.behind[layout.record_key(record.uuid, record.version)] = str(error)
    else:
        result.add(written.files, written.size)


def _lacking(copy: OcflCopy, vault: Vault) -> Iterator[list[Record]]:
    """Yield all versions of each AIP of which the copy lacks any."""
    return (records for records in aips(vault) if not all(map(copy.has, records)))


def aips(vault: Vault) -> Iterator[list[Record]]:
    """Yield the versions of each AIP that is not deleted, from 1 as far as they are there without a gap."""
    gone = vault.buried()
    for aip, found in groupby(vault.all_records(), key=lambda record: record.uuid):
        versions = sorted(found, key=lambda record: record.version)
        whole = [record for number, record in enumerate(versions, start=1) if record.version == number]
        if whole and aip not in gone:
            yield whole
