"""Catching up with copies that are behind (storage.replicate), and writing it down."""

from __future__ import annotations

from contextlib import suppress

from ingest.delivery import Setting
from storage.aip import stamp
from storage.errors import StorageError
from storage.event import Event
from storage.ledger import Ledger
from storage.replicate import Replicated, Replication
from storage.store import Store


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
