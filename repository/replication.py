"""Catching up with copies that are behind (storage.replicate), and writing it down."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from storage.aip import stamp
from storage.commit import Committer
from storage.errors import StorageError
from storage.event import Event
from storage.ledger import Ledger
from storage.parallel import Workers
from storage.progress import Progress
from storage.replicate import Replicated, Replication
from storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """With what copies are brought up, and in whose name that goes on record."""

    committer: Committer
    work: Path
    executor: Workers
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    agent: str
    progress: Progress


def bring_up(target: Store, setting: Setting) -> Replicated:
    """Bring one copy up to the others; what stopped it is told in `behind`, under no key. One entry of the ledger."""
    replication = Replication(
        setting.committer, target, setting.work, f"replication-{setting.new_id()}", setting.executor, setting.progress
    )
    try:
        replication.carry_out()
    except StorageError as error:
        replication.result.behind[""] = f"{error} {error.next}".strip()
    if replication.result.copied:
        note(replication.result, setting)
        with suppress(StorageError), setting.committer.lock():  # the entry itself: a copy may not be asked to follow
            Ledger(target).follow(setting.committer.vault.ledger)
    return replication.result


def note(result: Replicated, setting: Setting) -> None:
    """Write down what a copy was brought."""
    detail = {"copied": result.copied, "bytes": result.size, "behind": len(result.behind)}
    outcome = "incomplete" if result.behind else "success"
    event = Event(
        time=stamp(setting.now()), type="replication", agent=setting.agent, object=result.copy, outcome=outcome,
        detail=detail,
    )  # fmt: skip
    setting.committer.note(event)
