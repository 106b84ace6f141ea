"""What an officer says that a file is: an entry of the ledger, and wins over what engines find."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from repository import holdings
from repository.catalogue import Catalogue, Row
from repository.errors import BadRequest
from storage import bag
from storage.digest import Digest
from storage.errors import NotFound

OFFICER = "officer"
"""What such an identification rests on, beside ingest.identify.Basis."""


@dataclass(frozen=True, slots=True)
class Correction:
    """That a file of an AIP is of a format; `was` is what it was on record as. `behind` are the copies that could not
    follow, where it was said just now."""

    aip: str
    accession: str
    path: str
    digest: Digest
    puid: str
    was: Sequence[str]
    reason: str
    time: str = ""
    agent: str = ""
    behind: frozenset[str] = frozenset()


def corrections(catalogue: Catalogue, urn: str) -> list[Correction]:
    """Those in force for the files of an AIP's newest version, by path."""
    query = (
        "select c.*, accession from corrections c join aips a on a.aip = c.aip where c.aip = ? and exists (select 1"
        " from files f where f.aip = c.aip and f.path = c.path and f.digest = c.digest and until is null) order by path"
    )
    return [_correction(row) for row in catalogue.rows(query, urn)]


def _correction(row: Row) -> Correction:
    was = tuple(json.loads(row["was"]))
    return Correction(
        row["aip"], row["accession"], row["path"], Digest.parse(row["digest"]), row["puid"], was, row["why"],
        row["time"], row["agent"],
    )  # fmt: skip


def named(catalogue: Catalogue, names: Sequence[str], aip: str, puid: str, reason: str) -> list[Correction]:
    """What is to be said of the files that are named, each once: by paths in the AIP, as `tianyi files` shows them, or
    by digests, then in every AIP where none is named. Raises NotFound or BadRequest; then of none."""
    urn = holdings.resolve(catalogue, aip) if aip else ""
    rows = {(row["aip"], row["path"]): row for name in names for row in _rows(catalogue, name, urn)}
    return [
        Correction(
            row["aip"], row["accession"], row["path"], Digest.parse(row["digest"]), puid,
            tuple(json.loads(row["puids"])), reason,
        )
        for _, row in sorted(rows.items())
    ]  # fmt: skip


def _rows(catalogue: Catalogue, name: str, urn: str) -> Iterator[Row]:
    where, arguments = "f.path in (?, ?)", [name, bag.ORIGINAL + name]
    with suppress(ValueError):
        where, arguments = "f.digest = ?", [str(Digest.parse(name))]
    if not urn and len(arguments) > 1:
        raise BadRequest(f"{name} is a path in some AIP, and none was named.", "Add --aip AIP, or name a digest.")
    found = list(
        catalogue.rows(
            "select f.aip, accession, path, digest, puids from files f join aips a on a.aip = f.aip"
            f" where until is null and basis != '' and {where} and (? in ('', f.aip)) order by f.aip, path",
            *arguments, urn,
        )
    )  # fmt: skip
    if not found:
        raise NotFound(name, urn or "this repository", "`tianyi files AIP` lists what an AIP has.")
    yield from found
