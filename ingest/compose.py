"""An accepted delivery → its versions: what goes into each bag, beside the files that were delivered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from ingest import assemble, describe, fetching
from ingest.assemble import Assembled, Draft, Keep
from ingest.characterization import Characterization
from ingest.characterization_told import Teller
from ingest.delivery import Delivery, Setting, first_said
from ingest.describe import DublinCore
from ingest.extracting import Extracted
from ingest.happenings import Actors, happenings
from ingest.held import Held
from ingest.scan import Engine
from ingest.settled import Captured
from ingest.sip import Sip
from ingest.sip_digests import Given
from ingest.terms import REASONS
from ingest.versions import State, are_whole, states
from ingest.worklist import Worklist
from policies.decide import Decision
from storage import bag
from storage.aip import stamp
from storage.names import bag_path
from storage.premis import File, Rights
from storage.receive import chunks
from storage.spool import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What an ingest knows when it is decided. `described` is the description that came beside the delivery, its bytes
    and what they say; `given` the list of digests beside it; `captured` the files that were fetched; `extracted` what
    came out of its archives, `said` what format tools said, None where nobody asked; `held` is the AIP that it is added
    to; `keep` takes in what is made."""

    setting: Setting
    delivery: Delivery
    accession: str
    described: tuple[bytes, DublinCore] | None
    given: Given | None
    sip: Sip
    worklist: Worklist
    scratch: Path
    engine: Engine | None
    captured: Spool[Captured]
    extracted: Extracted | None
    said: Characterization | None
    held: Held | None
    keep: Keep

    def draft(self) -> Draft:
        """Of the first version that is made, with an identifier for the AIP where that is a new one."""
        title, producer = self.named()
        draft = Draft(
            aip=f"urn:uuid:{self.setting.new_id()}", version=1, accession=self.accession,
            created=stamp(self.setting.now()), agent=self.setting.agent, reason="ingestion",
            title=title, producer=producer, software=self.setting.software,
        )  # fmt: skip
        if self.held is None:
            return draft
        last = self.held.last
        known = replace(draft, aip=last.aip, version=last.version + 1, accession=last.accession, previous=last)
        return replace(known, reason=REASONS[self.held.how])

    def named(self) -> tuple[str, str]:
        """The delivery's title and producer: as the officer says, else its metadata, else the package; or those of
        the AIP that it is added to."""
        sip = self.sip
        if self.held:
            title, producer = self.held.named()
            told = self.described[1].get("title", ()) if self.described else ()
            return first_said([self.delivery.title, *told, title]), first_said([producer, self.delivery.producer])
        elements = sip.bag.elements if sip.bag else {}
        core = self.described[1] if self.described else sip.core
        titles = [self.delivery.title, *core.get("title", ()), elements.get("external-description", ""), sip.name]
        source = elements.get("source-organization", "")
        producers = [self.delivery.producer, source, sip.submitter, *core.get("creator", ())]
        return first_said(titles), first_said(producers)

    def states(self) -> Iterator[State]:
        """Yield what each version consists of, in their order: one, where it is not OCFL."""
        found = self.sip.ocfl
        if found and found.inventory and are_whole(self.worklist, found.base, found.inventory):
            yield from states(self.worklist, found.base, found.inventory, self.scratch)
        else:
            yield State(self.worklist)

    def assemble(self, state: State, decision: Decision, draft: Draft, report: Path) -> Assembled:
        """Assemble one version; what is about the delivery as a whole comes with the first."""
        if self._is_first(draft):
            self._put_about(state.worklist, report, draft.version)
        if self.held:
            self.held.inherit(state.worklist, described=self.described is not None)
        assemble.put_names(state.worklist, self.keep, draft.version)
        assemble.put_policy(state.worklist, self.keep, draft.version, self.setting.policies.to_bytes())
        self._put_premis(state, decision, draft)
        return assemble.close(state.worklist, self.keep, draft)

    def _put_premis(self, state: State, decision: Decision, draft: Draft) -> None:
        setting = self.setting
        actors = Actors(setting.agent, setting.software, setting.identifier(), self.engine)
        told = happenings(self.sip, self.worklist, actors, decision, setting.new_id, draft.created, state)
        events, agents = told
        if self.sip.bag:
            fetched = fetching.happenings(self.captured, self.sip.bag, setting.new_id, setting.software)
            events = [*fetched, *events]
        new: Iterator[File] = (file for file in state.worklist.files() if self._is_new(file, state))
        if self.extracted and self.extracted.archives:
            for placed in self.extracted.worklist.bag():
                state.worklist.made(placed)
            new = chain(new, self.extracted.files(self.worklist))
            events.insert(-1, self.extracted.happening(draft.created, [setting.software]))
        teller = Teller(self.said, setting.new_id, self.keep, draft)
        teller.put_premis(state.worklist, new, [*teller.summary(), *events], agents, self._rights(draft))
        teller.put_output(state.worklist)

    def _is_first(self, draft: Draft) -> bool:
        return draft.version == 1 or self.held is not None

    def _is_new(self, file: File, state: State) -> bool:
        """Whether the version before had not the same file there."""
        held = self.held is not None and state.worklist.is_held(file.path, file.digests[0])
        return not held and state.is_new(file.path)

    def _rights(self, draft: Draft) -> list[Rights]:
        """What was agreed of rights, said once, of the whole AIP."""
        said = self.delivery.terms
        if not self._is_first(draft) or not (said.agreement or said.rights or said.restrictions):
            return []
        return [Rights(str(self.setting.new_id()), said.agreement, said.rights, said.restrictions)]

    def _put_about(self, worklist: Worklist, report: Path, version: int) -> None:
        """The archive that it came in, the terms on which it came, the list of digests beside it, its description, and
        the findings."""
        sip = self.sip
        if told := self.delivery.terms.told():
            assemble.put_terms(worklist, self.keep, version, self.accession, told)
        if sip.container:
            assemble.put_container(worklist, self.keep, version, sip.container)
        if self.given and sip.lists:
            with self.given.copy.open("rb") as stream:
                below = self.held.submission if self.held else bag.SUBMISSION
                assemble.put(worklist, self.keep, below + bag_path(self.given.name), chunks(stream))
        if self.described and self.delivery.metadata:
            assemble.put(worklist, self.keep, describe.place(self.delivery.metadata.name), [self.described[0]])
        elif sip.core and not self.held:
            assemble.put(worklist, self.keep, f"{bag.DUBLIN_CORE}json", [describe.to_json(sip.core)])
        if sip.description and len(sip.description.rows):
            assemble.put(worklist, self.keep, f"{bag.DESCRIPTIVE}files-v{version}.jsonl", sip.description.lines())
        with report.open("rb") as stream:
            assemble.put(worklist, self.keep, f"{bag.PRESERVATION}findings-v{version}.jsonl", chunks(stream))
