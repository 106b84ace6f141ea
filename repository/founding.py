"""Making a repository folder, and checking that its copies are copies of its vault."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path, PurePath
from uuid import UUID

from repository import config
from repository.config import Config, Copy
from repository.errors import NotEmpty
from storage import durable, founding, layout
from storage.away import Away
from storage.canonical import Json
from storage.commit import Committer, prepare_work
from storage.digest import sha256
from storage.errors import NotAVault, StorageError, Unreachable
from storage.event import Event
from storage.ledger import Ledger
from storage.seal import Seal
from storage.store import Store
from storage.vault import Vault

_FOLDERS = ("policies", "keys")


def make(folder: Path, copies: Sequence[str], vault_id: UUID, time: str, agent: str) -> Config:
    """Make a repository and found its vault in every copy; raise NotEmpty, NotAVault, UnsupportedCopy, StorageError or
    OSError. Where it fails, what it has made in folders is gone again, so that it can be asked for anew."""
    folder = folder.absolute()
    if folder.exists() and any(folder.iterdir()):
        raise NotEmpty(str(folder))
    named = [Copy("first", "vault"), *(Copy(f"copy-{n}", absolute(url)) for n, url in enumerate(copies, start=2))]
    made = Config(folder, str(vault_id), named)
    check_apart(named, folder)
    for copy in named[1:]:
        _check_unused(copy, made)
    was_there = folder.exists()
    _claim(folder)
    with ExitStack() as undo:
        undo.callback(_clear, folder, keep=was_there)
        for copy in named[1:]:
            if not config.is_s3(copy):
                root = config.local_path(copy, folder)
                undo.callback(_unmake, root, made, keep=root.exists())
        _found(made, time, agent)
        undo.pop_all()
    return made


def _claim(folder: Path) -> None:
    """From here on the folder is ours: of two who make a repository there at once, the other one is told."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (folder / "keys").mkdir(0o700)
    except FileExistsError as error:
        raise NotEmpty(str(folder)) from error


def _found(made: Config, time: str, agent: str) -> None:
    """Make the folders, the copies, the ledger's first entry, and last tianyi.toml: with that it is there."""
    folder, named = made.folder, made.copies
    roots = [config.local_path(copy, folder) for copy in named if not config.is_s3(copy)]
    for root in roots:
        root.mkdir(parents=True, exist_ok=True)
    (folder / "policies").mkdir()
    prepare_work(made.work)
    for place in (folder, *roots):
        durable.sync_made(durable.DISK, place)
    vault = Vault([config.open_copy(copy, made) for copy in named])
    for store in vault.copies:
        founding.found(store, founding.fixed_files(made.vault_id))
    seal = Seal(made.keys, made.vault_id, made.origin)
    Committer(vault, made.work, seal=seal).note(_event(made, time, agent, seal.make().verifier.text))
    text = config.render(made).encode()
    durable.publish(durable.DISK, folder / config.FILE, text, made.work / "scratch", exclusive=True, mode=0o644)


def _unmake(root: Path, made: Config, *, keep: bool) -> None:
    """Clear a copy's place, unless somebody else founded another vault there meanwhile."""
    with suppress(OSError):
        if not (root / layout.VAULT).exists() or made.vault_id.encode() in (root / layout.VAULT).read_bytes():
            _clear(root, keep=keep)


def _clear(folder: Path, *, keep: bool) -> None:
    """Remove what was made in a folder that was empty or not there, and the folder itself unless it is to be kept."""
    with suppress(OSError):  # what cannot be removed now, the next try tells of
        for path in list(folder.iterdir()) if keep else [folder]:
            is_folder = path.is_dir() and not path.is_symlink()
            durable.remove_tree(durable.DISK, path) if is_folder else durable.DISK.unlink(str(path))


def check_apart(copies: Sequence[Copy], folder: Path) -> None:
    """Raise NotAVault where one copy's place is another's, or inside it."""
    roots = [really(config.root_of(copy, folder)) for copy in copies]
    for root, copy in zip(roots, copies, strict=True):
        if any(root == other or root in other.parents for other in roots if other is not root):
            where = copy.url if config.is_s3(copy) else str(root)
            raise NotAVault(where, "another copy is the same folder, or inside it", "Name folders apart.")
    for root in roots:
        if root in (really(folder), *really(folder).parents) or any(
            really(folder / name) in (root, *root.parents) for name in ("work", *_FOLDERS)
        ):
            raise NotAVault(str(root), "the repository keeps other things there", "Name a folder outside it.")


