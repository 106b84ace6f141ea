"""The façade's verbs for deliveries: what would become of one, taking it in, going on, and what officers decide."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ingest.errors import UnknownPackage
from ingest.terms import ADD, NO_TERMS, Terms
from ingest.undisturbed import undisturbed
from repository import holdings
from repository.accession import ENDS, INTERRUPTED, RECEIVED, Accession
from repository.config import local_places
from repository.errors import NUMBERED, SourceUnknown
from repository.facade_browse import Browsing
from storage.aip import stamp
from storage.canonical import Json
from storage.digest import Digest
from storage.event import Event
from storage.staging import running

if TYPE_CHECKING:
    from ingest.delivery import Delivery, Receipt, Setting
    from ingest.drop_folder import Entry
    from ingest.preflight import Preflight
    from repository.accessions import Decisions
    from repository.description import Described
    from repository.room import Room


@contextmanager
def _numbered() -> Iterator[None]:
    """What stops an ingest from here on says that it can be gone on with."""
    try:
        yield
    except Exception as error:
        error.add_note(NUMBERED)
        raise


class Ingesting(Browsing):
    """Deliveries, and what becomes of them."""

    @staticmethod
    def deliveries(path: Path, kind: str = "") -> Sequence[Path]:
        """The packages at a path: the objects of an OCFL storage root, each of which becomes an AIP; else the path
        itself. Raises UnknownPackage."""
        from ingest.deliveries import deliveries

        return deliveries(path, kind)

    def preflight(
        self, path: Path, *, metadata: Path | None = None, manifest: Path | None = None, kind: str = "",
        override: str = "", into: str = "", replacing: bool = False,
    ) -> Preflight:  # fmt: skip
        """What `ingest` would do, so far as a bounded time tells; nothing is kept. Raises as `ingest` does."""
        from ingest.delivery import Delivery
        from ingest.held import held
        from ingest.preflight import Lens, preflight
        from repository.scratch import scratch

        terms = self._added(NO_TERMS, into, replacing)
        delivery = Delivery(
            path=path, metadata=metadata, manifest=manifest, kind=kind, override=override, terms=terms
        )  # fmt: skip
        self._look(delivery)
        policies = self.policies()
        with scratch(self.settings.work, f"preflight-{self._new_id()}") as [folder]:
            lens = Lens(
                policies=policies, identifier=self.identifier(policies.ingest.second_opinion), clock=monotonic,
                held=lambda digest: self._holds.holds(self.vault.first, digest), scratch=folder, progress=self.progress,
                into=held(self.vault, terms),
            )  # fmt: skip
            return preflight(delivery, lens)

    def rooms(self, wanted: Preflight) -> list[Room]:
        """Whether there is room for what an ingest would store, by file system."""
        from repository.room import rooms

        each, here = wanted.new_bytes + wanted.fetched, wanted.unpacked + wanted.fetched
        return rooms(self.vault.prompt, each, self.settings.work, here)

    def ingest(
        self, path: Path, *, title: str = "", producer: str = "", metadata: Path | None = None,
        manifest: Path | None = None, kind: str = "", override: str = "", terms: Terms = NO_TERMS,
        dropped: Entry | None = None, into: str = "", replacing: bool = False,
    ) -> Receipt:  # fmt: skip
        """Take in one package: a folder, a bag, an archive; return what became of it.

        `manifest` is the producer's list of digests; `override` the reason for accepting what the policy would hold;
        `dropped` the entry of a drop folder that it is: where it is a link by now, that is not followed. `into` names
        an AIP that gets a new version with it, in which its files may take the place of others where `replacing`; what
        that version lacks earlier ones keep.
        Raises NoSuchPackage, UnknownPackage, NotMetadata, NotManifest, NoRoom, Locked, Cancelled; then nothing of it is
        visible.
        """
        from ingest.delivery import Delivery

        terms = self._added(terms, into, replacing)
        delivery = Delivery(
            path=path, title=title, producer=producer, metadata=metadata, manifest=manifest, kind=kind,
            override=override, terms=terms, follow=dropped is None,
        )  # fmt: skip
        much = self._look(delivery)
        if override:
            self._decisions().check_officer()
        self.note_changes()
        setting = self._setting()
        with self._received(delivery, dropped) as number, _numbered():
            return self._take_in(delivery, setting, number, much=much)

    def describe(self, aip: str, metadata: Path, *, only_tell: bool = False) -> Described:
        """Give an AIP another description, as a new version; with `only_tell` say what it would be. Raises what `show`
        raises, NoSuchPackage and NotMetadata."""
        from repository.description import describe_anew

        urn = holdings.resolve(self.catalogue, aip)
        done = describe_anew(urn, metadata, self.catalogue, self._setting(), only_tell=only_tell)
        self.catalogue.follow(self.vault)
        return done

    def _added(self, terms: Terms, into: str, replacing: bool) -> Terms:
        """Terms that name the AIP that a delivery is added to, where it is to one."""
        if not into:
            return terms
        return replace(terms, into=holdings.resolve(self.catalogue, into), how="replace" if replacing else ADD)

    def _look(self, delivery: Delivery) -> bool:
        """Raise what `look` does, and UnknownPackage where the repository would take in itself; return whether that is
        much: then what workers are forked from begins to start."""
        from ingest.delivery import look
        from repository.workers import foresee

        look(delivery)
        self._not_itself(delivery.path)
        return foresee(delivery.path)

    def _not_itself(self, delivery: Path) -> None:
        """Raise UnknownPackage where the repository or a copy lies in the delivery, or the delivery in a copy or in the
        repository's working space. Beside these, as in a drop folder of its own, it may lie in the repository."""
        own, *copies = local_places(self.settings)
        path = delivery.resolve()
        for place in (own, *copies):
            if place.resolve().is_relative_to(path):
                raise UnknownPackage(str(delivery), f"it holds {place}, and the repository would take in itself")
        for place in (own / "work", *copies):
            if path.is_relative_to(place.resolve()):
                raise UnknownPackage(str(delivery), f"it lies in {place}, and the repository would take in itself")

    def _take_in(self, delivery: Delivery, setting: Setting, number: str, *, much: bool) -> Receipt:
        """The rest of an ingest, once it has a number; what its producer is told is written down."""
        from ingest import pipeline
        from repository import documents
        from repository.workers import crew

        setting.identifier()  # what is kept ready for it is there before workers look for it
        with undisturbed.at_most_here():
            with crew(setting.identifier if much else None) as workers:
                receipt = pipeline.take_in(delivery, replace(setting, executor=workers), number)
            self.catalogue.follow(self.vault)
            documents.write(self._reports, documents.told(receipt, delivery.terms))
            if receipt.outcome != "held":
                self.in_flight.forget(number)
        return receipt

    def resume(self, only: Container[str] | None = None) -> Iterator[Receipt]:
        """Go on with every accession that was interrupted (or some), in the order of numbers, and yield what became of
        each.

        What was settled of it is not read again (ingest.settled). One of which it is not known where it lies is left as
        it is. Raises as `ingest` does; then those after it are left too: who wants them names each of `interrupted`.
        """
        for number in self.interrupted():
            if (only is None or number in only) and (receipt := self._gone_on(number)):
                yield receipt

    def interrupted(self) -> list[str]:
        """The accessions that can be gone on with, by number."""
        return [number for number, state in self.tidy_in_flight().items() if state == INTERRUPTED]

    def tidy_in_flight(self) -> Mapping[str, str]:
        """Forget deliveries that a kill left behind: those at their end, and those whose number was never written down,
        which were not received. Return the state of each accession."""
        with self.committer.lock():
            self.catalogue.follow(self.vault)
            states = {one.accession: one.state for one in self.accessions()}
            for number in self.in_flight.all():
                if number not in states:
                    self.in_flight.withdraw(number)
                elif states[number] in ENDS:
                    self._forget(number)
        return states

    def _gone_on(self, number: str) -> Receipt | None:
        """Go on with one; None where it is not known where it lies, or where it came to its end meanwhile."""
        with running(number, self.settings.work):
            if (delivery := self.in_flight.get(number)) is None or not self._is_received(number):
                return None
            with _numbered():
                return self._take_in(delivery, self._setting(), number, much=self._look(delivery))

    def _is_received(self, number: str) -> bool:
        """Whether nothing was decided of it, nor is it at its end; call with its run's mark."""
        self.catalogue.follow(self.vault)
        return self._accession(number).state == RECEIVED

    def _accession(self, number: str) -> Accession:
        from repository import accessions

        return accessions.accession(self.catalogue, self.settings.work, number)

    def accept(self, number: str, reason: str, source: Path | None = None) -> Receipt:
        """Take in what is held, as an officer says; its files have to be those that were held.

        `source` is where it lies, if that is not known any more. Raises UnknownAccession, AccessionState,
        SourceUnknown, NotAsHeld, and what `ingest` raises; what was decided stays on record.
        """
        from ingest.delivery import Delivery

        found = self._decisions().check("accept", number, reason)
        known = self.in_flight.get(found.accession)
        if source is None and known is None:
            raise SourceUnknown(found.accession)
        delivery = known or Delivery(path=source or Path(), terms=Terms(**found.terms))
        delivery = replace(delivery, path=source or delivery.path)
        much = self._look(delivery)
        self.note_changes()
        setting = self._setting()
        with running(found.accession, self.settings.work):
            found, why = self._decisions().accept(number, reason)
            self.in_flight.put(found.accession, delivery)
            expected = Digest.parse(found.content) if found.content else None
            delivery = replace(delivery, override=why, expected=expected)
            return self._take_in(delivery, setting, found.accession, much=much)

    def give_back(self, number: str, reason: str) -> Accession:
        """Say that what is held, or was interrupted, is not taken in; raise UnknownAccession or AccessionState."""
        found = self._accession(number)
        with running(found.accession, self.settings.work):
            return self._ended(*self._decisions().give_back(number, reason))

    def cancel(self, number: str, reason: str) -> Accession:
        """Stop the work on an accession, whoever is at it, and say that it is not taken in; return when it has stopped.

        Raises UnknownAccession, AccessionState (also where it came to its end meanwhile), and Locked where the run did
        not stop within the repository's patience: then nothing is decided, and the run goes on.
        """
        from ingest.cancelling import asking

        number, work = self._decisions().check("cancel", number, reason).accession, self.settings.work
        with asking(work, number, self.patience), running(number, work, self.patience):
            self.committer.recover()  # a run that was killed may have made its version all the same
            return self._ended(*self._decisions().cancel(number, reason))

    def _ended(self, done: Accession, why: str) -> Accession:
        """Write down for the producer how it ended."""
        from repository import documents

        told = {"title": done.title, **documents.read(self._reports, done.accession)}
        told |= {"outcome": done.state, "because": [why], "decided": stamp(self.now())}
        documents.write(self._reports, told)
        self._forget(done.accession)
        return done

    def _forget(self, number: str) -> None:
        """An accession has come to its end: nothing of it is in flight."""
        from ingest import settled

        self.in_flight.forget(number)
        settled.remove(settled.place(self.settings.work, number))

    @contextmanager
    def _received(self, delivery: Delivery, dropped: Entry | None) -> Iterator[str]:
        """Give a delivery the next number, with its run's mark; where it lies is durable before the number is."""
        with ExitStack() as mark:
            with self.committer.lock():
                number = self._next_accession()
                mark.enter_context(running(number, self.settings.work))
                self.in_flight.begin(number, delivery, dropped)
                self._enter(number, delivery.terms.told())
            yield number

    def _next_accession(self) -> str:
        """The next number of the year, for a caller that holds the lock and writes it down."""
        self.catalogue.follow(self.vault)
        year = self.now().year
        row = self.catalogue.one(
            "select max(cast(substr(accession, 6) as integer)) as last from (select accession from accessions"
            " union all select accession from aips) where accession like ?",
            f"{year}-%",
        )
        return f"{year}-{((row['last'] if row else 0) or 0) + 1:04d}"

    def _enter(self, number: str, detail: Mapping[str, Json]) -> None:
        """Write a number down at once, so that nobody else gets it."""
        time = stamp(self.now())
        event = Event(time=time, type="accession", agent=self.agent, object=number, outcome="received", detail=detail)
        self.committer.note_locked(event)
        self.catalogue.follow(self.vault)

    @property
    def _reports(self) -> Path:
        return self.settings.work / "reports"

    def _decisions(self) -> Decisions:
        from repository.accessions import Decisions

        return Decisions(
            catalogue=self.catalogue, committer=self.committer, agents=self.settings.agents, agent=self.agent,
            user=self.user, now=self.now(),
        )  # fmt: skip
