"""Evidence: long lists and policies as blobs of the vault, named in an entry of the ledger by their digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from storage import receive
from storage.commit import Committer
from storage.digest import Digest
from storage.receive import HoldsNothing
from storage.staging import staging
from storage.vault import Vault


def keep(committer: Committer, new_id: Callable[[], UUID], parts: Iterable[bytes]) -> Digest:
    """Put a blob into every copy that answers, durable on return; nothing refers to it before an entry does."""
    with staging(f"report-{new_id()}", committer.vault.prompt, committer.work) as stage:
        received = stage.receive(receive.joined(parts), HoldsNothing())
        stage.settle([received])
    return received.digest


def keep_all(committer: Committer, new_id: Callable[[], UUID], blobs: Mapping[str, bytes]) -> dict[str, Digest]:
    """The same of several small blobs, by name, made durable together."""
    with staging(f"report-{new_id()}", committer.vault.prompt, committer.work) as stage:
        received = {name: stage.receive([data], HoldsNothing()) for name, data in blobs.items()}
        stage.settle(received.values())
    return {name: one.digest for name, one in received.items()}


def rows(vault: Vault, digest: Digest) -> Iterator[dict[str, Any]]:
    """The rows of a list that was kept; raise NotFound, Damaged or Unreachable."""
    with vault.open(digest) as stream:
        yield from map(json.loads, receive.lines(stream))


def lines(rows: Iterable[Mapping[str, str | int]]) -> Iterator[bytes]:
    """Rows as JSON, one a line."""
    return (json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n" for row in rows)
