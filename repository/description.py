"""An AIP described anew: a next version with other Dublin Core, and the same files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest import assemble, describe
from ingest.delivery import Setting, first_said
from ingest.worklist import Worklist
from repository.catalogue import Catalogue
from repository.holdings import named
from repository.successor import Successor, succeeding
from storage import bag
from storage.aip import Record
from storage.digest import sha256
from storage.premis import Happening

REASON = "description"
EVENT = "metadata modification"  # id.loc.gov/vocabulary/preservation/eventType


@dataclass(frozen=True, slots=True)
class Described:
    """What became of it: the version, 0 where the AIP is so described already (or nothing was to be done), its title,
    the elements (ISO 15836), and the copies that could not follow."""

    aip: str
    version: int
    title: str
    elements: Mapping[str, tuple[str, ...]]
    behind: frozenset[str] = frozenset()


def describe_anew(aip: str, metadata: Path, catalogue: Catalogue, setting: Setting, *, only_tell: bool) -> Described:
    """Describe an AIP by a file of Dublin Core, JSON or CSV, in place of how it was; with `only_tell` say what that
    says. Raises NoSuchPackage or NotMetadata, Conflict where another writer made a version meanwhile."""
    data, core = describe.read(metadata)
    before, producer = named(catalogue, aip)
    title = first_said([*core.get("title", ()), before])
    place = describe.place(metadata.name)
    if only_tell or _is_there(catalogue, aip, place, data):
        return Described(aip, 0, title, core)
    with (
        succeeding(setting, REASON) as successor,
        successor.following(aip, leaving=bag.DUBLIN_CORE) as (last, worklist),
    ):
        assemble.put(worklist, successor.keep, place, [data])
        return _committed(successor, worklist, last, (title, producer), Described(aip, last.version + 1, title, core))


def _is_there(catalogue: Catalogue, aip: str, place: str, data: bytes) -> bool:
    query = "select path, digest from files where aip = ? and until is null and substr(path, 1, ?) = ?"
    found = [(row["path"], row["digest"]) for row in catalogue.rows(query, aip, len(bag.DUBLIN_CORE), bag.DUBLIN_CORE)]
    return found == [(place, str(sha256(data)))]


def _committed(
    successor: Successor, worklist: Worklist, last: Record, about: tuple[str, str], done: Described
) -> Described:
    draft = successor.draft(last, REASON, *about)
    agents = successor.agents()
    event = Happening(
        id=str(successor.setting.new_id()), type=EVENT, time=draft.created, outcome="success",
        detail=f"Dublin Core of {len(done.elements)} elements: {', '.join(done.elements)}",
        agents=tuple(agent.id for agent in agents),
    )  # fmt: skip
    assemble.put_premis(worklist, successor.keep, draft, [], [event], agents)
    committed = successor.commit(worklist, draft)
    return Described(done.aip, done.version, done.title, done.elements, committed.behind)
