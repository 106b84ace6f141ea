"""Audit of a copy that is an OCFL storage root: what each of its files has to be follows from the vault's
records and bags, and is never taken from the copy itself."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from uuid import UUID

from fixity.audit import Audit, Expected, Finding, audit, extras, not_checked
from storage.digest import Digest, sha256
from storage.errors import NotFound, StorageError, Unreachable
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
    not checked, and told so; what nobody knows of is extra, apart from tombstones. Of a copy that is away nothing is.
    """
    unknown: dict[str, str] = {}
    places = object_places(copy, vault)
    try:
        copy.check_answers()
    except Unreachable as error:
        return not_checked(copy.name, _expected(copy, vault, vault_id, places, {}), str(error))
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


def object_places(copy: OcflCopy, vault: Vault) -> Places:
    """Where the objects of all AIPs lie, in the order of paths."""
    return sorted((copy.place(records[0].uuid), records[0].uuid) for records in aips(vault))


def _expected(
    copy: OcflCopy, vault: Vault, vault_id: str, places: Places, unknown: dict[str, str]
) -> Iterator[Expected]:
    """Yield what every file of the copy has to be, ascending by path; `unknown` gets the objects of which the vault
    cannot tell, with the reason."""
    yield from heapq.merge(fixed_expected(copy, vault_id), _objects(copy, vault, places, unknown))


def _objects(copy: OcflCopy, vault: Vault, places: Places, unknown: dict[str, str]) -> Iterator[Expected]:
    for place, aip in places:
        try:
            files = object_expected(copy, vault, place, aip)
        except StorageError as error:
            unknown[place] = str(error)
        else:
            yield from files


def object_expected(copy: OcflCopy, vault: Vault, place: str, aip: UUID) -> list[Expected]:
    """The files of one object with the versions that it has; the records of those that it lacks."""
    records = vault.records(aip)
    there = [record for record in records if _exists(copy, f"{place}/{record_path(record.version)}")]
    found = list(object_files(packages(vault, records[: len(there)]))) if there else []
    found += [(record_path(record.version), sha256(record.to_bytes())) for record in records[len(there) :]]
    return sorted(_wanted(copy, f"{place}/{path}", digest) for path, digest in found)


def fixed_expected(copy: OcflCopy, vault_id: str) -> list[Expected]:
    return sorted(_wanted(copy, key, sha256(data)) for key, data in fixed_files(vault_id).items())


def _wanted(copy: OcflCopy, key: str, digest: Digest) -> Expected:
    """The size, which only tells how much there is to read, is that of what is there."""
    with suppress(StorageError):
        return Expected(key, digest, copy.files.size(key))
    return Expected(key, digest, 0)


def _exists(copy: OcflCopy, key: str) -> bool:
    """Also where it cannot be read, as through a link: then that is found, file by file."""
    with suppress(NotFound):
        try:
            return copy.files.size(key) >= 0
        except Unreachable:
            return True
    return False
