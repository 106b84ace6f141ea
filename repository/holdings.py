"""What is held, as questions to the catalogue: values for people and machines, in a stable order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ingest.judgement import SUMMARY, Outcome
from repository.catalogue import Catalogue
from repository.errors import Ambiguous, BadIdentifier, NotKept
from repository.project_judged import OF_FILE
from storage import layout
from storage.aip import parse_aip
from storage.errors import Deleted, NotFound

_ACCESSION = re.compile(r"\d{4}-\d{4,}")


@dataclass(frozen=True, slots=True)
class Aip:
    """An AIP as it is now: `files` and `bytes` are its content (not the metadata that Tianyi writes); None where
    no copy has its manifest whole, so that nobody knows."""

    aip: str
    title: str
    accession: str
    producer: str
    created: str
    versions: int
    files: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Version:
    version: int
    created: str
    reason: str
    agent: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file of an AIP. `original_name` is escaped, "" for one made here; `derived_from` the path it was made from;
    `judged` what format tools say of it: well-formed, malformed or not checked."""

    path: str
    size: int
    digest: str
    puids: Sequence[str]
    mime: str
    basis: str
    original_name: str
    derived_from: str
    judged: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of an AIP (PREMIS) or of the repository (ledger). `type` is a term of PREMIS's vocabulary; `detail` is
    the ledger entry's own, or `note` (and `files`, bag paths, where it is about some) of a PREMIS event."""

    time: str
    type: str
    agent: str
    object: str
    outcome: str
    detail: Mapping[str, Any]
    source: str


@dataclass(frozen=True, slots=True)
class HeldAs:
    """A file of an AIP that a blob is the content of; `original_name` is "" for one made here."""

    aip: str
    accession: str
    path: str
    original_name: str


@dataclass(frozen=True, slots=True)
class Behind:
    """What a key of the vault is for: the first `files`, how many there are in all, and every AIP, ascending."""

    files: Sequence[HeldAs]
    total: int
    aips: Sequence[str]


_AIP = "aip, title, accession, producer, created, versions, files, bytes"
PREMIS_TYPES = {
    "commit": "information package creation", "audit": "fixity check", "repair": "recovery", "export": "dissemination",
    "refusal": "appraisal", "acceptance": "appraisal", "accession": "accession", "founding": "creation",
    "deletion": "deletion", "scan": "virus check",
    "identification": "format identification",
}  # fmt: skip
"""Entry types of the ledger as terms of id.loc.gov/vocabulary/preservation/eventType."""
_COMMITS = {"migration": "migration", "characterization": SUMMARY, "description": "metadata modification"}  # by reason


def resolve(catalogue: Catalogue, text: str) -> str:
    """The AIP that an identifier or accession number names; raise BadIdentifier, NotFound, NotKept or Deleted."""
    aip = _named(catalogue, text)
    if not catalogue.one("select 1 from aips where aip = ?", aip):
        if row := catalogue.one("select aip, time, reason from deleted where aip = ?", aip):
            raise Deleted(row["aip"], row["time"], row["reason"], layout.tombstone_key(parse_aip(aip)))
        if row := _refused(catalogue, text):
            raise NotKept(text, row["outcome"], next(iter(json.loads(row["because"] or "[]")), ""))
        raise NotFound(f"AIP {text}", "this repository", "`tianyi list` shows what is held.")
    return str(aip)


def _named(catalogue: Catalogue, text: str) -> str:
    """The AIP that is meant, whether or not it is held; "" for an accession of which there is none."""
    if _ACCESSION.fullmatch(text):
        query = (
            "select aip from aips where accession = ?1 union all select aip from deleted where accession = ?1"
            " union all select aip from accessions where accession = ?1 and outcome = 'accepted'"
        )
        found = sorted({str(row["aip"]) for row in catalogue.rows(query, text)})
        if len(found) > 1:
            raise Ambiguous(text, found)
        return found[0] if found else ""
    try:
        return f"urn:uuid:{parse_aip(text.lower())}"
    except ValueError as error:
        raise BadIdentifier(text) from error


def named(catalogue: Catalogue, aip: str) -> tuple[str, str]:
    """Title and producer of an AIP that the catalogue has."""
    row = catalogue.one("select title, producer from aips where aip = ?", aip)
    assert row is not None
    return row["title"], row["producer"]


def subject(catalogue: Catalogue, text: str) -> str:
    """What events can be about: an AIP, a deleted one too, or an accession of which there is none; raise as `resolve`
    does."""
    if _refused(catalogue, text):
        return text
    with suppress(Deleted):
        return resolve(catalogue, text)
    return _named(catalogue, text)


def _refused(catalogue: Catalogue, accession: str) -> dict[str, Any] | None:
    query = "select outcome, because from accessions where accession = ? and aip = ''"
    return catalogue.one(query, accession)


def behind(catalogue: Catalogue, key: str, most: int = 10) -> Behind:
    """What is behind a key: the files of a blob, the AIP of a record, nothing of a fixed file."""
    if name := layout.record_name(key):
        return Behind([], 0, [f"urn:uuid:{name[0]}"])
    if not (digest := layout.blob_digest(key)):
        return Behind([], 0, [])
    held = (
        "(select distinct f.aip, accession, path, original_name from files f join aips a on a.aip = f.aip"
        " where digest = ?)"
    )
    total = catalogue.one(f"select count(*) as files from {held}", str(digest))
    assert total is not None  # a count is always there
    first = catalogue.rows(f"select * from {held} order by accession, aip, path limit ?", str(digest), most)
    aips = catalogue.rows(f"select distinct aip from {held} order by aip", str(digest))
    return Behind([HeldAs(**row) for row in first], total["files"], [row["aip"] for row in aips])


