"""Copies kept as OCFL storage roots, beside those that are vaults: opened, brought up, audited and healed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from fixity.audit import Audit, Expected
from fixity.packages import audit_packages, repair_packages
from fixity.repair import Damage, Mend
from repository import config
from repository.catalogue import Catalogue
from repository.config import FORMS, Config, Copy
from storage import durable
from storage.digest import Digest
from storage.durable import Disk
from storage.errors import StorageError, Unreachable
from storage.ocfl_copy import OcflCopy
from storage.ocfl_update import update
from storage.progress import Progress
from storage.replicate import Replicated
from storage.vault import Vault

Workers = Callable[[int, int], AbstractContextManager[Executor]]


def is_package(copy: Copy) -> bool:
    return copy.form != FORMS[0]


def opened(settings: Config, disk: Disk) -> list[OcflCopy]:
    """The package copies; raise NotAVault where one is none of this vault. One that does not answer says so itself."""
    found = [at(copy, settings, disk) for copy in settings.copies if is_package(copy)]
    for copy in found:
        with suppress(Unreachable):
            copy.check(settings.vault_id)
    return found


def at(copy: Copy, settings: Config, disk: Disk) -> OcflCopy:
    """The package copy in the folder that a URL names; raise UnsupportedCopy."""
    root = config.local_path(copy, settings.folder)
    work = settings.work / "copies"
    durable.make_folders(disk, work)
    return OcflCopy(copy.name, root, config.scratch_for(root, work / copy.name), work / f"{copy.name}.index", disk)


def found(copy: Copy, settings: Config) -> None:
    """Make an empty folder such a copy; raise NotAVault where something else is in it."""
    root = config.local_path(copy, settings.folder)
    root.mkdir(parents=True, exist_ok=True)
    durable.sync_made(durable.DISK, root)
    at(copy, settings, durable.DISK).found(settings.vault_id)


def bring_up(copy: OcflCopy, vault: Vault, work: Path, run: str, progress: Progress) -> Replicated:
    """Bring one up to the vault; what stopped it is told in `behind`, under no key."""
    try:
        return update(copy, vault, work, run, progress)
    except StorageError as error:
        return Replicated(copy.name, behind={"": str(error)})


def audit(copy: OcflCopy, vault: Vault, settings: Config, workers: Workers, progress: Progress) -> Audit:
    """Read every file of one."""
    records = list(vault.all_records())
    files, size = sum(record.files for record in records), sum(record.size for record in records)
    progress.begin(f"Auditing {copy.name}", files, size)
    with workers(files, size) as executor:
        result = audit_packages(copy, vault, settings.vault_id, executor, progress)
    progress.end()
    return result


def damage(catalogue: Catalogue, copy: str) -> list[Damage]:
    """What the last audit found in one, by paths below its root; sizes are not known."""
    query = (
        "select key, expected from damage where copy = ? and outcome in ('altered', 'missing', 'unreadable')"
        " and expected != '' order by key"
    )
    return [Damage(copy, Expected(row["key"], Digest.parse(row["expected"]), 0)) for row in catalogue.rows(query, copy)]


def repair(
    copy: OcflCopy, vault: Vault, settings: Config, damaged: Sequence[Damage], run: str, progress: Progress
) -> tuple[list[Mend], list[Mend]]:
    """Write damaged objects again, as a whole; return what then reads right, and what does not."""
    keys = [one.expected.key for one in damaged]
    try:
        healed, _ = repair_packages(copy, vault, settings.vault_id, keys, run, progress)
    except StorageError:
        healed = []
    mends = [Mend(one, vault.first.name) for one in damaged if one.expected.key in set(healed)]
    return mends, [Mend(one, "") for one in damaged if one.expected.key not in set(healed)]
