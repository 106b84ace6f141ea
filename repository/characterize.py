"""Asking format tools about what is held: an AIP gets a new version, with what they said beside what was there.

The files stay as they are; the new version has more metadata (docs/vault-format.md, "What format tools said").
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ingest.characterization import Characterization
from ingest.characterization_told import Teller
from ingest.characterize import Bench, toolbox
from ingest.delivery import Setting
from ingest.identify import Format
from ingest.judgement import Outcome, Subject
from ingest.worklist import Worklist
from repository.catalogue import Catalogue
from repository.characterization import Due, rows, subject
from repository.holdings import named
from repository.successor import Successor, succeeding
from storage.aip import Record
from storage.digest import Digest
from storage.errors import Damaged, NotFound
from storage.premis import File, FormatName

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
    with succeeding(setting, REASON) as successor, closing(Characterization(successor.scratch / "tools.db")) as said:
        try:
            return _Run(wanted, catalogue, successor, formats, said).run()
        except (NotFound, Damaged) as lost:
            return Characterized(wanted.aip, 0, 0, 0, wanted.files, why=str(lost))


class _Run:
    """One AIP on its way to a version with what tools said of it."""

    def __init__(
        self, wanted: Due, catalogue: Catalogue, successor: Successor, formats: Mapping[str, Format],
        said: Characterization,
    ) -> None:  # fmt: skip
        self.wanted, self.catalogue, self.formats = wanted, catalogue, formats
        self.successor, self.setting, self.said = successor, successor.setting, said

    def run(self) -> Characterized:
        bench = Bench(self.successor.vault.copies, toolbox(self.setting.policies.tools), self.successor.scratch)
        totals = (self.wanted.files, self.wanted.size)
        self.said.ask(bench, self._subjects(), totals, self.setting.executor, self.setting.progress)
        for _ in self.said.count((row["path"], subject(row)) for row in rows(self.catalogue, self.wanted)):
            pass  # what there is to find is told by `tianyi files`
        with self.successor.following(self.wanted.aip) as (last, worklist):
            return self._commit(worklist, last)

    def _subjects(self) -> Iterator[Subject]:
        """Each blob once for each set of formats that it has, by digest."""
        last = None
        for row in rows(self.catalogue, self.wanted, "digest, puids, mime, basis"):
            if (found := subject(row)) != last:
                yield found
            last = found

    def _commit(self, worklist: Worklist, last: Record) -> Characterized:
        draft = self.successor.draft(last, REASON, *named(self.catalogue, last.aip))
        teller = Teller(self.said, self.setting.new_id, self.successor.keep, draft)
        files = (_file(row, self.formats) for row in rows(self.catalogue, self.wanted))
        teller.put_premis(worklist, files, teller.summary(), self.successor.agents())
        teller.put_output(worklist)
        counts = {outcome.name.lower(): self.said.counts[outcome] for outcome in Outcome}
        committed = self.successor.commit(worklist, draft, counts=counts)
        well, ill, none = counts.values()
        return Characterized(draft.aip, draft.version, well, ill, none, committed.behind)


def _file(row: Mapping[str, Any], formats: Mapping[str, Format]) -> File:
    """The file as PREMIS tells of it once more, now with its properties."""
    return File(
        path=row["path"], size=row["size"], digests=(Digest.parse(row["digest"]),),
        formats=tuple(_format(puid, formats) for puid in json.loads(row["puids"])), mime=row["mime"],
        basis=row["basis"], original_name=row["original_name"], derived_from=row["derived_from"],
    )  # fmt: skip


def _format(puid: str, formats: Mapping[str, Format]) -> FormatName:
    known = formats.get(puid)
    return FormatName(known.name, known.version, puid) if known else FormatName(puid, puid=puid)