def aips(catalogue: Catalogue) -> Iterator[Aip]:
    """Yield every AIP by accession number."""
    for row in catalogue.rows(f"select {_AIP} from aips order by accession, aip"):
        yield Aip(**row)


def search(catalogue: Catalogue, words: str) -> Iterator[Aip]:
    """Yield the AIPs where every word is in title, producer, description, accession or a file's name.

    Words match by their beginning; Chinese, which is written without blanks, anywhere.
    """
    for row in catalogue.rows(f"select {_AIP} from aips order by accession, aip"):
        if all(_mentions(catalogue, row["aip"], word) for word in words.split()):
            yield Aip(**row)


def _mentions(catalogue: Catalogue, aip: str, word: str) -> bool:
    told = ("title", "producer", "description", "accession")
    if word.isascii():
        query = "select 1 from aips_fts f join aips a on a.rowid = f.rowid where aips_fts match ? and aip = ?"
        quoted = '"' + word.replace('"', '""') + '"*'
        if catalogue.one(query, quoted, aip):
            return True
    elif catalogue.one(f"select 1 from aips where aip = ? and {_contains(told)}", aip, word):
        return True
    query = "select 1 from files where aip = ? and until is null and instr(lower(original_name), lower(?)) limit 1"
    return catalogue.one(query, aip, word) is not None


def _contains(columns: Sequence[str]) -> str:
    return f"instr({' || char(10) || '.join(columns)}, ?)"


def aip(catalogue: Catalogue, urn: str) -> Aip:
    row = catalogue.one(f"select {_AIP} from aips where aip = ?", urn)
    assert row is not None  # `resolve` has found it
    return Aip(**row)


def versions(catalogue: Catalogue, urn: str) -> list[Version]:
    """All versions, ascending."""
    query = "select version, created, reason, agent, files, bytes from versions where aip = ? order by version"
    return [Version(**row) for row in catalogue.rows(query, urn)]


def files(
    catalogue: Catalogue, urn: str, version: int | None = None, *, everything: bool = False
) -> Iterator[HeldFile]:
    """Yield a version's files by path: content alone, or everything in its bag."""
    at = "until is null" if version is None else f"since <= {version:d} and (until is null or until >= {version:d})"
    query = (
        f"select path, size, digest, puids, mime, basis, original_name, derived_from, {OF_FILE} as judged from files f"
        f" where aip = ? and {at} and (content or ?) order by path"
    )
    for row in catalogue.rows(query, urn, everything):
        yield HeldFile(**{**row, "puids": json.loads(row["puids"])})


def judged(catalogue: Catalogue, urn: str) -> Mapping[str, int]:
    """How many files of an AIP, as it is now, are well-formed, malformed, and not checked by format tools."""
    query = f"select {OF_FILE} as judged, count(*) as files from files f where aip = ? and content and until is null"
    found = {row["judged"]: row["files"] for row in catalogue.rows(f"{query} group by 1", urn)}
    return {outcome.value: found.get(outcome.value, 0) for outcome in Outcome}


def events(catalogue: Catalogue, urn: str = "") -> Iterator[Happened]:
    """Yield what happened, in order: to the repository, or to one AIP (its PREMIS events among it) or accession. Of
    one time, what the ledger has first comes first, and PREMIS events before the entry of their version."""
    found = [(row["entry"], True, _from_ledger(row)) for row in catalogue.rows(*_ledger_query(catalogue, urn))]
    if urn:
        found = [*((row["entry"], False, _from_premis(row)) for row in catalogue.rows(_HAPPENINGS, urn)), *found]
    yield from (told for *_, told in sorted(found, key=lambda one: (one[2].time, *one[:2])))


_HAPPENINGS = """
select h.*, coalesce(v.entry, 0) as entry from happenings h
left join versions v on v.aip = h.aip and v.version = h.version where h.aip = ? order by h.version, h.rowid
"""
"""With the entry of the ledger before which each happened: that of its version."""


def _ledger_query(catalogue: Catalogue, urn: str) -> tuple[str, ...]:
    if not urn:
        return ("select * from events order by entry",)
    return (
        "select * from events where object in (?1, (select accession from aips where aip = ?1),"
        " (select accession from deleted where aip = ?1)) order by entry",
        urn,
    )


def _from_ledger(row: dict[str, Any]) -> Happened:
    kind = PREMIS_TYPES.get(row["type"], row["type"])
    detail = json.loads(row["detail"])
    if row["type"] == "commit":
        kind = _COMMITS.get(detail.get("reason"), kind)
    return Happened(row["time"], kind, row["agent"], row["object"], row["outcome"], detail, "ledger")


def _from_premis(row: dict[str, Any]) -> Happened:
    agents = ", ".join(json.loads(row["agents"]))
    detail: dict[str, Any] = {"note": "; ".join(filter(None, (row["detail"], row["note"])))}
    if files := [path for path in json.loads(row["objects"]) if path]:
        detail["files"] = files
    return Happened(row["time"], row["type"], agents, row["aip"], row["outcome"], detail, "premis")


def roughly(catalogue: Catalogue) -> tuple[int, int]:
    """About how many files and bytes there are, at once: what AIPs share is counted for each."""
    row = catalogue.one("select coalesce(sum(files), 0) as files, coalesce(sum(bytes), 0) as bytes from aips")
    assert row is not None  # a sum is always there
    return row["files"], row["bytes"]
