"""Format migration by policy: plan, then convert, identify again, prove equal, and commit as a new representation.

The original is never replaced. One run makes at most one new version of an AIP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import assemble
from ingest.convert import PATHWAYS, ConversionFailed, Pathway
from ingest.delivery import Setting
from ingest.identify import Identification
from ingest.sample import sample_of
from ingest.worklist import Placed
from repository.catalogue import Catalogue
from repository.holdings import named
from repository.migration import Migration, Planned, output_path
from repository.successor import Successor, succeeding
from storage import durable
from storage.errors import Damaged, NotFound
from storage.event import Event
from storage.premis import Agent, File, FormatName, Happening
from storage.receive import Received, chunks


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
    with succeeding(setting, "migration") as successor:
        return _Run(planned, catalogue, successor).run()


class _Run:
    """One AIP's migrations on their way to a new version."""

    def __init__(self, planned: Sequence[Planned], catalogue: Catalogue, successor: Successor) -> None:
        self.planned, self.catalogue, self.successor = planned, catalogue, successor
        self.setting, self.scratch = successor.setting, successor.scratch

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
                self.successor.vault.copy_out(planned.digest, file.write, lambda: (file.seek(0), file.truncate()))
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
            received = self.successor.keep(chunks(stream))
        notes = (f"{proof.pixels} pixels in {proof.frames} frames equal, {proof.digest}", *converted.notes)
        return self._made(planned, pathway, received, known, tool, "; ".join(notes))

    def _made(
        self, planned: Planned, pathway: Pathway, received: Received, known: Identification, tool: str, note: str
    ) -> _Made:
        path = output_path(planned, pathway.suffix)
        event = Happening(
            id=str(self.setting.new_id()), type="migration", time=self.successor.time, outcome="success", note=note,
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
        successor = self.successor
        with successor.following(made[0].planned.aip) as (last, worklist):
            for one in made:
                worklist.made(Placed(one.file.path, one.file.digests[0], one.file.size))
            draft = successor.draft(last, "migration", *named(self.catalogue, last.aip))
            files = sorted((one.file for one in made), key=lambda file: file.path)
            agents = {agent.id: agent for agent in (*(one.agent for one in made), *successor.agents())}
            events = [one.event for one in made]
            assemble.put_premis(worklist, successor.keep, draft, files, events, list(agents.values()))
            because = sorted({reason for one in made for reason in one.planned.because})
            return draft.version, successor.commit(worklist, draft, because).behind

    def _note(self, failed: Sequence[Migration]) -> None:
        """Write down what could not be migrated, and why, with the policy that wanted it."""
        if failed:
            self.successor.keep([self.setting.policies.to_bytes()])
            self.successor.settle()
        for one in failed:
            detail = {"path": one.planned.path, "rule": one.planned.rule, "why": one.reason, "tool": one.tool}
            self.setting.committer.note(
                Event(
                    time=self.successor.time, type="migration", agent=self.setting.agent, object=one.planned.aip,
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
