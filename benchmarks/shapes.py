"""The work: three shapes, planned as values first; the same bytes for the same scale and seed."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from unicodedata import is_normalized

from benchmarks.contents import MAKERS, wav

NAMES = ("small", "large", "mixed")
MANY = ("small", "mixed")  # of so many files that removing them would slow the next run: see run.FORGETS
KINDS = {"txt": 24, "pdf": 16, "xml": 14, "eml": 12, "csv": 8, "html": 8, "png": 8, "json": 6, "tif": 4}
SERIES = ("Correspondence", "Council minutes", "Estate maps", "Fotografías", "会议记录", "Accounts")
MEBIBYTE = 1 << 20
BLOCK = 4096  # bytes that the smallest file takes on most disks


@dataclass(frozen=True, slots=True)
class File:
    """One file to make: where (below the shape's folder), what kind, about how many bytes, from what seed."""

    path: str
    kind: str
    size: int
    seed: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the real files of `mixed` come from; what is not there is left out."""

    samples: Path
    corpora: Path

    @property
    def formats(self) -> Path:
        return self.corpora / "formats.tar.xz"

    @property
    def found(self) -> bool:
        return self.samples.is_dir() or self.formats.is_file()


def small(scale: float, seed: int) -> list[File]:
    """Plan 20,000 files × scale of 0.5–16 KiB (more small ones than big ones) in years, series and boxes."""
    rng = Random(seed)
    kinds, weights = list(KINDS), list(KINDS.values())
    plan = []
    for number in range(max(1, round(20_000 * scale))):
        kind = rng.choices(kinds, weights)[0]
        folder = f"{rng.randint(1998, 2024)}/{rng.choice(SERIES)}/box {rng.randint(1, 12):02}"
        size = round(512 * 32 ** rng.random())
        name = f"{number:05} {rng.choice(SERIES).lower()}.{kind}"
        plan.append(File(f"{folder}/{name}", kind, size, rng.getrandbits(64)))
    return plan


def large(scale: float, seed: int) -> list[File]:
    """Plan 4 sound files of 512 MiB × scale: noise, so that nothing gains by compressing."""
    rng = Random(seed)
    size = max(64, round(512 * MEBIBYTE * scale))
    return [File(f"tapes/reel {number}.wav", "wav", size, rng.getrandbits(64)) for number in range(1, 5)]


def chunks(file: File) -> Iterator[bytes]:
    """Yield the bytes of a planned file in blocks of at most 1 MiB."""
    rng = Random(file.seed)
    if file.kind == "wav":
        yield from wav(rng, file.size)
    else:
        yield MAKERS[file.kind](rng, file.size)


def write(plan: Sequence[File], folder: Path) -> None:
    """Make the planned files below `folder`."""
    for file in plan:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            out.writelines(chunks(file))


def copies(scale: float) -> int:
    """Return how many times `mixed` holds each real file: 10 × scale, at least once."""
    return max(1, round(10 * scale))


def awkward(folder: str, names: list[str]) -> list[str]:
    """Return the names that bagit 1.9 cannot find again in its own bag: each peer must have a chance."""
    return [n for n in names if n != n.strip() or set(n) & set("%\r\n") or not is_normalized("NFC", n)]


def gather(scale: float, sources: Sources, folder: Path) -> None:
    """Make `mixed` below `folder`: the samples and the formats corpus, each several times."""
    for number in range(1, copies(scale) + 1):
        target = folder / f"transfer {number:02}"
        target.mkdir(parents=True)
        if sources.samples.is_dir():
            shutil.copytree(sources.samples, target / "accession", symlinks=True, ignore=awkward)
        if sources.formats.is_file():
            with tarfile.open(sources.formats) as archive:
                archive.extractall(target, filter="data")


def make(name: str, scale: float, seed: int, sources: Sources, folder: Path) -> None:
    """Make the shape `name` below `folder`, which must not hold it yet."""
    if name == "mixed":
        gather(scale, sources, folder)
    else:
        write({"small": small, "large": large}[name](scale, seed), folder)


def expected(name: str, scale: float, seed: int, sources: Sources) -> int:
    """Return the bytes that the shape will take on disk, before it is made; `mixed` is judged generously."""
    if name == "mixed":
        own = sum(p.stat().st_size + BLOCK for p in sources.samples.rglob("*") if p.is_file())
        packed = sources.formats.stat().st_size if sources.formats.is_file() else 0
        return copies(scale) * (own + 8 * packed)
    plan = {"small": small, "large": large}[name](scale, seed)
    return sum(-(-file.size // BLOCK) * BLOCK for file in plan)


def files(folder: Path) -> list[Path]:
    """Return every regular file below `folder`, sorted."""
    found = (Path(where) / name for where, _, names in os.walk(folder) for name in names)
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def describe(name: str, scale: float, count: int, size: int) -> str:
    """Say in one line what the shape holds."""
    what = {
        "small": "valid files of nine kinds, 0.5–16 KiB, no two equal, in folders by year, series and box",
        "large": "WAVE files of noise: nothing is equal and nothing compresses",
        "mixed": f"real files of many formats, good and broken; copies of each: {copies(scale)}, "
        "so a tool that keeps equal files once has less to write",
    }[name]
    return f"{count:,} files, {size / 1e6:,.0f} MB: {what}"
