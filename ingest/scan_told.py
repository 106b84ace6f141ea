"""What came of scanning a delivery: findings, one word for the ledger, and the event for PREMIS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.finding import Finding
from ingest.scan import Engine, Outcome, Verdict, about, finding
from ingest.worklist import Worklist
from storage.names import escape_path
from storage.premis import Agent

EVENT = "virus check"  # id.loc.gov/vocabulary/preservation/eventType
NONE = "none"


def check(worklist: Worklist, engine: Engine | None) -> Iterator[Finding]:
    """Yield what the scanner found or left out, file by file."""
    if engine:
        yield from about(engine)
    rows = worklist.select("select name, scan, scan_told from items where scan in ('infected', 'not scanned')")
    for name, outcome, told in rows:
        if found := finding(Verdict(Outcome(outcome), told), escape_path(name)):
            yield found


def outcome(worklist: Worklist, engine: Engine | None) -> str:
    """`pass` where every file is clean, `fail` where one is infected, else `not checked`: also where the scanner hides
    its limits. `none`: none was asked."""
    if engine is None:
        return NONE
    counts = _counts(worklist)
    if counts[Outcome.INFECTED]:
        return "fail"
    return "pass" if engine.tells_limits and counts[Outcome.CLEAN] == worklist.totals()[0] else "not checked"


def worst(outcomes: Iterable[str]) -> str:
    """What several come to together."""
    return min(outcomes, key=("fail", "not checked", "pass", NONE).index)


def event(worklist: Worklist, engine: Engine | None) -> tuple[str, str, str]:
    """Detail, outcome and note of the event, for PREMIS; which files it is about, the findings in the bag tell."""
    if engine is None:
        return "no virus scanner is configured", "not checked", ""
    counts = _counts(worklist)
    detail = ", ".join(f"{counts[one]} {one}" for one in Outcome if counts[one] or one is Outcome.CLEAN)
    return f"{detail} files", outcome(worklist, engine), "; ".join(found.message for found in about(engine))


def agent(engine: Engine) -> Agent:
    """The scanner with the version of its signatures."""
    signed = f"signatures {engine.signatures}" if engine.signatures else ""
    return Agent(
        id=str(engine), name=engine.name, kind="software", version=", ".join(filter(None, (engine.version, signed)))
    )


def _counts(worklist: Worklist) -> dict[Outcome, int]:
    rows = worklist.select("select scan, count(*) from items where kind = 'file' and scan is not null group by scan")
    return dict.fromkeys(Outcome, 0) | {Outcome(name): count for name, count in rows}
