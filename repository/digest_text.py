"""The digest: what happened in a while and how things stand, as a text for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fixity.outcome import DAMAGED
from fixity.schedule import Coverage
from repository.alerts import Fault
from repository.catalogue import Catalogue
from repository.health import Health
from repository.jobs import FAILED
from repository.words import counted, size
from storage.aip import stamp


@dataclass(frozen=True, slots=True)
class Period:
    """What the ledger tells of some time. `recovered` are versions that a person entered again, which had come in
    before; `read` are bytes, in all copies; `found` what audits found damaged; `runs` and `failed` count runs by
    jobs."""

    begin: datetime
    end: datetime
    ingested: int
    versions: int
    recovered: int
    refused: int
    deleted: int
    read: int
    found: int
    repaired: int
    runs: Mapping[str, int]
    failed: Mapping[str, int]


def of_ledger(catalogue: Catalogue, begin: datetime, end: datetime) -> Period:
    """What happened from `begin` on, up to `end`."""
    rows = catalogue.rows(
        "select type, object, outcome, detail from events where time >= ? order by entry", stamp(begin)
    )
    return reckoned(
        ((row["type"], row["object"], row["outcome"], json.loads(row["detail"])) for row in rows), begin, end
    )


def reckoned(events: Iterable[tuple[str, str, str, Mapping[str, Any]]], begin: datetime, end: datetime) -> Period:
    """The counts of entries: type, object, outcome and detail of each. Pure."""
    counts: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for kind, about, outcome, detail in events:
        if kind == "commit" and "why" in detail:  # its own entry was lost: it came in when nobody knows
            counts["recovered"] += 1
            continue
        counts[kind] += 1
        if kind == "commit":
            counts["ingested"] += detail.get("version") == 1
        elif kind == "audit":
            counts["read"] += int(detail.get("bytes", 0))
            counts["found"] += sum(int(detail.get(word, 0)) for word in DAMAGED)
        elif kind == "repair":
            counts["repaired"] += len(detail.get("repaired", ()))
        elif kind == "job":
            runs[about] += 1
            failed[about] += outcome in FAILED
    return Period(
        begin, end, counts["ingested"], counts["commit"] - counts["ingested"], counts["recovered"], counts["refusal"],
        counts["deletion"], counts["read"], counts["found"], counts["repaired"], runs, failed,
    )  # fmt: skip


def render(past: Period, health: Health, faults: Sequence[Fault], waiting: int) -> str:
    """The text. `waiting` counts what waits for a person: requests to delete, and deliveries that are held."""
    return "\n".join([
        f"From {past.begin:%Y-%m-%d} to {past.end:%Y-%m-%d}", "",
        f"Taken in: {counted(past.ingested, 'AIP')}; {counted(past.versions, 'further version')};"
        f" {past.refused:,} refused or held",
        *_recovered(past),
        f"Deleted: {counted(past.deleted, 'AIP')}",
        f"Read again: {size(past.read)}; {counted(past.found, 'file')} found altered, missing or unreadable",
        f"Repaired: {counted(past.repaired, 'file')}",
        f"Held: {counted(health.aips, 'AIP')}, {counted(health.files, 'file')}, {size(health.bytes)},"
        f" in {counted(len(health.copies), 'copy')}",
        f"Waiting for a person: {waiting:,}",
        "", "The promise of reading", *(_or_none(map(_promise, health.coverage))),
        "", "Jobs", *(_or_none(_jobs(past))),
        "", "Open", *(_or_none(f"- {fault.message}" for fault in faults)), "",
    ])  # fmt: skip


def _recovered(past: Period) -> Iterator[str]:
    if past.recovered:
        yield f"Entered again: {counted(past.recovered, 'version')} whose entries the ledger had lost"


def _promise(one: Coverage) -> str:
    name = f"{one.copy} ({one.collection})" if one.collection else one.copy
    oldest = f", read longest ago on {one.oldest:%Y-%m-%d}" if one.oldest else ""
    return f"- {name}: {one.state}{oldest}" + (f". {one.advice}" if one.advice else "")


def _jobs(past: Period) -> Iterator[str]:
    for name, count in sorted(past.runs.items()):
        yield f"- {name}: {counted(count, 'run')}" + (f", {past.failed[name]:,} failed" if past.failed[name] else "")


def _or_none(lines: Iterable[str]) -> list[str]:
    return list(lines) or ["- none"]
