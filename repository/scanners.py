"""Which virus scanner is asked: the clamd that tianyi.toml names, where it names one. One a process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from ingest.scan import Scanner
from ingest.scan_clamd import Clamd
from repository.config import Config


def configured(settings: Config) -> Callable[[], Scanner] | None:
    """What gives each process its scanner; None where none is configured."""
    scan = settings.scan
    return partial(_clamd, scan.clamd, float(scan.seconds)) if scan else None


def rest(settings: Config) -> None:
    """Close this process's connections that nothing uses at this moment; a later scan opens others."""
    if settings.scan:
        _clamd(settings.scan.clamd, float(settings.scan.seconds)).close()


@cache
def _clamd(address: str, seconds: float) -> Clamd:
    """Its connections are kept, and what is known of one that does not answer."""
    return Clamd(address, seconds)
