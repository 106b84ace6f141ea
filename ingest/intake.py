"""The way of files into the vault: examined in chunks on an executor, made durable batch by batch, and written down as
settled, so that a run which is cut short is gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from operator import attrgetter
from pathlib import Path

from ingest.delivery import Setting
from ingest.examine import Desk
from ingest.examined import Examined, examined
from ingest.fits import check_fits
from ingest.settled import Settled
from ingest.worklist import Worklist
from storage.parallel import MORE_AHEAD, Carried, in_order
from storage.portions import cut, portions
from storage.receive import Received, Waiting
from storage.spool import Spool
from storage.staging import Staging

CHUNK_FILES, CHUNK_BYTES = 250, 64 << 20  # what a worker is handed at once
BATCH_FILES, BATCH_BYTES = 10_000, 4 << 30  # what becomes durable at once


class Intake:
    """What comes in of one delivery. Findings go on `worklist`; `heed` is asked between chunks, and raises Cancelled
    where the run is to stop."""

    def __init__(self, setting: Setting, stage: Staging, worklist: Worklist, heed: Callable[[], None]) -> None:
        self._setting, self._stage, self._worklist, self._heed = setting, stage, worklist, heed
        self._waiting: list[Waiting] = []
        self._waiting_bytes = 0
        self._infected: Spool[Waiting] = Spool()  # they get names in the vault only if they are accepted
        self._unsettled: list[int] = []  # numbers of files that were examined, and may not be durable yet
        self._settled: Settled
        self._desk: Desk

    def examine(self, resumes: Path, told: str, *, store: bool, to_the_last: bool) -> None:
        """Hash, identify and, with `store`, keep every file; none is read again that a run which was cut short has
        settled in the file `resumes`, if `told`, what it was examined with, is the same. `to_the_last`: all is durable
        on return; else what came last waits for its batch."""
        setting, (files, size) = self._setting, self._worklist.totals()
        stores = tuple(self._stage.stores) if store else ()
        self._desk = Desk(
            stores, self._stage.run, setting.holds, setting.identifier, setting.policies.ingest.digests,
            setting.scanner, self._heed,
        )  # fmt: skip
        setting.progress.begin("Reading", files, size)
        with closing(Settled(resumes, told)) as self._settled:
            self._settled.recall(self._worklist, stores, setting.progress.advance)
            if stores:
                check_fits(stores[0], self._worklist, self._heed)
            self._examine(self._worklist, self._take)
            if to_the_last:
                self._settle_known()
        setting.progress.end()

    def examine_also(self, out: Worklist, what: str) -> None:
        """The same of files on another worklist, which are not written down as settled; for once `examine` is done."""
        self._setting.progress.begin(what, *out.totals())
        self._examine(out, partial(self._take_also, out))
        self._setting.progress.end()

    def keep(self, parts: Iterable[bytes]) -> Received:
        """Take in one blob of our own making; durable after `settle`."""
        received = self._stage.receive(parts, self._setting.holds)
        self._waiting.append(received.waiting)
        return received

    def settle(self) -> None:
        """What came in is durable under its names on return; raises as Staging.settle."""
        self._heed()
        self._stage.settle(self._waiting)
        self.forget()

    def settle_infected(self) -> None:
        """Give the infected files' blobs their names, as somebody has accepted them."""
        for some in portions(self._infected, BATCH_FILES):
            self._waiting.extend(some)
            self.settle()

    def forget(self) -> None:
        """Nothing waits any more: what has no name yet never will have one."""
        self._waiting.clear()
        self._waiting_bytes = 0

    def _examine(self, worklist: Worklist, take: Callable[[Examined], None]) -> None:
        with self._setting.executor(*worklist.totals()) as executor:
            tasks = cut(worklist.tasks(), attrgetter("size"), CHUNK_FILES, CHUNK_BYTES)
            for chunk in in_order(executor, partial(examined, Carried(self._desk)), tasks, MORE_AHEAD):
                take(chunk)

    def _take(self, chunk: Examined) -> None:
        self._put_by(chunk, self._worklist)
        self._unsettled += chunk.clean
        if self._is_batch():
            self._settle_known()

    def _take_also(self, out: Worklist, chunk: Examined) -> None:
        self._put_by(chunk, out)
        if self._is_batch():
            self.settle()

    def _put_by(self, chunk: Examined, worklist: Worklist) -> None:
        """Write down what was found, and let what was received wait for its batch."""
        self._heed()
        worklist.found(chunk.found)
        self._worklist.tell(chunk.findings)
        self._waiting += chunk.waiting
        self._waiting_bytes += sum(blob.size for blob in chunk.waiting)
        self._infected.extend(chunk.infected)
        self._setting.progress.advance(chunk.files, chunk.size)

    def _is_batch(self) -> bool:
        return len(self._waiting) >= BATCH_FILES or self._waiting_bytes >= BATCH_BYTES

    def _settle_known(self) -> None:
        self.settle()
        self._settled.keep(self._worklist.known(self._unsettled))
        self._unsettled.clear()
