"""What is in force: the policies as they are written, and, as the ledger has it, those last on record and tianyi.toml's
digest."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from repository.catalogue import Catalogue
from repository.config import FILE, Config
from storage.digest import Digest, sha256
from storage.errors import StorageError
from storage.vault import Vault

if TYPE_CHECKING:
    from policies.effective import Policies


def written(settings: Config) -> Policies:
    """The policies in `policies/` over the defaults; raise PolicyError."""
    from ingest.codes import CODES
    from policies import document
    from repository import copies

    loaded = document.load(settings.policies if settings.policies.is_dir() else None, CODES)
    copies.check_required(loaded.copies.names(), settings)
    copies.check_named(loaded.audit.copies, settings)
    return loaded


def on_record(catalogue: Catalogue, *, first: bool) -> str:
    """The digest of the policies last written down; of those that ship where none were, "" for the `first` time."""
    from policies import document

    return _last(catalogue, "policy", "policy") or ("" if first else document.load(None).digest)


def last(catalogue: Catalogue, vault: Vault, *, shipped: bool = False) -> Policies | None:
    """The policies last written down; where none were, None or what is `shipped`. None too where they are another
    release's and lack something."""
    from pydantic import ValidationError

    from policies import document
    from policies.effective import Policies

    if not (digest := _last(catalogue, "policy", "policy")):
        return document.load(None) if shipped else None
    with suppress(StorageError, ValidationError), vault.open(Digest.parse(digest)) as stream:
        return Policies.model_validate_json(stream.read())
    return None


def of_file(settings: Config) -> str:
    """The digest of tianyi.toml as it is."""
    return str(sha256((settings.folder / FILE).read_bytes()))


def configured(catalogue: Catalogue) -> str:
    """The digest of tianyi.toml as it was when the ledger last told of it, "" where it never did."""
    return _last(catalogue, "settings", "founding", "configuration")


def _last(catalogue: Catalogue, member: str, *types: str) -> str:
    """What the newest entry of these types says under a member of its detail; "" where none says anything."""
    row = catalogue.one(
        f"select json_extract(detail, '$.{member}') as digest from events where type in ({', '.join('?' * len(types))})"
        " and digest is not null order by entry desc limit 1",
        *types,
    )
    return str(row["digest"]) if row else ""
