"""What format tools said, as a version keeps it: PREMIS with a `validation` event a tool and file and the significant
properties of each file (PREMIS 3 §1.4), and beside it the tools' own output, a line a blob and tool."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from ingest import assemble
from ingest.assemble import Draft, Keep
from ingest.characterization import Characterization, subject_of
from ingest.judgement import EVENT, SUMMARY, Judgement, Outcome
from ingest.worklist import Worklist
from storage import bag, premis
from storage.portions import portions
from storage.premis import Agent, File, Happening, Rights

SEGMENT, LINES = 5_000, 10_000  # files of a segment of PREMIS, lines of one of the tools' output


@dataclass(frozen=True, slots=True)
class Teller:
    """Writes what was said into a version's bag, or goes without where nothing was asked (`said` is None)."""

    said: Characterization | None
    new_id: Callable[[], UUID]
    keep: Keep
    draft: Draft

    def put_premis(
        self, worklist: Worklist, files: Iterable[File], events: Sequence[Happening], agents: Sequence[Agent],
        rights: Sequence[Rights] = (),
    ) -> None:  # fmt: skip
        """Write what this version adds to the AIP's PREMIS, in segments; the first has events, agents and rights."""
        if self.said is None:
            assemble.put_premis(worklist, self.keep, self.draft, files, events, agents, rights)
            return
        parts = portions(files, SEGMENT)
        some, number = next(parts, []), 0
        first: tuple[Sequence[Happening], Sequence[Agent], Sequence[Rights]] = (events, agents, rights)
        while some or not number:
            number += 1
            for xml in self._segment(self.said, some, *first):
                place = f"{bag.PRESERVATION}premis-v{self.draft.version}-{number:04d}.xml"
                assemble.put(worklist, self.keep, place, xml)
            some, first = next(parts, []), ((), (), ())

    def _segment(
        self, said: Characterization, files: Sequence[File], events: Sequence[Happening], agents: Sequence[Agent],
        rights: Sequence[Rights],
    ) -> Iterator[Iterator[bytes]]:  # fmt: skip
        """One segment: files with their properties, then what each tool said of each, then the tools."""
        described: list[File] = []
        told: list[Happening] = []
        tools: dict[str, Agent] = {}
        for file in files:
            judgements = [one for one in said.of(subject_of(file)) if one.tool]
            described.append(file._replace(properties=properties(judgements)))
            for one in judgements:
                told.append(self._event(file.path, one))
                tools[one.agent] = Agent(id=one.agent, name=one.tool, kind="software", version=one.version)
        return premis.segments(self.draft.aip, described, [*events, *told], [*agents, *tools.values()], rights)

    def _event(self, path: str, one: Judgement) -> Happening:
        return Happening(
            id=str(self.new_id()), type=EVENT, time=self.draft.created, outcome=one.outcome.value,
            note="; ".join(one.messages), agents=(one.agent,), objects=(path,),
        )  # fmt: skip

    def summary(self) -> list[Happening]:
        """The event of the version as a whole: that the tools were asked; none where they were not."""
        if self.said is None:
            return []
        counts = ", ".join(f"{self.said.counts[one]} {one}" for one in Outcome)
        return [
            Happening(
                id=str(self.new_id()), type=SUMMARY, time=self.draft.created, outcome=self.said.outcome,
                detail=f"well-formedness and significant properties of {self.said.counts.total()} files", note=counts,
                agents=(self.draft.software, self.draft.agent),
            )
        ]  # fmt: skip

    def put_output(self, worklist: Worklist) -> None:
        """Write the tools' own output, in segments of JSON Lines: once, though one ingest
        may make several versions."""
        if self.said is None or self.said.is_told:
            return
        self.said.is_told = True
        lines = (_line(digest, one) for digest, one in self.said.all_said())
        for number, some in enumerate(portions(lines, LINES), start=1):
            place = f"{bag.PRESERVATION}tools-v{self.draft.version}-{number:04d}.jsonl"
            assemble.put(worklist, self.keep, place, some)


def _line(digest: str, one: Judgement) -> bytes:
    return json.dumps({"digest": digest, **asdict(one)}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def properties(judgements: Iterable[Judgement]) -> tuple[tuple[str, str], ...]:
    """Names and values; where two tools speak, the tool is told too."""
    speaking = [one for one in judgements if one.properties]
    several = len(speaking) > 1
    return tuple(
        (f"{one.tool}: {name}" if several else name, value)
        for one in speaking
        for name, value in one.properties.items()
    )
