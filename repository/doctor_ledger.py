"""The doctor on the ledger's key: whether it is there, is the one that signs, and is nobody else's to read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from repository.config import Config
from repository.doctor_check import Advice, Check, Wrong, checked
from storage.errors import StorageError
from storage.seal import KEY, Seal

_KEY = Advice(
    "warning", "Entries are written, and no checkpoint signs them: nobody outside can tell that they were not changed.",
    "Bring the key back from where it is kept safe; or `tianyi ledger replace-lost-key --reason WORDS`.",
)  # fmt: skip
_MODE = Advice("warning", "Others can sign in this repository's name.", f"chmod 600 keys/{KEY}")


def examine(settings: Config) -> Iterator[Check]:
    """What can be said without opening the repository."""
    seal = Seal(settings.keys, settings.vault_id, settings.origin)
    key = checked("ledger: key", _KEY, lambda: _key(seal))
    yield key
    if key.ok:
        yield checked("ledger: key's mode", _MODE, lambda: _mode(seal))


def _key(seal: Seal) -> str:
    try:
        key, public = seal.private(KEY), seal.public()
    except StorageError as error:
        raise Wrong(str(error)) from error
    if not key:
        raise Wrong(f"{seal.folder / KEY} is not there" if public else "none yet: the next entry makes one")
    if public and key.verifier != public[0]:
        raise Wrong(f"{seal.folder / KEY} is another than ledger.pub says")
    return key.verifier.text


def _mode(seal: Seal) -> str:
    mode = stat.S_IMODE(os.stat(seal.folder / KEY).st_mode)
    if mode & 0o077:
        raise Wrong(f"{mode:04o} instead of 0600")
    return f"{mode:04o}"
