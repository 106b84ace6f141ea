"""The checkpoint that is to be given out: the ledger's newest, its signature checked; and what became of it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property

from repository import proving
from repository.catalogue import Catalogue
from storage.canonical import Json
from storage.checkpoint import parse_checkpoint
from storage.merkle import Nodes
from storage.vault import Vault

STAMP = "time-stamp"
"""The kind of what no witness was given: an authority stamped it."""
QUIET = ("job", STAMP, "witness")  # entries that make nothing due
GIVEN, FAILED, CONTRADICTED = "success", "fail", "contradicted"


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of a checkpoint over `size` entries: to whom it went, or who stamped it; `outcome` is "" where it was
    only planned, `why` tells what is due, or what went wrong."""

    to: str
    kind: str
    size: int
    outcome: str
    why: str
    detail: dict[str, Json] | None = None


class Newest:
    """The ledger's newest checkpoint, at one moment."""

    def __init__(self, catalogue: Catalogue, vault: Vault, vault_id: str) -> None:
        self._catalogue, self._vault, self._vault_id = catalogue, vault, vault_id

    @cached_property
    def text(self) -> str:
        """Its note, with its signature; raise NothingSigned."""
        proving.signed(self._catalogue, self._vault, self._vault_id)
        return (self._vault.ledger.checkpoint() or b"").decode()

    @cached_property
    def nodes(self) -> Nodes:
        """The tree that it is about."""
        return self._vault.ledger.nodes()

    @property
    def size(self) -> int:
        return parse_checkpoint(self.text.encode())[0].size

    def has_grown(self, size: int) -> bool:
        """Whether the ledger has an entry after so many that is not of our own making; a shorter one has, in a way."""
        marks = ",".join("?" * len(QUIET))
        query = f"select 1 from events where entry >= ? and entry < ? and type not in ({marks}) limit 1"
        return size > self.size or self._catalogue.one(query, size, self.size, *QUIET) is not None

    def told(self) -> dict[str, Json]:
        """What an entry says of it."""
        now, _ = parse_checkpoint(self.text.encode())
        return {"size": now.size, "root": b64encode(now.root).decode()}
