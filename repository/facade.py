"""What every verb of the façade works with: a repository folder, opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from uuid import UUID

from policies.errors import PolicyError
from repository import config, founding, in_force, ledger, packages
from repository.blob_holds import CatalogueHolds
from repository.catalogue import Catalogue
from repository.config import Config, Copy
from repository.errors import UnknownCopy
from repository.inflight import InFlight
from repository.version import VERSION
from storage.aip import SKEW, stamp, uuid7
from storage.canonical import Json
from storage.commit import Committer, prepare_work
from storage.digest import Digest
from storage.durable import DISK, Disk
from storage.errors import Locked, MarkDamaged, StorageError
from storage.event import Event
from storage.lock import locked
from storage.progress import SILENT, Progress
from storage.seal import Seal
from storage.staging import lives
from storage.store import Store
from storage.vault import Vault

if TYPE_CHECKING:
    from ingest.delivery import Setting
    from ingest.identify import Identifier
    from ingest.identify_magic import Asked
    from policies.effective import Policies
    from repository.ledger_files import Made
    from repository.signatures import Imported
    from repository.watch import Watch
    from storage.ocfl_copy import OcflCopy

SOFTWARE = f"tianyi {VERSION}"


def utc_now() -> datetime:
    return datetime.now(UTC)


def default_agent() -> str:
    """Who acts where nobody says: the system's user."""
    return os.environ.get("TIANYI_AGENT") or system_user()


def system_user() -> str:
    """The system's user by number, since the ledger holds no personal data."""
    return f"uid-{os.getuid()}"


