"""Repairs as entries of the ledger: written, and counted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from fixity.outcome import DAMAGED
from fixity.repair import Mend
from repository.catalogue import Catalogue
from repository.watch import Watch
from storage.aip import stamp
from storage.canonical import Json
from storage.portions import cut
from storage.spool import Spool

DAY = timedelta(days=1)
_KEYS, _BYTES = 200, 40_000  # of an entry, which is small (storage/event.py, LARGEST)


def note(watch: Watch, copy: str, mends: Iterable[Mend]) -> None:
    """Write down what was healed in a copy, and what could not be."""
    mends = Spool(mends)
    note_healed(watch, copy, (mend for mend in mends if not mend.why))
    note_failed(watch, copy, (mend for mend in mends if mend.why))


def note_healed(watch: Watch, copy: str, healed: Iterable[Mend]) -> None:
    """Write down what was healed in a copy, and what had been wrong with it, some at a time."""
    for some in cut(healed, _octets, _KEYS, _BYTES):
        sources = sorted({name for mend in some for name in mend.source.split(", ")})
        detail: dict[str, Json] = {"repaired": [mend.damage.expected.key for mend in some], "from": list(sources)}
        watch.note("repair", copy, "success", detail | {"faults": [_fault(mend) for mend in some]})


def note_failed(watch: Watch, copy: str, failed: Iterable[Mend]) -> None:
    """Write down what could not be healed in a copy, as a list that one entry names: once, and again where the damage
    is another, or the reason; nothing where that is nothing."""
    rows = Spool(
        {"key": mend.damage.expected.key, "why": mend.why}
        for mend in failed
        if not _is_told(watch.catalogue, copy, mend.damage.expected.key, mend.why)
    )
    if rows:
        watch.note("repair", copy, "fail", {"failed": len(rows), "list": str(watch.keep_list(rows))})


def _is_told(catalogue: Catalogue, copy: str, key: str, why: str) -> bool:
    """Whether the ledger says already, of the same damage, why it cannot be healed."""
    query = (
        "select 1 from beyond join damage using (copy, key) where copy = ? and key = ? and why = ?"
        " and beyond.outcome = damage.outcome and beyond.found = damage.found"
    )
    return catalogue.one(query, copy, key, why) is not None


def within_a_day(catalogue: Catalogue, copy: str, now: datetime) -> int:
    """How many files of a copy were healed in the last 24 hours: damage, not modes or what read right after all."""
    since = "select detail from events where object = ? and type = 'repair' and outcome = 'success' and time > ?"
    return sum(_lost(json.loads(row["detail"])) for row in catalogue.rows(since, copy, stamp(now - DAY)))


def _lost(detail: dict[str, list[dict[str, str]]]) -> int:
    if (faults := detail.get("faults")) is None:
        return len(detail["repaired"])  # written before entries told what was wrong
    return sum(fault["outcome"] in DAMAGED for fault in faults)


def _fault(mend: Mend) -> dict[str, Json]:
    told: dict[str, Json] = {**mend.fault.told()} if mend.fault else {"outcome": "altered"}
    told["from"] = mend.source
    return {**told, "kept": mend.kept} if mend.kept else told


def _octets(mend: Mend) -> int:
    return len(mend.damage.expected.key) + len(json.dumps(_fault(mend)))
