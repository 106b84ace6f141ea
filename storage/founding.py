"""Making a copy of the vault, and knowing one: README.txt, restore.py and tianyi-vault.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files

from storage import layout
from storage.canonical import canonical
from storage.digest import sha256
from storage.errors import Damaged, NotAVault, NotFound, StorageError
from storage.store import Opens, Store
from storage.vault import Vault

VERSION = "1"


def fixed_files(vault_id: str) -> Mapping[str, bytes]:
    """The files that every copy of a vault has, byte for byte, by key."""
    shipped = files("storage") / "in_vault"
    identity = canonical({"vault": VERSION, "id": vault_id, "digest": "sha256"}) + b"\n"
    return {
        layout.README: (shipped / layout.README).read_bytes(),
        layout.RESTORE: (shipped / layout.RESTORE).read_bytes(),
        layout.VAULT: identity,
    }


def found(store: Store, wanted: Mapping[str, bytes]) -> None:
    """Make an empty copy, or one whose founding was cut short, a copy of the vault that has these files.

    Raises NotAVault where something else is there already.
    """
    for key in store.listing():
        if key not in wanted or _read(store, key) != wanted[key]:
            raise NotAVault(store.name, f"there is already something in it ({key})", "Name an empty place.")
    for key, data in wanted.items():
        store.replace(key, data)


def known_files(vault: Vault) -> Mapping[str, bytes]:
    """The files that every copy has, each right by its digest in the ledger's first entry; raise Damaged where no copy
    has one so, and it is not the one that ships today."""
    event = next((event for _, _, event in vault.ledger.read(0, min(1, vault.ledger.size()))), None)
    if event is None:  # the ledger is lost in every copy
        return fixed_files(identity(vault.first))
    digests, shipped = event.detail.get("files"), fixed_files(event.object)
    if not isinstance(digests, Mapping):
        raise Damaged("The ledger's first entry")
    return {key: _known(vault, key, str(digests.get(key)), shipped[key]) for key in layout.FIXED}


def _known(vault: Vault, key: str, digest: str, shipped: bytes) -> bytes:
    for store in vault.copies:
        with suppress(StorageError, OSError):
            if str(sha256(data := _read(store, key))) == digest:
                return data
    if str(sha256(shipped)) != digest:
        raise Damaged(f"{key} in every copy")
    return shipped


def _read(store: Opens, key: str) -> bytes:
    with store.open(key) as stream:
        return stream.read()


def identity(store: Store) -> str:
    """The id of the vault that this is a copy of, "" where its file is damaged or gone, which an audit finds and a
    repair heals; raise NotAVault for a newer one, and for a folder that is no copy at all; Unreachable.
    """
    try:
        with store.open(layout.VAULT) as stream:
            members = json.loads(stream.read())
        if members["vault"] != VERSION:
            raise NotAVault(store.name, f"it is of version {members['vault']}", "Use a newer Tianyi.")
        return str(members["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    except NotFound as error:
        if next(store.listing(layout.AIPS), None):
            return ""
        raise NotAVault(store.name, f"{layout.VAULT} is not there", "Is its disk mounted?") from error
