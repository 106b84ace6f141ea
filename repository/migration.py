"""What the migration policy asks for: formats of original files → plans, with the policy's reasons."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from policies.decide import MigrateTo, plan_for
from policies.effective import Policies
from repository.catalogue import Catalogue
from storage import bag
from storage.digest import Digest
from storage.names import LONGEST


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that the policy wants migrated; `path` is its bag path, `because` the policy's reasons."""

    aip: str
    path: str
    digest: Digest
    size: int
    puid: str
    to: str
    rule: str
    representation: str
    because: Sequence[str]


@dataclass(frozen=True, slots=True)
class Migration:
    """What became of a planned file. `puid` and `path` are the new file's, "" where there is none; `reason` says why
    it was migrated, or why it could not be; `behind` are the copies that could not take the new version."""

    planned: Planned
    path: str
    puid: str
    tool: str
    equal: bool
    reason: str
    version: int
    behind: frozenset[str] = frozenset()


def plan(catalogue: Catalogue, policies: Policies) -> list[Planned]:
    """Every original file whose format the policy wants elsewhere, and which has no such representation yet."""
    query = (
        "select aip, path, digest, size, puids from files f where until is null and puids != '[]'"
        " and path like ? || '%' order by aip, path"
    )
    found = (_planned(row, policies) for row in catalogue.rows(query, bag.ORIGINAL))
    return [one for one in found if one and not _done(catalogue, one)]


def by_aip(planned: Iterable[Planned]) -> Iterator[list[Planned]]:
    for _, some in groupby(planned, key=lambda one: one.aip):
        yield list(some)


def output_path(planned: Planned, suffix: str) -> str:
    """Where the output lies: the original's place in the new representation, with a suffix more."""
    folder, _, name = planned.path.removeprefix(bag.ORIGINAL).rpartition("/")
    if len((name + suffix).encode()) > LONGEST:
        name = f"==~{hashlib.sha256(name.encode()).hexdigest()}"
    return bag.representation(planned.representation) + f"{folder}/{name}{suffix}".lstrip("/")


def _planned(row: dict[str, object], policies: Policies) -> Planned | None:
    """The plan for one file; a file with several formats is only migrated if every one of them would be alike."""
    puids = [str(puid) for puid in json.loads(str(row["puids"]))]
    decisions = [plan_for(puid, policies) for puid in puids]
    first = decisions[0]
    if not isinstance(first, MigrateTo) or any(_differs(first, other) for other in decisions[1:]):
        return None
    return Planned(
        aip=str(row["aip"]), path=str(row["path"]), digest=Digest.parse(str(row["digest"])),
        size=int(str(row["size"])), puid=puids[0], to=first.to, rule=first.rule,
        representation=first.representation, because=first.because,
    )  # fmt: skip


def _differs(first: MigrateTo, other: object) -> bool:
    return not isinstance(other, MigrateTo) or replace(other, because=first.because) != first


def _done(catalogue: Catalogue, planned: Planned) -> bool:
    query = "select 1 from files where aip = ? and derived_from = ? and path like ? || '%' and until is null"
    folder = bag.representation(planned.representation)
    return catalogue.one(query, planned.aip, planned.path, folder) is not None
