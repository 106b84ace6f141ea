"""Repair of a copy that is an OCFL storage root: damaged objects are written again from the vault, as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from uuid import UUID

from fixity.audit import Expected, check
from fixity.outcome import Intact
from fixity.packages import fixed_expected, object_expected, object_places
from storage.digest import Digest
from storage.errors import NoRoom, StorageError, SyncFailed
from storage.ocfl_copy import OcflCopy, fixed_files
from storage.ocfl_update import packages
from storage.progress import SILENT, Progress
from storage.vault import Vault

MADE = "Tianyi itself"
"""The source of files that follow from nothing but the vault's id."""


def plan_packages(copy: OcflCopy, vault: Vault, vault_id: str, damaged: Iterable[str]) -> Mapping[str, str]:
    """Where what an audit found would be healed from, by key: since objects are written as a whole, the vault's copies
    that together have all of one whole at this moment, with commas; "" where they have not."""
    keys = set(damaged)
    sources = dict.fromkeys(keys, "") | dict.fromkeys(keys & fixed_files(vault_id).keys(), MADE)
    for place, aip in object_places(copy, vault):
        if mine := _below(place, keys):
            sources |= dict.fromkeys(mine, _sources(vault, aip))
    return sources


def repair_packages(
    copy: OcflCopy, vault: Vault, vault_id: str, damaged: Iterable[str], run: str, progress: Progress = SILENT
) -> Mapping[str, str]:
    """Write again what an audit found altered, missing or unreadable, objects as a whole; return the keys that then
    read right, with where they were healed from. Raises Unreachable, NoRoom or SyncFailed for the copy."""
    copy.check_answers()
    keys = set(damaged)
    files = fixed_files(vault_id)
    for key in keys & files.keys():
        copy.files.replace(key, files[key])
    healed = dict.fromkeys(keys & _intact(copy, fixed_expected(copy, vault_id)), MADE)
    for place, aip in object_places(copy, vault):
        if mine := _below(place, keys):
            whole, source = _renewed(copy, vault, place, aip, run, progress)
            healed |= dict.fromkeys(mine & whole, source)
    return healed


def _renewed(copy: OcflCopy, vault: Vault, place: str, aip: UUID, run: str, progress: Progress) -> tuple[set[str], str]:
    """The files of an object that read right after it was written again, or could not be; and what it was read from."""
    reading = _Reading(vault)
    try:
        copy.renew(packages(vault, vault.records(aip)), reading.copy_out, run, progress)
    except (NoRoom, SyncFailed):
        raise
    except StorageError:  # something of it is in no copy: what can be told of the rest, is
        copy.check_answers()
    with suppress(StorageError):
        return _intact(copy, object_expected(copy, vault, place, aip)), reading.sources or copy.name
    return set(), ""


def _sources(vault: Vault, aip: UUID) -> str:
    """The copies from which an AIP would be read now, all of it; "" where it cannot be."""
    reading = _Reading(vault)
    with suppress(StorageError):
        for package in packages(vault, vault.records(aip)):
            for line in package.files:
                reading.copy_out(line.digest, lambda data: None, lambda: None)
        return reading.sources
    return ""


class _Reading:
    """Hands out a vault's blobs, and knows from which copies they came."""

    def __init__(self, vault: Vault) -> None:
        self._passed_over: list[str] = []
        self._vault = Vault(vault.copies, lambda copy, key: self._passed_over.append(copy))
        self._names: set[str] = set()

    @property
    def sources(self) -> str:
        return ", ".join(sorted(self._names))

    def copy_out(self, digest: Digest, write: Callable[[bytes], object], restart: Callable[[], object]) -> int:
        self._passed_over.clear()
        size = self._vault.copy_out(digest, write, restart)
        self._names.add(self._vault.copies[len(self._passed_over)].name)
        return size


def _below(place: str, keys: Iterable[str]) -> set[str]:
    return {key for key in keys if key.startswith(f"{place}/")}


def _intact(copy: OcflCopy, wanted: Iterable[Expected]) -> set[str]:
    return {one.key for one in wanted if isinstance(check(copy.files, one), Intact)}
