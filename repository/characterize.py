"""Asking format tools about what is held: an AIP gets a new version, with what they said beside what was there.

The files stay as they are; the new version has more metadata (docs/vault-format.md, "What format tools said").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ingest import assemble
from ingest.assemble import Draft
from ingest.characterization import Characterization
from ingest.characterization_told import Teller
from ingest.characterize import Bench, toolbox
from ingest.delivery import Setting
from ingest.happenings import acting
from ingest.identify import Format
from ingest.judgement import Outcome, Subject
from ingest.pipeline import scratch_folder
from ingest.worklist import Placed, Worklist
from repository.catalogue import Catalogue
from repository.characterization import Due, rows, subject
from storage.aip import Record, parse_aip, stamp
from storage.digest import Digest
from storage.errors import Damaged, NotFound
from storage.event import Event
from storage.premis import Agent, File, FormatName
from storage.receive import Received
from storage.staging import Staging, staging

REASON = "characterization"


@dataclass(frozen=True, slots=True)
class Characterized:
    """What became of an AIP: its new version, and how many files are what. `behind`: copies that could not follow.
    `why` says why no version was made, which is 0 then."""

    aip: str
    version: int
    well_formed: int
    malformed: int
    not_checked: int
    behind: frozenset[str] = frozenset()
    why: str = ""


def carry_out(wanted: Due, catalogue: Catalogue, setting: Setting, formats: Mapping[str, Format]) -> Characterized:
    """Ask the tools about files of one AIP, and commit what they say as its next version; none is made where no copy
    has a piece of the AIP whole. Raises Conflict where another writer made a version meanwhile.
    """
    run = f"characterization-{setting.new_id()}"
    folder = setting.work / "staging" / run
    with (
        staging(run, setting.committer.vault.prompt, setting.work) as stage,
        scratch_folder(folder) as scratch,
        closing(Characterization(scratch / "tools.db")) as said,
    ):
        try:
            return _Run(wanted, catalogue, setting, formats, stage, scratch, said).run()
        except (NotFound, Damaged) as lost:
            return Characterized(wanted.aip, 0, 0, 0, wanted.files, why=str(lost))


class _Run:
    """One AIP on its way to a version with what tools said of it."""

    def __init__(
        self, wanted: Due, catalogue: Catalogue, setting: Setting, formats: Mapping[str, Format], stage: Staging,
        scratch: Path, said: Characterization,
    ) -> None:  # fmt: skip
        self.wanted, self.catalogue, self.setting, self.formats = wanted, catalogue, setting, formats
        self.stage, self.scratch, self.said = stage, scratch, said
        self.vault = setting.committer.vault
        self.waiting: list[Received] = []

    def run(self) -> Characterized:
        bench = Bench(self.vault.copies, toolbox(self.setting.policies.tools), self.scratch)
        totals = (self.wanted.files, self.wanted.size)
        self.said.ask(bench, self._subjects(), totals, self.setting.executor, self.setting.progress)
        for _ in self.said.count((row["path"], subject(row)) for row in rows(self.catalogue, self.wanted)):
            pass  # what there is to find is told by `tianyi files`
        last = self.vault.records(parse_aip(self.wanted.aip))[-1]
        with closing(Worklist(str(self.scratch / "worklist.db"))) as worklist:
            for line in self.vault.payload(last):
                worklist.made(Placed(line.path, line.digest, self.vault.size(line.digest)))
            return self._commit(worklist, last)

    def _subjects(self) -> Iterator[Subject]:
        """Each blob once for each set of formats that it has, by digest."""
        last = None
        for row in rows(self.catalogue, self.wanted, "digest, puids, mime, basis"):
            if (found := subject(row)) != last:
                yield found
            last = found

    def _commit(self, worklist: Worklist, last: Record) -> Characterized:
        draft = self._draft(last)
        teller = Teller(self.said, self.setting.new_id, self._keep, draft)
        files = ((_file(row, self.formats), subject(row)) for row in rows(self.catalogue, self.wanted))
        teller.put_premis(worklist, files, teller.summary(), list(self._agents()))
        teller.put_output(worklist)
        assemble.put_policy(worklist, self._keep, draft.version, self.setting.policies.to_bytes())
        done = assemble.close(worklist, self._keep, draft)
        self.stage.settle(self.waiting)
        event = self._event(draft, done.record)
        committed = self.setting.committer.commit(done.record, event, partial(done.blobs, worklist), self.stage.behind)
        well, ill, none = self._counts().values()
        return Characterized(draft.aip, draft.version, well, ill, none, committed.behind)

    def _counts(self) -> dict[str, int]:
        return {outcome.name.lower(): self.said.counts[outcome] for outcome in Outcome}

    def _event(self, draft: Draft, record: Record) -> Event:
        return Event(
            time=draft.created, type="commit", agent=draft.agent, object=draft.aip, outcome="success",
            detail={
                "version": draft.version, "record": str(record.digest), "accession": draft.accession,
                "reason": REASON, "policy": self.setting.policies.digest, "because": [], **self._counts(),
            },
        )  # fmt: skip

    def _draft(self, last: Record) -> Draft:
        row = self.catalogue.one("select title, producer from aips where aip = ?", last.aip)
        assert row is not None  # what is due came from the catalogue
        return Draft(
            aip=last.aip, version=last.version + 1, accession=last.accession, created=stamp(self.setting.now()),
            agent=self.setting.agent, reason=REASON, title=row["title"], producer=row["producer"],
            software=self.setting.software, previous=last,
        )  # fmt: skip

    def _agents(self) -> Iterator[Agent]:
        name, _, version = self.setting.software.rpartition(" ")
        yield Agent(id=self.setting.software, name=name, kind="software", version=version)
        yield acting(self.setting.agent)

    def _keep(self, parts: Iterable[bytes]) -> Received:
        received = self.stage.receive(parts, self.setting.holds)
        self.waiting.append(received)
        return received


def _file(row: Mapping[str, Any], formats: Mapping[str, Format]) -> File:
    """The file as PREMIS tells of it once more, now with its properties."""
    file = File(
        path=row["path"], size=row["size"], digests=(Digest.parse(row["digest"]),), formats=(), mime=row["mime"],
        basis=row["basis"], original_name=row["original_name"], derived_from=row["derived_from"],
    )  # fmt: skip
    return replace(file, formats=tuple(_format(puid, formats) for puid in json.loads(row["puids"])))


def _format(puid: str, formats: Mapping[str, Format]) -> FormatName:
    known = formats.get(puid)
    return FormatName(known.name, known.version, puid) if known else FormatName(puid, puid=puid)
