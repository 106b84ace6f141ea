"""Scanning what is held for viruses again: signatures of today on what came in long ago."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter

from ingest.scan import Engine, Outcome, Scanner
from ingest.scan_stored import Seen, Wanted, scan_stored
from repository.catalogue import Catalogue
from repository.errors import ScannerAway
from repository.project_scan import DUE, Window
from storage.canonical import Json
from storage.digest import Digest
from storage.parallel import Workers, in_order
from storage.portions import cut
from storage.progress import SILENT, Progress
from storage.spool import Spool
from storage.vault import Vault

CHUNK_FILES, CHUNK_BYTES = 250, 64 << 20  # what a worker is handed at once


@dataclass(slots=True)
class Scanned:
    """What a scan came to: `findings` are the blobs that are infected or were not scanned, in the order of digests."""

    engine: Engine
    clean: int = 0
    infected: int = 0
    size: int = 0
    findings: Spool[Seen] = field(default_factory=Spool)

    @property
    def scanned(self) -> int:
        return self.clean + self.infected

    @property
    def not_scanned(self) -> int:
        return len(self.findings) - self.infected

    @property
    def outcome(self) -> str:
        """As in the ledger: `pass`, `fail` where something is infected, `not checked` where something was left out."""
        if self.infected:
            return "fail"
        return "pass" if self.engine.tells_limits and not self.not_scanned else "not checked"

    def add(self, seen: Seen) -> None:
        outcome = seen.verdict.outcome
        self.size += seen.blob.size
        self.clean += outcome is Outcome.CLEAN
        self.infected += outcome is Outcome.INFECTED
        if outcome is not Outcome.CLEAN:
            self.findings.append(seen)

    def told(self, window: Window) -> dict[str, Json]:
        """The detail of the ledger's entry: counts, and what was due, so that a rebuild knows it."""
        detail: dict[str, Json] = {
            "scanned": self.scanned, "infected": self.infected, "not_scanned": self.not_scanned, "bytes": self.size,
            "engine": str(self.engine), "before": window.before, "entries": window.entries, "aip": bool(window.aip),
        }  # fmt: skip
        return detail if self.engine.tells_limits else {**detail, "limits": "hidden"}


def scan(
    vault: Vault, catalogue: Catalogue, scanner: Callable[[], Scanner], executor: Workers, window: Window,
    progress: Progress = SILENT,
) -> Scanned:  # fmt: skip
    """Scan what is due; raise ScannerAway where the scanner does not answer to begin with."""
    done = Scanned(scanner().engine())
    if done.engine.missing:
        raise ScannerAway(done.engine.missing)
    total = catalogue.one(f"select count(*) as files, coalesce(sum(size), 0) as bytes from ({DUE})", *window)
    assert total is not None  # a count is always there
    progress.begin("Scanning", total["files"], total["bytes"])
    with executor(total["files"], total["bytes"]) as pool:
        chunks = cut(_due(catalogue, window), attrgetter("size"), CHUNK_FILES, CHUNK_BYTES)
        for some in in_order(pool, partial(scan_stored, vault.copies, scanner), chunks):
            for seen in some:
                done.add(seen)
            progress.advance(len(some), sum(seen.blob.size for seen in some))
    progress.end()
    return done


def _due(catalogue: Catalogue, window: Window) -> Iterator[Wanted]:
    for row in catalogue.rows(DUE, *window):
        yield Wanted(Digest.parse(row["digest"]), row["size"])


def row(seen: Seen) -> dict[str, str]:
    """A blob that is not clean as a row of a kept list."""
    return {"digest": str(seen.blob.digest), "outcome": seen.verdict.outcome.value, "why": seen.verdict.told}
