"""Copies kept as OCFL storage roots, beside those that are vaults: opened, brought up, audited and healed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from repository import config
from repository.catalogue import Catalogue
from repository.config import FORMS, Config, Copy
from repository.schema import IS_DAMAGED
from storage import durable
from storage.digest import Digest
from storage.durable import Disk
from storage.errors import NotAVault, StorageError, Unreachable
from storage.progress import Progress
from storage.vault import Vault

if TYPE_CHECKING:
    from fixity.audit import Audit
    from fixity.repair import Mend
    from storage.ocfl_copy import OcflCopy
    from storage.parallel import Workers
    from storage.replicate import Replicated


def is_package(copy: Copy) -> bool:
    return copy.form != FORMS[0]


def opened(settings: Config, disk: Disk) -> list[OcflCopy]:
    """The package copies. They decide nothing: one that is away, or is none of this vault, stops only what is done to
    it."""
    return [at(copy, settings, disk) for copy in settings.copies if is_package(copy)]


def at(copy: Copy, settings: Config, disk: Disk) -> OcflCopy:
    """The package copy in the folder that a URL names; raise UnsupportedCopy."""
    from storage.ocfl_copy import OcflCopy

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


def check_ours(copy: OcflCopy, vault: Vault, vault_id: str) -> None:
    """Raise Unreachable, or NotAVault where it is of another vault: where it has a record of one of our AIPs, it is
    only its tianyi-vault.json that is damaged, which an audit finds and a repair heals."""
    copy.check_answers()
    try:
        copy.check(vault_id)
    except (NotAVault, Unreachable):
        if not any(map(copy.has, vault.all_records())):
            raise


def behind(copy: OcflCopy, vault: Vault, vault_id: str) -> int:
    """How many versions and tombstones one lacks; raise Unreachable or NotAVault."""
    from storage import ocfl_update

    check_ours(copy, vault, vault_id)
    return ocfl_update.behind(copy, vault)


def bring_up(copy: OcflCopy, vault: Vault, settings: Config, run: str, progress: Progress) -> Replicated:
    """Bring one up to the vault; what stopped it is told in `behind`, under no key."""
    from storage import ocfl_update
    from storage.replicate import Replicated

    try:
        check_ours(copy, vault, settings.vault_id)
        return ocfl_update.update(copy, vault, settings.work, run, progress)
    except StorageError as error:
        return Replicated(copy.name, behind={"": str(error)})


def bury(copy: OcflCopy, vault: Vault, settings: Config, run: str) -> str:
    """Remove from one what was deleted; return why something of that may still be in it, "" where nothing is."""
    from storage import ocfl_update

    try:
        check_ours(copy, vault, settings.vault_id)
        result = ocfl_update.bury(copy, vault, settings.work, run)
    except StorageError as error:
        return str(error)
    return "; ".join(result.behind.values())


def audit(copy: OcflCopy, vault: Vault, settings: Config, workers: Workers, progress: Progress) -> Audit:
    """Read every file of one."""
    from fixity.packages import audit_packages

    records = list(vault.all_records())
    files, size = sum(record.files for record in records), sum(record.size for record in records)
    progress.begin(f"Auditing {copy.name}", files, size)
    with workers(files, size) as executor:
        result = audit_packages(copy, vault, settings.vault_id, executor, progress)
    progress.end()
    return result


def damage(catalogue: Catalogue, copy: str, attempts: int = 0) -> list[Mend]:
    """What audits found in one, by paths below its root, and nobody has tried to heal `attempts` times (0: however
    often); sizes are not known."""
    from fixity.audit import Expected
    from fixity.fault import Fault
    from fixity.repair import Damage, Mend
    from repository.damage import given_up

    query = (
        f"select key, expected, outcome from damage where copy = ? and {IS_DAMAGED}"
        " and expected != '' and entry > ? order by key"
    )
    return [
        Mend(Damage(copy, Expected(row["key"], Digest.parse(row["expected"]), 0)), "", Fault(row["outcome"]))
        for row in catalogue.rows(query, copy, given_up(catalogue, copy, attempts))
    ]


def repair(
    copy: OcflCopy, vault: Vault, settings: Config, damaged: Sequence[Mend], keep: Callable[[Mend], str], run: str,
    progress: Progress,
) -> list[Mend]:  # fmt: skip
    """Write damaged objects again, as a whole, when `keep` has what was damaged; return what then reads right, and what
    does not. Raises NotAVault, and NoRoom or SyncFailed for the copy."""
    from fixity.packages_repair import repair_packages
    from fixity.repair import REFUSED

    healed: Mapping[str, str] = {}
    with suppress(Unreachable):
        check_ours(copy, vault, settings.vault_id)
        damaged = [replace(one, kept=keep(one)) for one in damaged]
        keys = [one.damage.expected.key for one in damaged]
        healed = repair_packages(copy, vault, settings.vault_id, keys, run, progress)
    done = [replace(one, source=healed[key]) for one in damaged if (key := one.damage.expected.key) in healed]
    left = plan(copy, vault, settings, [one for one in damaged if one.damage.expected.key not in healed])
    return [*done, *(replace(one, why=one.why or REFUSED.format(one.source)) for one in left)]


def plan(copy: OcflCopy, vault: Vault, settings: Config, damaged: Sequence[Mend]) -> list[Mend]:
    """What a repair of one would heal, and from where, as things are at this moment."""
    from fixity.packages_repair import plan_packages
    from fixity.repair import NOWHERE

    sources = plan_packages(copy, vault, settings.vault_id, [one.damage.expected.key for one in damaged])
    found = [replace(one, source=sources[one.damage.expected.key]) for one in damaged]
    return [one if one.source else replace(one, why=NOWHERE) for one in found]
