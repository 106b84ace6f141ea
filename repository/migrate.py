"""Format migration by policy: plan, then convert, identify again, prove equal, and commit as a new representation.

The original is never replaced. One run makes at most one new version of an AIP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ingest import assemble
from ingest.assemble import Draft
from ingest.convert import PATHWAYS, ConversionFailed, Pathway
from ingest.delivery import Setting
from ingest.happenings import acting
from ingest.identify import Identification
from ingest.pipeline import scratch_folder
from ingest.sample import sample_of
from ingest.worklist import Placed, Worklist
from repository.catalogue import Catalogue
from repository.migration import Migration, Planned, output_path
from storage import durable
from storage.aip import Record, parse_aip, stamp
from storage.errors import Damaged, NotFound
from storage.event import Event
from storage.premis import Agent, File, FormatName, Happening
from storage.receive import Received, chunks
from storage.staging import Staging, staging


@dataclass(frozen=True, slots=True)
class _Made:
    """An output that was proved equal."""

    planned: Planned
    file: File
    event: Happening
    agent: Agent


def carry_out(planned: Sequence[Planned], catalogue: Catalogue, setting: Setting) -> list[Migration]:
    """Migrate files of one AIP; return what became of each, in their order.

    What cannot be converted or proved equal is left out, and written down. Raises Conflict where another writer
    made a version meanwhile.
    """
    run = f"migration-{setting.new_id()}"
    folder = setting.work / "staging" / run
    with staging(run, setting.committer.vault.prompt, setting.work) as stage, scratch_folder(folder) as scratch:
        return _Run(planned, catalogue, setting, stage, scratch).run()


class _Run:
    """One AIP's migrations on their way to a new version."""

    def __init__(
        self, planned: Sequence[Planned], catalogue: Catalogue, setting: Setting, stage: Staging, scratch: Path
    ) -> None:
        self.planned, self.catalogue, self.setting = planned, catalogue, setting
        self.stage, self.scratch = stage, scratch
        self.vault = setting.committer.vault
        self.waiting: list[Received] = []
        self.time = stamp(setting.now())

    def run(self) -> list[Migration]:
        self.setting.progress.begin("Migrating", len(self.planned), sum(one.size for one in self.planned))
        results = [self._one(number, planned) for number, planned in enumerate(self.planned)]
        made = [result for result in results if isinstance(result, _Made)]
        try:
            version, behind = self._commit(made) if made else (0, frozenset[str]())
            done = [_told(result, version, behind) if isinstance(result, _Made) else result for result in results]
        except (NotFound, Damaged) as lost:  # of a piece of the AIP no copy is whole: no new version is either
            done = [_failed(result.planned, lost) if isinstance(result, _Made) else result for result in results]
        self._note([one for one in done if not one.equal])
        self.setting.progress.end()
        return done

    def _one(self, number: int, planned: Planned) -> _Made | Migration:
        folder = self.scratch / str(number)
        folder.mkdir()
        source = folder / f"source{_suffix(planned.path)}"
        try:
            with source.open("xb") as file:
                self.vault.copy_out(planned.digest, file.write, lambda: (file.seek(0), file.truncate()))
            return self._proved(planned, PATHWAYS[planned.to], source, folder)
        except (ConversionFailed, NotFound, Damaged) as error:
            return _failed(planned, error)
        finally:
            self.setting.progress.advance(1, planned.size)
            durable.remove_tree(durable.DISK, folder)

    def _proved(self, planned: Planned, pathway: Pathway, source: Path, folder: Path) -> _Made | Migration:
        """Convert, identify again, compare pixel by pixel; only then is the output kept."""
        output = folder / f"output{pathway.suffix}"
        converted = pathway.convert(source, output, folder)
        tool = f"{converted.tool} {converted.version}"
        known = self.setting.identifier().identify(sample_of(bytes(output)))
        if not pathway.puids.intersection(known.puids):
            told = f"the output was identified as {', '.join(known.puids) or 'nothing'}, not as {planned.to}"
            return Migration(planned, "", "", tool, False, told, 0)
        proof = pathway.compare(source, output, folder)
        if not proof.equal:
            return Migration(planned, "", "", tool, False, f"the output is not equal: {proof.why}", 0)
        with output.open("rb") as stream:
            received = self.stage.receive(chunks(stream), self.setting.holds)
        self.waiting.append(received)
        notes = (f"{proof.pixels} pixels in {proof.frames} frames equal, {proof.digest}", *converted.notes)
        return self._made(planned, pathway, received, known, tool, "; ".join(notes))

    def _made(
        self, planned: Planned, pathway: Pathway, received: Received, known: Identification, tool: str, note: str
    ) -> _Made:
        path = output_path(planned, pathway.suffix)
        event = Happening(
            id=str(self.setting.new_id()), type="migration", time=self.time, outcome="success", note=note,
            detail=f"{planned.puid} to {', '.join(known.puids)}: {'; '.join(planned.because)}",
            agents=(tool, self.setting.software, self.setting.agent), objects=(planned.path, path),
        )  # fmt: skip
        formats = tuple(FormatName(found.name, found.version, found.puid) for found in known.formats)
        file = File(
            path=path, size=received.size, digests=received.digests, formats=formats, mime=known.mime,
            basis=known.basis.value, derived_from=planned.path, event=event.id,
        )  # fmt: skip
        name, _, version = tool.partition(" ")
        return _Made(planned, file, event, Agent(id=tool, name=name, kind="software", version=version))

    def _commit(self, made: Sequence[_Made]) -> tuple[int, frozenset[str]]:
        """One new version: everything that the last one has, and the outputs; its number, and the copies behind."""
        last = self.vault.records(parse_aip(made[0].planned.aip))[-1]
        worklist = Worklist(str(self.scratch / "worklist.db"))
        try:
            self._inherit(worklist, last)
            for one in made:
                worklist.made(Placed(one.file.path, one.file.digests[0], one.file.size))
            return self._close(worklist, last, made)
        finally:
            worklist.close()

    def _inherit(self, worklist: Worklist, last: Record) -> None:
        for line in self.vault.payload(last):
            worklist.made(Placed(line.path, line.digest, self.vault.size(line.digest)))

    def _close(self, worklist: Worklist, last: Record, made: Sequence[_Made]) -> tuple[int, frozenset[str]]:
        draft = self._draft(last)
        files = sorted((one.file for one in made), key=lambda file: file.path)
        agents = {agent.id: agent for agent in (*(one.agent for one in made), *self._agents())}
        events = [one.event for one in made]
        assemble.put_premis(worklist, self._keep, draft, files, events, list(agents.values()))
        assemble.put_policy(worklist, self._keep, draft.version, self.setting.policies.to_bytes())
        done = assemble.close(worklist, self._keep, draft)
        self.stage.settle(self.waiting)
        because = sorted({reason for one in made for reason in one.planned.because})
        event = Event(
            time=self.time, type="commit", agent=self.setting.agent, object=draft.aip, outcome="success",
            detail={
                "version": draft.version, "record": str(done.record.digest), "accession": draft.accession,
                "reason": "migration", "policy": self.setting.policies.digest, "because": because,
            },
        )  # fmt: skip
        committed = self.setting.committer.commit(done.record, event, partial(done.blobs, worklist), self.stage.behind)
        return draft.version, committed.behind

    def _draft(self, last: Record) -> Draft:
        row = self.catalogue.one("select title, producer from aips where aip = ?", last.aip)
        assert row is not None  # the plan came from the catalogue
        return Draft(
            aip=last.aip, version=last.version + 1, accession=last.accession, created=self.time,
            agent=self.setting.agent, reason="migration", title=row["title"], producer=row["producer"],
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

    def _note(self, failed: Sequence[Migration]) -> None:
        """Write down what could not be migrated, and why, with the policy that wanted it."""
        if failed:
            self.stage.settle([self._keep([self.setting.policies.to_bytes()])])
        for one in failed:
            detail = {"path": one.planned.path, "rule": one.planned.rule, "why": one.reason, "tool": one.tool}
            self.setting.committer.note(
                Event(
                    time=self.time, type="migration", agent=self.setting.agent, object=one.planned.aip,
                    outcome="fail", detail={**detail, "policy": self.setting.policies.digest},
                )
            )  # fmt: skip


def _failed(planned: Planned, error: Exception) -> Migration:
    return Migration(planned, "", "", "", False, str(error), 0)


def _told(made: _Made, version: int, behind: frozenset[str]) -> Migration:
    puid = made.file.formats[0].puid if made.file.formats else ""
    tool = f"{made.agent.name} {made.agent.version}"
    return Migration(made.planned, made.file.path, puid, tool, True, "; ".join(made.planned.because), version, behind)


def _suffix(path: str) -> str:
    """The name's extension, where it is a plain one: tools look at it."""
    suffix = Path(path).suffix
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 8 else ""