class Opened:
    """A repository folder, opened. What a crash left half-done is finished first."""

    def __init__(
        self,
        settings: Config,
        *,
        agent: str = "",
        user: str = "",
        now: Callable[[], datetime] = utc_now,
        progress: Progress = SILENT,
        patience: float = 60.0,
        disk: Disk = DISK,
    ) -> None:
        self.settings = settings
        self.agent, self.now, self.progress = agent or default_agent(), now, progress
        self.user = user or system_user()
        self.patience = patience
        self._settled: Policies | None = None
        self.bad_reads: list[tuple[str, str]] = []
        founding.check_apart(settings.copies, settings.folder)
        stores = [config.open_copy(copy, settings, disk) for copy in settings.copies if not packages.is_package(copy)]
        self.packages = packages.opened(settings, disk)
        self.vault = Vault(
            founding.present(stores, settings.vault_id),
            lambda copy, key: self.bad_reads.append((copy, key)),
            self._required,
        )
        self.seal = Seal(settings.keys, settings.vault_id, settings.origin, disk)
        self.committer = Committer(self.vault, settings.work, disk, patience, self.seal)
        self.catalogue = Catalogue(settings.catalogue)
        self._holds = CatalogueHolds(settings.catalogue)
        self.in_flight = InFlight(settings.work / "state.db")
        self.seal.newest = lambda: ledger.newest_key(self.catalogue, self.vault)
        self.seal.told = lambda: ledger.keys_told(self.catalogue)
        self.catalogue.follow(self.vault)  # before anything is appended: one that is ahead of the ledger is seen
        prepare_work(settings.work)
        self.changed = ledger.changed(self.committer)
        if self.changed:
            self.catalogue.complete(self.vault)  # records count, whatever became of the entries that told of them
        self.recovered = [] if self.changed else self._recover(disk)
        self.catalogue.follow(self.vault)
        self.committer.scribe.remembers, self.committer.scribe.beside = self._remembered, self._made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._holds.close()
        if self.settings.scan:
            from repository import scanners

            scanners.rest(self.settings)
        self.catalogue.close()

    @property
    def copies(self) -> Sequence[Copy]:
        return self.settings.copies

    def ahead(self) -> str:
        """When the ledger's last entry was made, where that is yet to come: this machine's clock was wrong then, or is
        now. "" where it is not."""
        last = self.catalogue.one("select time from events order by entry desc limit 1")
        return last["time"] if last and last["time"] > stamp(self.now() + SKEW) else ""

    def policies(self) -> Policies:
        """The policies in force: those in `policies/` over the defaults; raise PolicyError."""
        return self._settled if self._settled is not None else in_force.written(self.settings)

    def fall_back(self, *, shipped: bool = False) -> PolicyError | None:
        """Where a policy file has a mistake, return it, and go by the policies that were last in force, if any are on
        record; `shipped`: where none are, by what ships, which is enough for what only shows how things stand."""
        try:
            self.policies()
        except PolicyError as error:
            self._settled = in_force.last(self.catalogue, self.vault, shipped=shipped)
            return error
        return None

    def check_mark(self) -> None:
        """Raise MarkDamaged, before anything long that ends in an entry, or gives entries on. (A history that was
        changed is no reason: audits find what was, and repairs may undo it.)"""
        if isinstance(self.changed, MarkDamaged):
            raise self.changed

    def note_changes(self, *, first: bool = False) -> None:
        """Write down that policies, or tianyi.toml, are others than those last on record: people edit them by hand.

        Where none are on record they are compared with what ships; `first`: written down whatever they are.
        """
        from repository import evidence

        # Another process may have written them down, or a run that failed its version.
        self.catalogue.follow(self.vault)
        policies, vault = self.policies(), self.settings.vault_id
        if policies.digest != in_force.on_record(self.catalogue, first=first):
            kept = evidence.keep(self.committer, self._new_id, [policies.to_bytes()])
            self._note("policy", vault, "changed", {"policy": str(kept)})
        digest, before = in_force.of_file(self.settings), in_force.configured(self.catalogue)
        if digest != before and (before or first):
            self._note("configuration", vault, "changed", {"settings": digest})

    def identifier(self, asked: Asked = "unsure") -> Callable[[], Identifier]:
        """What makes the engine that tells formats here; it can be handed to workers. `asked`: when libmagic is."""
        from repository import identifiers, signatures

        kept = (self.settings.work / "signatures", *identifiers.users_cache())
        if imported := signatures.in_force(self.catalogue):
            return partial(identifiers.imported, *self._laid_out(imported), kept, asked)
        return partial(identifiers.identifier, kept, asked)

    def _laid_out(self, imported: Imported) -> tuple[Path, Path]:
        from repository import signatures

        settings = self.settings
        return signatures.laid_out(imported, settings.folder / "signatures", self.vault, settings.work)

    def _note(self, kind: str, about: str, outcome: str, detail: Mapping[str, Json]) -> None:
        time = stamp(self.now())
        event = Event(time=time, type=kind, agent=self.agent, object=about, outcome=outcome, detail=detail)
        self.committer.note(event)
        self.catalogue.follow(self.vault)

    def _new_id(self) -> UUID:
        return new_id(self.now)

    def _named(self, copy: str) -> tuple[list[Store], list[OcflCopy]]:
        """Every copy, or the one of that name: vaults, and those that keep packages; raise UnknownCopy."""
        stores = [store for store in self.vault.copies if copy in ("", store.name)]
        packed = [one for one in self.packages if copy in ("", one.name)]
        if not stores and not packed:
            raise UnknownCopy(copy, [known.name for known in self.settings.copies])
        return stores, packed

    def _required(self) -> Container[str] | None:
        """The copies that the policy asks for; all, where it cannot be read: what needs a policy will say so."""
        with suppress(PolicyError):
            return self.policies().copies.names()
        return None

    def _recover(self, disk: Disk) -> list[str]:
        """Finish what a crash cut short, unless somebody is at work at this moment."""
        quick = Committer(self.vault, self.settings.work, disk, patience=0, seal=self.seal)
        for one in self.packages:
            lock = self.settings.work / f"packages-{one.name}.lock"
            with suppress(StorageError), locked(lock, one.name, patience=0):
                one.tidy(partial(lives, self.settings.work))
        with suppress(Locked):
            return quick.recover()
        return []

    def _setting(self) -> Setting:
        from ingest.delivery import Setting
        from repository import scanners
        from repository.workers import workers

        policies = self.policies()
        identifier = self.identifier(policies.ingest.second_opinion)
        return Setting(
            committer=self.committer, work=self.settings.work, holds=self._holds,
            policies=policies, executor=workers, identifier=identifier, now=self.now,
            new_id=self._new_id, agent=self.agent, software=SOFTWARE, progress=self.progress,
            scanner=scanners.configured(self.settings), standards=self.settings.standards,
        )  # fmt: skip

    def _remembered(self) -> tuple[str, Digest] | None:
        from repository.ledger_files import remembered

        return remembered(self.catalogue)

    def _made(self) -> list[Made]:
        from repository.ledger_files import Made

        return [Made(self.catalogue, self.seal)]

    def _watch(self) -> Watch:
        from repository.watch import Watch
        from repository.workers import workers

        return Watch(
            catalogue=self.catalogue, committer=self.committer, work=self.settings.work, executor=workers,
            time=stamp(self.now()), agent=self.agent, new_id=self._new_id, progress=self.progress,
            sources=[*self.packages, *self._made()],
        )  # fmt: skip


def new_id(now: Callable[[], datetime]) -> UUID:
    return uuid7(now(), os.urandom(10))
