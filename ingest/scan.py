"""What a virus scanner says of a file, as values: clean, infected, or not scanned and why. A file that a scanner has
skipped was not cleared by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ingest.finding import Finding, error, warning


class Outcome(StrEnum):
    CLEAN = "clean"
    INFECTED = "infected"
    NOT_SCANNED = "not scanned"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of scanning one file; `told` is the signature that fits, or why it was not scanned."""

    outcome: Outcome
    told: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """A scanner as it is now. `signatures` is their version and `dated` when they were made, where it says so.

    `missing` is why it cannot be asked, "" where it can; `tells_limits`: of a file that it has not read to its end it
    says so, rather than "OK".
    """

    name: str
    version: str = ""
    signatures: str = ""
    dated: datetime | None = None
    tells_limits: bool = False
    missing: str = ""

    def __str__(self) -> str:
        """Like "ClamAV 1.4.6, signatures 27500": what PREMIS and the ledger call it."""
        named = f"{self.name} {self.version}".rstrip()
        return f"{named}, signatures {self.signatures}" if self.signatures else named


class Scan(Protocol):
    """One file on its way past a scanner."""

    def through(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the parts as they are, each shown to the scanner first. A scanner that fails stops nothing."""

    def verdict(self) -> Verdict | None:
        """What the scanner says, once `through` has ended; None where none was asked."""


class Scanner(Protocol):
    def engine(self) -> Engine:
        """What it is now; one that does not answer says so in `missing`."""

    def scan(self) -> AbstractContextManager[Scan]:
        """Begin with a file."""


class Unasked:
    """The scan where no scanner is configured."""

    def through(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        return iter(parts)

    def verdict(self) -> Verdict | None:
        return None


@dataclass(frozen=True, slots=True)
class Unscanned:
    """The scan of a file that a scanner cannot be shown, for a reason known beforehand."""

    why: str

    def through(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        return iter(parts)

    def verdict(self) -> Verdict:
        return Verdict(Outcome.NOT_SCANNED, self.why)


def finding(verdict: Verdict | None, path: str) -> Finding | None:
    """What a verdict means for the delivery: nothing where the file is clean, or no scanner was asked."""
    match verdict:
        case Verdict(Outcome.INFECTED, told):
            return error("infected", f"The virus scanner found {told}.", path)
        case Verdict(Outcome.NOT_SCANNED, told):
            return warning("not-scanned", f"It was not scanned for viruses: {told}.", path)
    return None


def about(engine: Engine) -> Iterator[Finding]:
    """What has to be said of the scanner itself."""
    if not engine.missing and not engine.tells_limits:
        yield warning(
            "scan-limits",
            "The virus scanner calls files clean that it has not read to their end: set AlertExceedsMax in clamd.conf.",
        )
