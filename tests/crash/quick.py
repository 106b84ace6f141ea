"""The repository with identification and conversion by tools left out, and with chance and time made certain."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from unittest.mock import patch

from ingest.convert import Comparison, Converted
from ingest.delivery import Setting
from ingest.identify import Basis, Format, Identification, Sample
from ingest.judgement import Judgement, Outcome, Subject
from repository import characterize, config, migrate
from repository.characterize import Characterized
from repository.migration import Migration
from repository.repository import Repository
from storage.aip import uuid7
from storage.canonical import Json
from storage.digest import sha256
from storage.durable import Disk
from tests.crash.recording import Recording
from tests.faulty import Unsynced

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)  # when everything is due, and what lies about is old
COPIES = {"first": "vault", "copy-2": "second"}  # a copy's name, and its folder in the scene
BITMAP, TIFF = b"BM", b"II*\0"


@dataclass(frozen=True)
class Entered:
    """A promise: the ledger has this many entries, in these copies."""

    size: int
    copies: frozenset[str]


class Plain:
    """Knows a format by its first bytes alone."""

    name, version = "plain", "1"
    known = (
        (BITMAP, Format("fmt/116", "Windows Bitmap", "3.0", "image/bmp")),
        (TIFF, Format("fmt/353", "TIFF", "", "image/tiff")),
    )

    def identify(self, sample: Sample) -> Identification:
        formats = tuple(found for start, found in self.known if sample.head.startswith(start))
        return Identification.of(formats, Basis.SIGNATURE)


class Relabelled:
    """A way from one format to another that changes the first bytes and starts no process."""

    name, suffix, puids = "tiff", ".tif", frozenset({"fmt/353"})

    def accepts(self, puid: str) -> bool:
        return puid == "fmt/116"

    def convert(self, source: Path, target: Path, scratch: Path) -> Converted:
        target.write_bytes(TIFF + source.read_bytes().removeprefix(BITMAP))
        return Converted("relabelled", "1", (), 1)

    def compare(self, a: Path, b: Path, scratch: Path) -> Comparison:
        same = a.read_bytes().removeprefix(BITMAP) == b.read_bytes().removeprefix(TIFF)
        return Comparison(same, "" if same else "another picture", 1, 1, sha256(b""))


class Begins:
    """A tool that looks at the first bytes and starts no process."""

    name = "begins"

    def knows(self, subject: Subject) -> bool:
        return "fmt/116" in subject.puids

    def judge(self, folder: Path, files: Mapping[int, int]) -> dict[int, Judgement]:
        found = {number: (folder / str(number)).read_bytes().startswith(BITMAP) for number in files}
        words = {True: Outcome.WELL_FORMED, False: Outcome.MALFORMED}
        return {number: Judgement("begins", "1", words[begins]) for number, begins in found.items()}


@cache
def _plain() -> Plain:
    return Plain()


class Quick(Repository):
    """As quick as a repository can be that does everything on disk as always."""

    chance: random.Random
    recording: Recording | None

    def migrate(self) -> list[Migration]:
        with patch.object(migrate, "PATHWAYS", {"tiff": Relabelled()}):
            return super().migrate()

    def characterize(self, names: Sequence[str] = ()) -> Iterator[Characterized]:
        with patch.object(characterize, "toolbox", lambda policy: (Begins(),)):
            yield from super().characterize(names)

    def _formats(self) -> Mapping[str, Format]:
        return {}

    def _setting(self) -> Setting:
        return replace(super()._setting(), identifier=_plain, new_id=lambda: uuid7(NOW, self.chance.randbytes(10)))

    def _enter(self, number: str, detail: Mapping[str, Json]) -> None:
        super()._enter(number, detail)
        if self.recording:
            self.recording.mark(Entered(self.vault.ledger.size(), required(self.recording)))


def required(disk: Recording) -> frozenset[str]:
    """The copies that must take part in everything: another whose disk fails is behind."""
    return frozenset({"first"} if disk.fails_at else COPIES)


def opened(scene: Path, disk: Disk | None = None, seed: int = 0, agent: str = "tests") -> Quick:
    """As a process of its own would open it; each has its own `seed`, or they would make the same identifiers.

    Each agent acts as a user of the system of their own."""
    disk = disk or Unsynced(whole=True)
    repository = Quick(
        config.load(scene), agent=agent, user=f"uid-of-{agent}", now=lambda: NOW, disk=disk, patience=1.0
    )
    repository.chance = random.Random(seed)
    repository.recording = disk if isinstance(disk, Recording) else None
    return repository