def really(root: Path | PurePath) -> PurePath:
    """Where a folder really is, whatever links lead there; places in object stores are where they are."""
    return Path(os.path.realpath(root)) if isinstance(root, Path) else root


def prepared(copy: Copy, settings: Config) -> Store:
    """The place of a copy to be, made where it is a folder that is missing."""
    if not config.is_s3(copy):
        root = config.local_path(copy, settings.folder)
        root.mkdir(parents=True, exist_ok=True)
        durable.sync_made(durable.DISK, root)
    return config.open_copy(copy, settings)


def _check_unused(copy: Copy, made: Config) -> None:
    """Raise NotAVault where there is something already; Unreachable where nobody can say."""
    if config.is_s3(copy):
        used = next(config.open_copy(copy, made).listing(), None) is not None
    else:
        root = config.local_path(copy, made.folder)
        used = root.exists() and any(root.iterdir())
    if used:
        raise NotAVault(copy.url, "there is something in it already", "Name an empty place, or a new one.")


def _event(made: Config, time: str, agent: str, key: str) -> Event:
    """The ledger's first entry: which vault this is, the digests of the files that every copy has, and the key that
    signs its checkpoints."""
    files = {key: str(sha256(data)) for key, data in founding.fixed_files(made.vault_id).items()}
    detail: dict[str, Json] = {"files": files, "copies": [copy.name for copy in made.copies], "key": key}
    detail["settings"] = str(sha256(config.render(made).encode()))
    return Event(time=time, type="founding", agent=agent, object=made.vault_id, outcome="success", detail=detail)


def present(stores: Sequence[Store], vault_id: str) -> list[Store]:
    """The copies, those that do not answer as `Away`: a missing folder, or an empty one, which a disk that is not
    mounted leaves; an object store that is silent, or refuses the key; a place that holds something else. For the
    first copy, raises NotAVault where it is of another vault, Unreachable where it does not answer."""
    try:
        check(stores[0], vault_id)
    except Unreachable as error:
        error.next = _without_first([store.name for store in stores[1:]])
        raise
    return [stores[0], *(_present(store, vault_id) for store in stores[1:])]


def _without_first(others: Sequence[str]) -> str:
    if not others:
        return "See that its disk is mounted and readable."
    return (
        "See that its disk is mounted and readable. If it is lost, another copy can take its place:"
        f" `tianyi copies promote NAME`; the others are {', '.join(others)}."
    )


def _present(store: Store, vault_id: str) -> Store:
    try:
        check(store, vault_id)
    except Unreachable as error:
        return Away(store.name, error.where, error.why, error.next)
    except NotAVault as error:
        return Away(store.name, store.name, str(error).removesuffix("."), error.next)
    return store


def check(store: Store, vault_id: str) -> None:
    """Raise NotAVault where a copy is of another vault, Unreachable where it does not answer or is empty."""
    if next(store.listing(), None) is None:
        raise Unreachable(store.name, "it is empty: its disk is not mounted, or is a new one")
    try:
        found = founding.identity(store)
    except Unreachable:
        return  # the copy answers, its file does not: an audit finds that
    except NotAVault:
        if _is_damaged(store, vault_id):
            return
        raise
    if not found and (other := _founded(store)) not in ("", vault_id):
        raise NotAVault(store.name, f"it is a copy of another vault ({other})", "Correct tianyi.toml.")
    if found not in ("", vault_id) and not _is_damaged(store, vault_id):
        raise NotAVault(store.name, f"it is a copy of another vault ({found})", "Correct tianyi.toml.")


def _founded(store: Store) -> str:
    """The vault that a copy's own ledger tells of, "" where it tells of none."""
    with suppress(StorageError, OSError):
        return next((event.object for _, _, event in Ledger(store).read(0, 1)), "")
    return ""


def _is_damaged(store: Store, vault_id: str) -> bool:
    """Whether the copy's own ledger says that it is of our vault, and that its tianyi-vault.json has other bytes: then
    an audit finds the damage, and a repair heals it."""
    with suppress(StorageError, OSError), store.open(layout.VAULT) as stream:
        for _, _, event in Ledger(store).read(0, 1):
            files = event.detail.get("files")
            wanted = files.get(layout.VAULT) if isinstance(files, Mapping) else None
            return event.object == vault_id and wanted not in (None, str(sha256(stream.read())))
    return False


def absolute(url: str) -> str:
    """A copy's URL as it is kept: paths made absolute, since the user meant them from where he stood. Links in them
    stay, for where they lead may change with the disk that is mounted."""
    return url if ":" in url.split("/")[0] else os.path.abspath(url)
