"""Audit and repair of a copy that is an OCFL storage root: what each of its files has to be follows from the vault's
records and bags, and is never taken from the copy itself."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from uuid import UUID

from fixity.audit import Audit, Expected, Finding, audit, check, extras
from fixity.outcome import Intact
from storage.digest import Digest, sha256
from storage.errors import NoRoom, NotFound, StorageError, SyncFailed
from storage.ocfl_copy import OcflCopy, fixed_files
from storage.ocfl_object import object_files, record_path
from storage.ocfl_update import aips, packages
from storage.progress import SILENT, Progress
from storage.vault import Vault

Places = Sequence[tuple[str, UUID]]


def audit_packages(
    copy: OcflCopy, vault: Vault, vault_id: str, executor: Executor, progress: Progress = SILENT
) -> Audit:
    """Read every file of the copy; keys in what is found are paths below its root.

    A version that the copy lacks is one missing file, its record. An object whose bags cannot be read in the vault is
    not checked, and told so; what nobody knows of is extra, apart from tombstones.
    """
    unknown: dict[str, str] = {}
    places = _places(copy, vault)
    result = audit(copy.files, _expected(copy, vault, vault_id, places, unknown), executor, progress)
    if result.counts["not_checked"]:
        return result
    result.counts["not_checked"] += len(unknown)
    result.findings.extend(Finding("not_checked", copy.name, place, why=why) for place, why in unknown.items())
    known = (one.key for one in _expected(copy, vault, vault_id, places, {}))
    for extra in extras(copy.files, copy.name, known):
        if not extra.key.startswith(("tombstone-", *unknown)):
            result.findings.append(extra)
            result.counts["extra"] += 1
    return result


def repair_packages(
    copy: OcflCopy, vault: Vault, vault_id: str, damaged: Iterable[str], run: str, progress: Progress = SILENT
) -> tuple[list[str], list[str]]:
    """Write again what an audit found altered, missing or unreadable, objects as a whole; return the keys that then
    read right, and those that do not. Raises NoRoom or SyncFailed for the copy."""
    keys = set(damaged)
    files = fixed_files(vault_id)
    for key in keys & files.keys():
        copy.files.replace(key, files[key])
    whole = _intact(copy, _fixed(copy, vault_id))
    for place, aip in _places(copy, vault):
        if any(key.startswith(f"{place}/") for key in keys):
            whole |= _renewed(copy, vault, place, aip, run, progress)
    return sorted(keys & whole), sorted(keys - whole)


def _renewed(copy: OcflCopy, vault: Vault, place: str, aip: UUID, run: str, progress: Progress) -> set[str]:
    """The files of an object that read right after it was written again, or could not be."""
    try:
        copy.renew(packages(vault, vault.records(aip)), vault.copy_out, run, progress)
    except (NoRoom, SyncFailed):
        raise
    except StorageError:  # something of it is in no copy: what can be told of the rest, is
        pass
    with suppress(StorageError):
        return _intact(copy, _object(copy, vault, place, aip))
    return set()


def _intact(copy: OcflCopy, wanted: Iterable[Expected]) -> set[str]:
    return {one.key for one in wanted if isinstance(check(copy.files, one), Intact)}


def _places(copy: OcflCopy, vault: Vault) -> Places:
    """Where the objects of all AIPs lie, in the order of paths."""
    return sorted((copy.place(records[0].uuid), records[0].uuid) for records in aips(vault))


def _expected(
    copy: OcflCopy, vault: Vault, vault_id: str, places: Places, unknown: dict[str, str]
) -> Iterator[Expected]:
    """Yield what every file of the copy has to be, ascending by path; `unknown` gets the objects of which the vault
    cannot tell, with the reason."""
    yield from heapq.merge(_fixed(copy, vault_id), _objects(copy, vault, places, unknown))


def _objects(copy: OcflCopy, vault: Vault, places: Places, unknown: dict[str, str]) -> Iterator[Expected]:
    for place, aip in places:
        try:
            files = _object(copy, vault, place, aip)
        except StorageError as error:
            unknown[place] = str(error)
        else:
            yield from files


def _object(copy: OcflCopy, vault: Vault, place: str, aip: UUID) -> list[Expected]:
    """The files of one object with the versions that it has; the records of those that it lacks."""
    records = vault.records(aip)
    there = [record for record in records if _exists(copy, f"{place}/{record_path(record.version)}")]
    found = list(object_files(packages(vault, records[: len(there)]))) if there else []
    found += [(record_path(record.version), sha256(record.to_bytes())) for record in records[len(there) :]]
    return sorted(_wanted(copy, f"{place}/{path}", digest) for path, digest in found)


def _fixed(copy: OcflCopy, vault_id: str) -> list[Expected]:
    return sorted(_wanted(copy, key, sha256(data)) for key, data in fixed_files(vault_id).items())


def _wanted(copy: OcflCopy, key: str, digest: Digest) -> Expected:
    """The size, which only tells how much there is to read, is that of what is there."""
    with suppress(StorageError):
        return Expected(key, digest, copy.files.size(key))
    return Expected(key, digest, 0)


def _exists(copy: OcflCopy, key: str) -> bool:
    with suppress(NotFound):
        return copy.files.size(key) >= 0
    return False
