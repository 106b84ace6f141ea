"""Making a copy of the vault, and knowing one: README.txt, restore.py and tianyi-vault.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files

from storage import layout
from storage.canonical import canonical
from storage.errors import NotAVault, NotFound
from storage.store import Store
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


def found(store: Store, vault_id: str) -> None:
    """Make an empty copy a copy of that vault; raise NotAVault where something else is there already."""
    for key in store.listing():
        raise NotAVault(store.name, f"there is already something in it ({key})", "Name an empty folder.")
    for key, data in fixed_files(vault_id).items():
        store.create(key, data)


def found_like(store: Store, vault: Vault) -> None:
    """Make an empty copy another copy of a vault; raise NotAVault where something else is there already."""
    for key in store.listing():
        raise NotAVault(store.name, f"there is already something in it ({key})", "Name an empty place.")
    for key in layout.FIXED:
        with vault.first_good(key, lambda stream: None) as stream:
            store.create(key, stream.read())


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
    except (ValueError, KeyError, TypeError):
        return ""
    except NotFound as error:
        if next(store.listing(layout.AIPS), None):
            return ""
        raise NotAVault(store.name, f"{layout.VAULT} is not there", "Is its disk mounted?") from error
