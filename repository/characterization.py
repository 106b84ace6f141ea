"""What format tools are to be asked about, of all that is held: questions to the catalogue. Nothing is opened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ingest.characterize import toolbox
from ingest.judgement import SUMMARY, Subject
from ingest.tools import asked
from policies.tools import ToolsPolicy
from repository.catalogue import Catalogue
from storage.digest import Digest

_DUE = f"""
from files f join aips a on a.aip = f.aip where content and until is null and since > coalesce(
(select max(h.version) from happenings h where h.aip = f.aip and h.type = '{SUMMARY}'), 0)
"""
_WANTED = "from files where aip = ? and content and until is null and since > ?"
_SELECT = "select path, digest, size, puids, mime, basis, original_name, derived_from"


class Due(NamedTuple):
    """Files of an AIP that tools are to be asked about: those that came with versions after `after`."""

    aip: str
    after: int
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be asked: of how many files, how many by each tool, and how many no tool knows."""

    due: Due
    tools: Mapping[str, int]
    no_tool: int


def due(catalogue: Catalogue) -> list[Due]:
    """The AIPs with files that no tool was ever asked about, by accession."""
    query = f"select f.aip, min(since) - 1 as after, count(*) as files, sum(size) as size {_DUE} group by f.aip"
    return [Due(**row) for row in catalogue.rows(f"{query} order by a.accession, f.aip")]


def whole(catalogue: Catalogue, aip: str) -> Due:
    """All files of an AIP."""
    row = catalogue.one(f"select count(*) as files, coalesce(sum(size), 0) as size {_WANTED}", aip, 0)
    assert row is not None  # a count is always there
    return Due(aip, 0, **row)


def plan(catalogue: Catalogue, policy: ToolsPolicy, wanted: Due) -> Planned:
    """What would be asked; nothing is opened."""
    tools, counts, none = toolbox(policy), dict[str, int](), 0
    for row in rows(catalogue, wanted):
        speaking = asked(tools, subject(row))
        none += not speaking
        for tool in speaking:
            counts[tool.name] = counts.get(tool.name, 0) + 1
    return Planned(wanted, counts, none)


def rows(catalogue: Catalogue, wanted: Due, order: str = "path") -> Iterator[dict[str, Any]]:
    """The files that are meant, in the order of columns."""
    yield from catalogue.rows(f"{_SELECT} {_WANTED} order by {order}", wanted.aip, wanted.after)


def subject(row: Mapping[str, Any]) -> Subject:
    """What tools are asked about one of them."""
    puids = tuple(json.loads(row["puids"]))
    return Subject(Digest.parse(row["digest"]), row["size"], puids, row["mime"], row["basis"] == "extension")
