"""Blobs on their way into every copy: one run's scratch space, made durable batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from storage.digest import Digest
from storage.errors import StorageError
from storage.lock import is_held, locked
from storage.receive import Holds, Received, Waiting, receive
from storage.store import Batch, Pending, Store


class Staging:
    """One run. Opened before the first byte is written, closed when all that was placed is durable."""

    def __init__(self, run: str, stores: Sequence[Store], batches: dict[str, Batch], work: Path) -> None:
        self.run = run
        self.stores = stores
        self.behind: set[str] = set()
        self._batches = batches
        self._work = work

    def receive(self, parts: Iterable[bytes], holds: Holds, claimed: Digest | None = None) -> Received:
        """Take in one blob in this process; its bytes are durable after `settle`."""
        return receive(self.stores, self.run, parts, holds=holds, claimed=claimed)

    def settle(self, received: Iterable[Received | Waiting]) -> None:
        """Make blobs durable under their names in every copy that took them: flush → place → flush.

        Raises SyncFailed or NoRoom for the first copy: then nothing of the batch is trusted. Another copy that
        fails is behind from then on. Runs that settle at the same time take turns on disks: a folder that one has made
        is durable before another relies on it. Object stores, which may take long, keep nobody else waiting: a sweep
        may then take a blob away that was there before and has just been placed again, which the commit finds.
        """
        waiting = self._by_copy(received)
        far = {name: waiting.pop(name) for name in list(waiting) if self._batches[name].filesystem is None}
        with settling(self._work):
            self._flush(waiting)
            self._place(waiting)
            self._flush(waiting)
        self._place(far)

    def _place(self, waiting: dict[str, list[Pending]]) -> None:
        for name in list(waiting):
            self._trying(name, waiting, lambda name=name: self._batches[name].place(waiting[name]))  # type: ignore[misc]

    def _by_copy(self, received: Iterable[Received | Waiting]) -> dict[str, list[Pending]]:
        """What is to be placed in each copy, each key once (the last writer's bytes are as good as the first's)."""
        waiting: dict[str, dict[str, Pending]] = {}
        for blob in received:
            self.behind.update(blob.behind)
            for name, pending in blob.pending:
                waiting.setdefault(name, {})[pending.key] = pending
        return {name: list(pending.values()) for name, pending in waiting.items() if name not in self.behind}

    def _flush(self, waiting: dict[str, list[Pending]]) -> None:
        flushed = set()
        for name in list(waiting):
            if (filesystem := self._batches[name].filesystem) not in flushed:
                self._trying(name, waiting, self._batches[name].flush)
                if name in waiting:  # it did: one that failed says nothing for the next
                    flushed.add(filesystem)

    def _trying(self, name: str, waiting: dict[str, list[Pending]], act: Callable[[], None]) -> None:
        try:
            act()
        except StorageError:
            if name == self.stores[0].name:
                raise
            self.behind.add(name)
            del waiting[name]


@contextmanager
def running(run: str, work: Path, patience: float = 1.0) -> Iterator[None]:
    """Hold a run's mark: what lies under its name in scratch folders is in use as long as the block lasts.

    Raises Locked after `patience` seconds: by default as many as a sweep may be trying it.
    """
    mark = work / "runs" / run
    with ExitStack() as stack:
        stack.callback(mark.unlink, missing_ok=True)
        stack.enter_context(locked(mark, f"run {run}", patience))
        yield


@contextmanager
def staging(run: str, stores: Sequence[Store], work: Path) -> Iterator[Staging]:
    """Open a run's scratch space in every copy that answers; on leaving, what was not placed is gone.

    A run holds a kernel lock under `work/runs/` from before it makes a scratch folder until that is gone; `lives`
    tells it from the dead by that.
    """
    with ExitStack() as stack:
        stack.enter_context(running(run, work))
        batches: dict[str, Batch] = {}
        away = set()
        for store in stores:
            try:
                batches[store.name] = stack.enter_context(store.batch(run))
            except StorageError:
                if store is stores[0]:
                    raise
                away.add(store.name)
        answering = [store for store in stores if store.name in batches]
        opened = Staging(run, answering, batches, work)
        opened.behind |= away
        yield opened


def lives(work: Path, run: str) -> bool:
    """Whether a run whose scratch folder was seen before this call is still at work."""
    return is_held(work / "runs" / run)


@contextmanager
def settling(work: Path) -> Iterator[None]:
    """Hold the lock under which blobs get their names; raise Locked."""
    with locked(work / "settle.lock", "the copies' batch"):
        yield


def oldest_run(work: Path) -> datetime | None:
    """When the oldest run began that is at work at this moment; None where none is."""
    began = []
    for mark in (work / "runs").glob("*"):
        with suppress(FileNotFoundError):  # it has just ended
            if is_held(mark):
                began.append(mark.stat().st_mtime)
    return datetime.fromtimestamp(min(began), UTC) if began else None
