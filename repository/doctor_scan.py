"""The doctor on the virus scanner: whether it answers, what it keeps to itself, how old its signatures are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ingest.scan import Engine
from repository import scanners
from repository.config import Config
from repository.doctor_check import Check

OLD = timedelta(days=7)  # ClamAV brings out signatures every day
_NAME = "virus scanner"
_PAGE = "docs/how-to/scan-for-viruses.md tells how."


def examine(settings: Config, now: datetime) -> Iterator[Check]:
    """Ask the scanner that tianyi.toml names."""
    if not (scanner := scanners.configured(settings)):
        yield Check(_NAME, None, "info", f"none is configured: nothing scans deliveries for malware; {_PAGE}")
        return
    engine = scanner().engine()
    scanners.rest(settings)
    if engine.missing:
        cost = "Files come in unscanned, each told by a finding."
        yield Check(_NAME, False, "error", engine.missing, cost, f"See that clamd runs; {_PAGE}")
        return
    yield Check(_NAME, True, "error", str(engine))
    yield _limits(engine)
    yield _age(engine, now)


def _limits(engine: Engine) -> Check:
    name = f"{_NAME}: limits"
    if engine.tells_limits:
        return Check(name, True, "warning", "it tells of what they keep it from reading")
    cost = "It calls files clean that it has not read to their end."
    return Check(name, False, "warning", "it keeps them to itself", cost, "Set AlertExceedsMax in clamd.conf.")


def _age(engine: Engine, now: datetime) -> Check:
    name = f"{_NAME}: signatures"
    if not engine.dated:
        return Check(name, None, "warning", "it does not say when they were made")
    found = f"{engine.signatures}, {max(now - engine.dated, timedelta()).days} days old"
    if now - engine.dated > OLD:
        return Check(name, False, "warning", found, "What is newer is not found.", "See that freshclam runs.")
    return Check(name, True, "warning", found)
