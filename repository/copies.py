"""The copies of a vault: how each stands, and declaring, promoting and retiring one."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from policies.errors import Mistake, PolicyFileError
from repository import config, founding, ledger_files, packages
from repository.catalogue import Catalogue
from repository.config import FORMS, Config, Copy
from repository.errors import BadConfig, BadRequest, NotEmpty, UnknownCopy
from storage.aip import stamp
from storage.canonical import Json
from storage.checkpoint import Checkpoint
from storage.commit import prepare_work
from storage.errors import Diverged, HistoryChanged, NotAVault, StorageError, Unreachable, Unsigned
from storage.founding import found, known_files
from storage.history import History
from storage.ledger import Ledger
from storage.lock import locked
from storage.seal import Seal
from storage.store import Store
from storage.vault import Vault

if TYPE_CHECKING:
    from storage.ocfl_copy import OcflCopy


@dataclass(frozen=True, slots=True)
class CopyState:
    """How a copy stands. `state` is complete, behind, away or damaged; `behind` counts the keys that it lacks;
    `last_read_in_full` is UTC with a Z, "" where it never was; `why` tells of one that is away, `next` what to do about
    it, "" where only the disk can be looked at."""

    copy: Copy
    state: str
    behind: int
    last_read_in_full: str
    why: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Promoted:
    """A copy became the first. `entries` of the ledger, as they were known, are not in it; `abandoned` is the newest
    checkpoint, where the copy's ledger is not what it says."""

    name: str
    before: str
    entries: int
    abandoned: Checkpoint | None = None

    def told(self) -> dict[str, Json]:
        """The detail of the ledger's entry."""
        said: dict[str, Json] = {"before": self.before, "entries": self.entries}
        if self.abandoned:
            said["abandoned"] = {"size": self.abandoned.size, "root": self.abandoned.root.hex()}
        return said


def states(
    settings: Config, vault: Vault, packed: Sequence[OcflCopy], catalogue: Catalogue, seal: Seal, now: datetime
) -> list[CopyState]:
    """Every copy in its order, by listings: nothing is read."""
    lack: dict[str, Callable[[], int]] = {
        **{store.name: partial(_behind, store, vault, catalogue, seal) for store in vault.copies},
        **{copy.name: partial(packages.behind, copy, vault, settings.vault_id) for copy in packed},
    }
    return [_state(copy, lack[copy.name], catalogue, now) for copy in settings.copies]


def _state(copy: Copy, lacks: Callable[[], int], catalogue: Catalogue, now: datetime) -> CopyState:
    from repository import damage

    read = _last_reading(catalogue, copy.name, now)
    try:
        behind = lacks()
    except (Diverged, Unsigned) as error:
        return CopyState(copy, "damaged", 0, read, str(error))
    except StorageError as error:
        why = error.why if isinstance(error, Unreachable) else str(error)
        return CopyState(copy, "away", 0, read, why, "" if error.next == Unreachable.next else error.next)
    return CopyState(
        copy, "damaged" if damage.count(catalogue, copy.name) else "behind" if behind else "complete", behind, read
    )


def _behind(store: Store, vault: Vault, catalogue: Catalogue, seal: Seal) -> int:
    """Keys that the copy lacks, the ledger's ends among them; raise Diverged or Unsigned."""
    from repository.watch import expected
    from storage import lacking

    Ledger(store).check_same(vault.ledger.alone(vault.first))
    ends = (one.key for one in ledger_files.ends(catalogue, vault, seal))
    keys = heapq.merge((one.key for one in expected(catalogue)), ends)
    return sum(1 for _ in lacking.missing(store.listing(), keys))


def _last_reading(catalogue: Catalogue, copy: str, now: datetime) -> str:
    from repository import coverage

    read = coverage.read_in_full(catalogue, copy, now)
    return stamp(read) if read else ""


def check_required(required: frozenset[str] | None, settings: Config) -> None:
    """Raise PolicyFileError where the policy asks for a copy that there is not, or that cannot be waited for."""
    known = {copy.name for copy in settings.copies if not packages.is_package(copy)}
    if strange := sorted((required or frozenset()) - known):
        fix = f"The copies are: {', '.join(sorted(known))}."
        wrong = f"there is no copy of the vault called {strange[0]}"
        raise PolicyFileError([Mistake(str(settings.policies / "copies.yaml"), 0, "required", wrong, fix)])


def check_named(promised: Iterable[str], settings: Config) -> None:
    """Raise PolicyFileError where the policy promises something of a copy that there is not."""
    known = [copy.name for copy in settings.copies]
    if strange := sorted(set(promised) - set(known)):
        wrong, fix = f"there is no copy called {strange[0]}", f"The copies are: {', '.join(known)}."
        raise PolicyFileError([Mistake(str(settings.policies / "audit.yaml"), 0, "copies", wrong, fix)])


def check_outside(place: Path, settings: Config) -> None:
    """Raise BadRequest for a place inside a copy: nothing is written there but by the vault."""
    place = Path(os.path.realpath(place))
    for copy in settings.copies:
        if founding.really(config.root_of(copy, settings.folder)) in (place, *place.parents):
            raise BadRequest(f"{place} lies in the copy {copy.name}.", "Name a place outside the copies.")


