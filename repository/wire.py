"""Values → JSON: one shape for the command line, and for whatever comes later."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.aip import stamp
from storage.layout import blob_key
from storage.names import escape_path

if TYPE_CHECKING:
    from fixity.audit import Audit
    from fixity.audit import Finding as Seen
    from fixity.repair import Mend
    from fixity.schedule import Coverage
    from ingest.again import Drifted
    from ingest.delivery import Receipt
    from ingest.finding import Finding
    from ingest.preflight import Preflight
    from ingest.validation import Validation
    from policies.errors import PolicyError
    from repository.accession import Accession
    from repository.alerts import Told
    from repository.characterization import Planned as Asked
    from repository.characterize import Characterized
    from repository.copies import CopyState
    from repository.corrections import Correction
    from repository.description import Described
    from repository.dip import Dip
    from repository.disposal import Done, Hold, Plan, Request
    from repository.doctor_drill import Drill
    from repository.drill import Drilled
    from repository.holdings import Aip, Behind, Happened, HeldFile, Version
    from repository.jobs import Job, Run
    from repository.ledger_check import Verified
    from repository.ledger_recover import Recovered
    from repository.losses import Loss
    from repository.mending import Mended
    from repository.metrics import Metric
    from repository.migration import Migration, Planned
    from repository.proving import Proof
    from repository.publishing import Handed
    from repository.rescan import Scanned
    from repository.room import Room
    from repository.signatures import Known
    from repository.status import CopyStatus
    from storage.replicate import Replicated
    from storage.sweep import Swept

Json = dict[str, Any]
CAPPED = 100  # findings shown; the rest is in the report


def place(path: Path) -> str:
    """Where something lies, in the escaped form of all paths (storage/names.py)."""
    return escape_path(os.fsencode(path))


def finding(found: Finding) -> Json:
    return {
        "code": found.code, "severity": found.severity.value, "path": found.path, "message": found.message,
    }  # fmt: skip


def receipt(value: Receipt) -> Json:
    return {
        "accession": value.accession,
        "aip": value.aip or None,
        "version": value.version or None,
        "outcome": value.outcome,
        "kind": value.kind,
        "files": value.files,
        "bytes": value.size,
        "new_bytes": value.new_bytes,
        "extracted": value.extracted,
        **followed(value),
        "because": list(value.because),
        "findings": [finding(found) for found in value.findings],
        "findings_total": value.findings_total,
        "report": place(value.report),
        "documents": {
            "html": place(value.report.with_suffix(".html")), "json": place(value.report.with_suffix(".json")),
            "digests": place(value.listing),
        },
    }  # fmt: skip


def accession(value: Accession) -> Json:
    return {
        "accession": value.accession, "state": value.state, "aip": value.aip or None, "next": value.next or None,
        "received": value.received, "because": list(value.because), "terms": dict(value.terms),
        "entry": value.entry or None, "title": value.title or None,
    }  # fmt: skip


def preflight(value: Preflight, rooms: Sequence[Room]) -> Json:
    return {
        "dry_run": True, "outcome": value.outcome, "kind": value.kind, "whole": value.whole, "files": value.files,
        "bytes": value.size, "looked_at": value.looked_at, "not_compared": value.not_compared,
        "repeated": {"files": value.repeated, "bytes": value.repeated_bytes}, "new_bytes": value.new_bytes,
        "fetched_bytes": value.fetched,
        "seconds": None if value.seconds is None else round(value.seconds, 1),
        "space": [
            {"copies": list(room.copies), "needed": room.needed, "free": room.free, "enough": room.enough}
            for room in rooms
        ],
        "formats": [
            {"puid": one.puid or None, "name": one.name or None, "files": one.files, "bytes": one.size,
             "risk": one.risk, "planned": one.planned or None}
            for one in value.formats
        ],
        "because": list(value.decision.because),
        "findings": [finding(found) for found in value.findings], "findings_total": value.findings_total,
    }  # fmt: skip


def validation(value: Validation) -> Json:
    findings = [finding(found) for found in value.findings[:CAPPED]]
    return {
        "kind": value.kind, "valid": value.valid, "findings": findings, "findings_total": len(value.findings),
    }  # fmt: skip


def copy_state(value: CopyState) -> Json:
    copy = value.copy
    return {
        "name": copy.name, "url": copy.url, "state": value.state,
        "behind": None if value.state == "away" else value.behind,
        "last_read_in_full": value.last_read_in_full or None, "medium": copy.medium or None,
        "place": copy.place or None, "form": copy.form, "why": value.why or None,
        "next": value.next or None,
    }  # fmt: skip


def alert(value: Told) -> Json:
    fault = value.fault
    return {
        "kind": fault.kind, "about": fault.about, "message": fault.message,
        "next": fault.next, "since": stamp(value.since),
    }  # fmt: skip


def metrics(found: Iterable[Metric]) -> Iterator[Json]:
    """Each value of each metric."""
    for metric in found:
        for labels, number in metric.values:
            if number is not None:
                yield {"name": metric.name, "labels": dict(labels), "value": number}


def replicated(done: Sequence[Replicated]) -> Json:
    """Counts over all copies, and each of them."""
    copies = [
        {"name": one.copy, "copied": one.copied, "bytes": one.size, "behind": len(one.behind),
         "lacks": [{"key": key or None, "why": why} for key, why in list(one.behind.items())[:CAPPED]]}
        for one in done
    ]  # fmt: skip
    return {
        "copied": sum(one.copied for one in done), "bytes": sum(one.size for one in done),
        "behind": sum(len(one.behind) for one in done), "copies": copies,
    }  # fmt: skip


def aip(value: Aip) -> Json:
    return asdict(value)


def shown(
    value: Aip, versions: Sequence[Version], corrections: Sequence[Correction], judged: Mapping[str, int]
) -> Json:
    """An AIP with the list of its versions beside their number, what officers said of its files, and how many of these
    format tools call what."""
    history = [asdict(version) for version in versions]
    return {
        **asdict(value), "history": history, "corrections": [correction(one) for one in corrections],
        "judged": {_key(word): files for word, files in judged.items()},
    }  # fmt: skip


def described(value: Described) -> Json:
    return {
        "aip": value.aip, "version": value.version or None, "title": value.title,
        "elements": {name: list(said) for name, said in value.elements.items()}, **followed(value),
    }  # fmt: skip


def characterized(value: Characterized) -> Json:
    return {
        "aip": value.aip, "version": value.version or None, "well_formed": value.well_formed,
        "malformed": value.malformed, "not_checked": value.not_checked, "why": value.why or None, **followed(value),
    }  # fmt: skip


def to_characterize(value: Asked) -> Json:
    return {
        "dry_run": True, "aip": value.due.aip, "files": value.due.files, "bytes": value.due.size,
        "tools": dict(value.tools), "no_tool": value.no_tool,
    }  # fmt: skip


def correction(value: Correction) -> Json:
    return {
        "aip": value.aip, "file": value.path, "puid": value.puid, "was": list(value.was), "reason": value.reason,
        "time": value.time or None, "agent": value.agent or None,
    }  # fmt: skip


def signatures(value: Known) -> Json:
    return {
        "version": value.version, "puids": value.puids, "signatures": value.signatures,
        "unusable": [asdict(one) for one in value.unusable], "imported": value.imported or None,
    }  # fmt: skip


def drifted(value: Drifted) -> Json:
    told = {"error": value.error} if value.error else {}
    return {
        "aip": value.aip, "accession": value.accession, "file": value.path, "was": list(value.was),
        "would_be": list(value.would_be), "basis": value.basis, "changed": value.changed, **told,
    }  # fmt: skip


def file(value: HeldFile) -> Json:
    told = asdict(value)
    judged = _key(value.judged)
    return {**told, "puids": list(value.puids), "derived_from": value.derived_from or None, "judged": judged}


def _key(words: str) -> str:
    """An outcome as JSON calls it: `not_checked`."""
    return words.replace("-", "_").replace(" ", "_")


def happened(value: Happened) -> Json:
    return asdict(value)


def audits(results: Sequence[Audit], behind: Callable[[str], Behind]) -> Json:
    """Counts over all copies, and everything that is not intact."""
    from fixity.audit import WORDS

    counts = {word: sum(result.counts[word] for result in results) for word in WORDS}
    findings = chain.from_iterable(result.findings for result in results)
    return {
        "checked": sum(result.checked for result in results),
        "bytes": sum(result.size for result in results),
        **counts,
        "copies": list(dict.fromkeys(result.copy for result in results)),
        "cached": any(result.cached for result in results),
        "findings": [seen(found, behind(found.key)) for found in islice(findings, CAPPED)],
        "findings_total": sum(len(result.findings) for result in results),
    }


def _for(behind: Behind) -> Json:
    files = [{"aip": file.aip, "path": file.path} for file in behind.files]
    return {"aips": list(behind.aips), "files": files}


def seen(found: Seen, behind: Behind) -> Json:
    return {
        "outcome": found.outcome, "copy": found.copy, "key": found.key, **_for(behind),
        "expected": str(found.expected) if found.expected else None,
        "found": str(found.found) if found.found else None, "why": found.why,
        "quarantine": found.kept or None,
    }  # fmt: skip


def mends(
    word: str, done: Mended, unchecked: Mapping[str, int], losses: Sequence[Loss], behind: Callable[[str], Behind]
) -> Json:
    """Counts, the first keys, and what can be asked of whom. `word` is repaired, or repairable where nothing was."""
    findings = chain(((word, mend) for mend in done.healed), (("beyond_repair", mend) for mend in done.beyond))
    return {
        word: len(done.healed), "beyond_repair": len(done.beyond), "past": len(done.past), "left": dict(done.stopped),
        "not_checked": sum(unchecked.values()),
        "findings": [mend(outcome, one, behind(one.damage.expected.key)) for outcome, one in islice(findings, CAPPED)],
        "findings_total": len(done.healed) + len(done.beyond),
        "ask": [loss(one) for one in losses[:CAPPED]], "ask_total": len(losses),
    }  # fmt: skip


def mend(outcome: str, value: Mend, behind: Behind) -> Json:
    """What was wrong with a key, and what became of it."""
    found = value.fault.told() if value.fault else None
    return {
        "outcome": outcome, "copy": value.damage.copy, "key": value.damage.expected.key, **_for(behind),
        "source": value.source or None, "fault": found, "quarantine": value.kept or None, "why": value.why,
    }  # fmt: skip


def loss(value: Loss) -> Json:
    return {**asdict(value), "copies": list(value.copies)}


def scanned(value: Scanned, behind: Callable[[str], Behind]) -> Json:
    findings = [
        {"outcome": seen.verdict.outcome.value.replace(" ", "_"), "digest": str(seen.blob.digest),
         **_for(behind(blob_key(seen.blob.digest))), "why": seen.verdict.told}
        for seen in islice(value.findings, CAPPED)
    ]  # fmt: skip
    return {
        "scanned": value.scanned, "infected": value.infected, "not_scanned": value.not_scanned, "bytes": value.size,
        "scanner": str(value.engine), "tells_limits": value.engine.tells_limits, "findings": findings,
        "findings_total": len(value.findings),
    }  # fmt: skip


def drilled(value: Drilled, seed: int) -> Json:
    return {
        "copy": value.copy, "aips": value.aips, "identical": value.aips - value.different,
        "different": value.different, "bytes": value.size, "seed": seed,
        "findings": [asdict(one) for one in islice(value.differences, CAPPED)],
        "findings_total": len(value.differences),
    }  # fmt: skip


def played(value: Drill) -> Json:
    tried = [
        {"kind": one.injury.kind, "copy": one.injury.copy or None, "key": one.injury.key, "detected": one.detected,
         "repaired": one.repaired}
        for one in value.tried
    ]  # fmt: skip
    return {
        "injected": len(value.tried), "detected": value.detected, "repaired": value.repaired, "lost": len(value.lost),
        "injuries": tried, "losses": value.lost, "left_out": value.left_out,
    }  # fmt: skip


def request(value: Request, now: datetime) -> Json:
    told = {name: getattr(value, name) for name in ("aip", "accession", "reason", "requested", "requested_by")}
    approved = {"approved": value.approved or None, "approved_by": value.approved_by or None}
    return {"request": value.request, "state": value.seen(now), "due": value.due or None, **told, **approved}


def hold(value: Hold) -> Json:
    return {name: getattr(value, name) for name in ("hold", "aip", "accession", "reason", "since", "agent")}


def followed(value: Receipt | Migration | Characterized | Described | Request | Hold | Recovered) -> Json:
    """Which copies could not follow."""
    return {"copies": "behind" if value.behind else "complete", "behind": sorted(value.behind)}


def plan(value: Plan) -> Json:
    return {**asdict(value), "shared_with": list(value.shared_with), "copies": dict(value.copies)}


def swept(value: Swept) -> Json:
    return {
        "removed": value.removed, "bytes": value.size, "kept": value.kept, "copies": dict(value.copies),
        "waits": value.waits or None,
    }  # fmt: skip


def blocked(value: Request, holds: Sequence[Hold]) -> Json:
    """A deletion that is not carried out, and the holds that are why."""
    return {
        "request": value.request, "aip": value.aip, "accession": value.accession,
        "holds": [hold.hold for hold in holds],
    }  # fmt: skip


def deleted(value: Done) -> Json:
    return {"request": value.request, "aip": value.aip, "behind": sorted(value.behind)}


def dip(value: Dip) -> Json:
    proof = place(value.proof) if value.proof else None
    return {
        "dip": place(value.path), "form": value.form, "files": value.files, "bytes": value.size, "proof": proof,
        "leftovers": [place(path) for path in value.leftovers], "findings": [finding(one) for one in value.findings],
    }  # fmt: skip


def handed(value: Handed) -> Json:
    return {
        "to": value.to, "kind": value.kind, "entries": value.size, "outcome": value.outcome or None,
        "why": value.why or None,
    }  # fmt: skip


def proved(value: Proof, path: Path) -> Json:
    return {
        "proof": place(path), "aip": value.aip, "entries": value.size, "versions": list(value.versions),
        "unsigned": list(value.unsigned), "time_stamps": value.stamps,
    }  # fmt: skip


def planned(value: Planned) -> Json:
    return {
        "aip": value.aip, "path": value.path, "from": value.puid, "to": value.to, "tool": None, "equal": None,
        "reason": "; ".join(value.because),
    }  # fmt: skip


def migration(value: Migration) -> Json:
    return {
        "aip": value.planned.aip, "path": value.planned.path, "from": value.planned.puid, "to": value.puid or None,
        "output": value.path or None, "tool": value.tool or None, "equal": value.equal, "reason": value.reason,
        "version": value.version or None, **followed(value),
    }  # fmt: skip


def verified(done: Verified) -> Json:
    """What became of verifying the ledger; `weight` is damage, incomplete or info."""
    return {
        "entries": done.entries, "root": done.root, "checkpoints": done.checkpoints, "valid": done.valid,
        "findings": [
            {"code": one.code, "what": one.what, "copy": one.copy, "weight": one.weight} for one in done.findings
        ],
    }  # fmt: skip


def recovered(value: Recovered) -> Json:
    return {
        "entered": [{"aip": one.aip, "version": one.version} for one in value.entered],
        "left": [asdict(one) for one in value.left], **followed(value),
    }  # fmt: skip


def mistake(value: PolicyError) -> Json:
    """As an error is told."""
    return {"code": value.code, "message": str(value), "next": value.next}


def job(value: Job) -> Json:
    """Null where a job is paused, or never ran."""
    from repository.jobs import PAUSED

    return {
        "name": value.name, "every": value.rule.every // timedelta(seconds=1), "state": value.state,
        "next": None if value.state == PAUSED else stamp(value.next), "last": stamp(value.last) if value.last else None,
        "result": value.result or None, "seconds": value.seconds if value.last else None, "failures": value.failures,
        "why": value.why or None,
    }  # fmt: skip


def run(value: Run) -> Json:
    on_record = {"ended": value.ended, "agent": value.agent} if value.ended else {}
    return {"name": value.name, "outcome": value.outcome, **on_record, **value.detail}


def audit_status(found: Sequence[CopyStatus], now: datetime) -> Json:
    return {"time": stamp(now), "copies": [_copy_status(one) for one in found]}


def _copy_status(one: CopyStatus) -> Json:
    return {
        "name": one.copy, "damaged": one.damaged, "bytes_per_second": one.speed and round(one.speed),
        "promises": [coverage(promise) for promise in one.promises],
        "days": [{"day": day.day.isoformat(), "files": day.files, "bytes": day.bytes} for day in one.days],
        "months": [
            {"month": month.month, "altered": month.altered, "missing": month.missing,
             "unreadable": month.unreadable, "repaired": month.repaired}
            for month in one.months
        ],
    }  # fmt: skip


def coverage(value: Coverage) -> Json:
    """A promise: `every` in seconds; null where nothing is promised, read or about to break."""
    return {
        "copy": value.copy, "collection": value.collection or None, "state": value.state,
        "every": value.every // timedelta(seconds=1) if value.every else None,
        "oldest": stamp(value.oldest) if value.oldest else None, "unread": value.unread, "bytes": value.size,
        "breaks": stamp(value.breaks) if value.breaks else None, "advice": value.advice or None,
    }  # fmt: skip
