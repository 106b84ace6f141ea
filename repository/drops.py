"""Watching a drop folder: each entry that has come to rest is taken in once, and told of.

What was taken is in work/state.db, written together with where the delivery of an accession lies: so a kill between
the two cannot make one delivery two accessions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ingest import drop_folder
from ingest.delivery import Delivery, Receipt, look
from ingest.drop_folder import Entry, Waiting
from ingest.errors import IngestError, NoSuchPackage, UnknownPackage
from ingest.terms import NO_TERMS, Terms
from repository.accession import INTERRUPTED
from repository.errors import BadRequest, DeliveryChanged
from repository.inflight import InFlight
from repository.repository import Repository
from storage.lock import locked
from storage.names import escape_path

PAUSE = 5.0  # seconds between two looks, at most where they are quick
SHARE = 10  # a look is followed by a rest of so many times its own length, at least


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of every delivery of a folder."""

    producer: str = ""
    kind: str = ""
    terms: Terms = NO_TERMS


@dataclass(frozen=True, slots=True)
class Drop:
    """What became of an entry: a receipt, or why it was not taken in now."""

    name: bytes
    result: Receipt | Exception


Take = Callable[[], Iterable[Receipt]]


def expected(take: Take) -> list[Receipt] | Exception:
    """What comes of a delivery, or what is wrong with it: it was cancelled, or went away."""
    try:
        return list(take())
    except IngestError as error:
        return error


@dataclass(slots=True)
class DropFolder:
    """A folder that is watched. `opens` gives the repository, anew for each delivery: a copy that was away then may be
    back. `clock` and `sleep` in seconds. `attempt` takes one in, and returns the errors that do not keep the others
    from being taken."""

    folder: Path
    work: Path
    opens: Callable[[], Repository]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    settle: float = 30.0
    said: Said = Said()
    attempt: Callable[[Take], list[Receipt] | Exception] = expected
    _told: dict[bytes, str] = field(default_factory=dict)
    """What was said of the entries that cannot be taken."""

    def watch(self, *, once: bool = False) -> Generator[Drop]:
        """Go on with what was interrupted, then yield what becomes of each delivery, until told to stop; with `once`,
        of those alone that are there now and are at rest.

        Raises NoSuchPackage, BadRequest for what is no folder, Locked where somebody watches it already, OSError where
        it cannot be listed, and what stops an ingest: the accession is gone on with when the folder is watched next.
        """
        with self._alone():
            yield from self._gone_on()
            waiting = Waiting(self.settle)
            began = self.clock()
            yield from self._look(waiting, began)
            while True:
                self.sleep(self.settle if once else max(min(self.settle, PAUSE), SHARE * (self.clock() - began)))
                began = self.clock()
                yield from self._look(waiting, began)
                if once:
                    return

    @contextmanager
    def _alone(self) -> Iterator[None]:
        shown = escape_path(os.fsencode(self.folder))
        if not self.folder.exists():
            raise NoSuchPackage(shown)
        if not self.folder.is_dir():
            raise BadRequest(f"{shown} is no folder.", "Name a drop folder; a package is taken in without --watch.")
        self.folder = self.folder.resolve()
        facts = self.folder.stat()
        place = self.work / f"watch-{facts.st_dev}-{facts.st_ino}.lock"
        with locked(place, f"The watching of {escape_path(os.fsencode(self.folder))}", patience=0):
            yield

    def _gone_on(self) -> Iterator[Drop]:
        with self.opens() as repository:
            repository.tidy_in_flight()
            ours = InFlight(self.work / "state.db").dropped(self.folder)
            cut = [one.accession for one in repository.accessions() if one.state == INTERRUPTED]
        for number, name in ((number, ours[number]) for number in cut if number in ours):
            with self.opens() as repository:
                found = self.attempt(partial(repository.resume, [number]))
            yield from (Drop(name, result) for result in ([found] if isinstance(found, Exception) else found))

    def _look(self, waiting: Waiting, now: float) -> Iterator[Drop]:
        seen = list(drop_folder.entries(self.folder))
        self._told = {entry.name: self._told[entry.name] for entry in seen if entry.name in self._told}
        for entry in waiting.settled(seen, now):
            if drop := self._drop(entry):
                yield drop

    def _drop(self, entry: Entry) -> Drop | None:
        """What becomes of an entry; None where there is nothing new to say of it."""
        try:
            path = self._package(entry)
        except (IngestError, DeliveryChanged, OSError) as error:
            return self._refused(entry, error)
        if path is None:
            return None
        found = self._take(path, entry)
        return self._refused(entry, found) if isinstance(found, Exception) else Drop(entry.name, found[0])

    def _package(self, entry: Entry) -> Path | None:
        """The package to take in; None where it was taken, or is another by now: others may have lasted meanwhile."""
        if known := InFlight(self.work / "state.db").taken(self.folder, entry):
            if known.changed:
                raise DeliveryChanged(escape_path(entry.name), known.accession)
            return None
        path = drop_folder.check(self.folder, entry)
        if self.work.resolve().is_relative_to(path):
            raise UnknownPackage(escape_path(entry.name), "this repository lies in it")
        look(Delivery(path=path, kind=self.said.kind, follow=False))
        return path if drop_folder.look(self.folder, entry.name) == entry else None

    def _take(self, path: Path, entry: Entry) -> list[Receipt] | Exception:
        said = self.said
        with self.opens() as repository:
            return self.attempt(lambda: [
                repository.ingest(path, producer=said.producer, kind=said.kind, terms=said.terms, dropped=entry)
            ])  # fmt: skip

    def _refused(self, entry: Entry, error: Exception) -> Drop | None:
        """Say it once, though it is tried again with every look."""
        if self._told.get(entry.name) == str(error):
            return None
        self._told[entry.name] = str(error)
        return Drop(entry.name, error)