def add(settings: Config, vault: Vault, copy: Copy) -> None:
    """Found the vault in an empty place and declare it as the last copy; raise BadRequest, NotEmpty, Unreachable,
    and NotAVault where the place is another's."""
    from repository import config_edit

    _check_possible(settings, copy)
    founding.check_apart([*settings.copies, copy], settings.folder)
    try:
        if packages.is_package(copy):
            packages.found(copy, settings)
        else:
            found(founding.prepared(copy, settings), known_files(vault))
    except (NotAVault, FileExistsError) as error:  # something else is there, or it is a file
        raise NotEmpty(copy.url) from error
    config_edit.add(settings, copy)


def _check_possible(settings: Config, copy: Copy) -> None:
    """Raise BadRequest where a copy cannot be declared as it is said; nothing is asked of its place."""
    if any(copy.name == known.name for known in settings.copies):
        raise BadRequest(f"There is a copy called {copy.name} already.", "Name it otherwise, or retire that one.")
    try:
        config.check_copies([*settings.copies, copy], settings.folder / config.FILE)
        if config.is_s3(copy):
            config.open_copy(copy, settings)  # which reads its options
    except BadConfig as error:
        raise BadRequest(f"There cannot be such a copy: {error.why}.", "Name it otherwise.") from error
    if config.is_s3(copy) and packages.is_package(copy):
        raise BadRequest(f"A copy of the form {copy.form} is a folder, which {copy.url} is not.", "Name a folder.")


def check_spared(name: str, stood: Sequence[CopyState], required: frozenset[str] | None) -> None:
    """Raise BadRequest where a copy may be the only one that has something, or is one that the policy asks for."""
    if name in (required or ()):
        raise BadRequest(f"The policy asks for {name}.", "Change `required` in policies/copies.yaml before.")
    answers = any(state.copy.name == name and state.state != "away" for state in stood)
    if answers and not any(state.state == "complete" for state in stood if state.copy.name != name):
        raise BadRequest(
            f"No other copy is complete: {name} may have what they lack.", "`tianyi replicate`, or repair, before."
        )


def retire(settings: Config, name: str) -> Copy:
    """Declare a copy no longer, and leave what is in it; raise UnknownCopy, or BadRequest for the first."""
    from repository import config_edit

    copy = _named(settings, name)
    if copy == settings.copies[0]:
        raise BadRequest(f"{name} is the first copy, which decides what exists.", "Promote another one before.")
    config_edit.remove(settings, name)
    return copy


def promote(folder: Path, name: str) -> Promoted:
    """Make a copy the first, and what its ledger says count; the repository need not open for it.

    Where the first copy still answers, the other has to be complete: no entry of the ledger may be missing in it. The
    first itself can be named where its ledger is not what the newest checkpoint says. Raises UnknownCopy, BadRequest,
    Unreachable or NotAVault; then nothing was changed.
    """
    from repository import config_edit

    settings = config.load(folder)
    copy, first = _named(settings, name), settings.copies[0]
    if copy.form != FORMS[0]:
        raise BadRequest(f"{name} keeps packages, and cannot be the first copy.", "Promote one of the others.")
    prepare_work(settings.work)  # it may be lost with the disk
    with locked(settings.work / "commit.lock", "the vault"):
        store = config.open_copy(copy, settings)
        founding.check(store, settings.vault_id)
        size, seal = Ledger(store).size(), Seal(settings.keys, settings.vault_id, settings.origin)
        changed, mark = _is_changed(store, seal), seal.mark()
        if copy == first and not changed:
            raise BadRequest(f"{name} is the first copy already.", "`tianyi copies` shows their order.")
        if copy != first:
            _refuse_if_behind(settings, first, name, size, seal)
        known = max(_known_entries(settings), mark[0].size if mark else 0)
        if changed:
            seal.abandon(size)
        if copy != first:
            config_edit.put_first(settings, name)
    return Promoted(name, first.name, max(0, known - size), mark[0] if mark and changed else None)


def _is_changed(store: Store, seal: Seal) -> bool:
    """Whether a copy's ledger, by itself, is not what the newest checkpoint says."""
    try:
        History(Vault([store]), seal).prove()
    except HistoryChanged:
        return True
    return False


def _refuse_if_behind(settings: Config, first: Copy, name: str, size: int, seal: Seal) -> None:
    with suppress(StorageError, NotAVault):
        store = config.open_copy(first, settings)
        founding.check(store, settings.vault_id)
        vault = Vault([store])
        History(vault, seal)
        if vault.ledger.size() > size:
            raise BadRequest(
                f"{name} is behind {first.name}, which still answers.", "Run `tianyi replicate`, then promote it."
            )


def _known_entries(settings: Config) -> int:
    """How many entries of the ledger the catalogue knows; 0 where there is none."""
    if not settings.catalogue.exists():
        return 0
    catalogue = Catalogue(settings.catalogue)
    try:
        return catalogue.position
    finally:
        catalogue.close()


def _named(settings: Config, name: str) -> Copy:
    for copy in settings.copies:
        if copy.name == name:
            return copy
    raise UnknownCopy(name, [copy.name for copy in settings.copies])
