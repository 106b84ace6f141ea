"""What the doctor's drill does to a copy: one kind of damage, one key, and what an audit has to call it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage import bundle, layout

STRAY = "stray.txt"


@dataclass(frozen=True, slots=True)
class Injury:
    """Damage of a kind to a key of a copy; the audit's word for it is `outcome`."""

    kind: str
    outcome: str
    copy: str
    key: str


def _flip(path: Path) -> None:
    """One bit in the middle, on the disk and not in memory alone."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    _overwrite(path, bytes(data))


def _cut(path: Path) -> None:
    _overwrite(path, path.read_bytes()[:-1])


def _overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    with path.open("wb") as file:
        file.write(data)
        _settle(file.fileno())


def _stray(path: Path) -> None:
    path.write_bytes(b"nobody expects this file\n")


_DEEDS: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "flipped bit": (_flip, "altered"),
    "truncated": (_cut, "altered"),
    "missing": (Path.unlink, "missing"),
    "record": (_flip, "altered"),
    "ledger": (_flip, "altered"),
    "extra file": (_stray, "extra"),
}


def injuries(copy: str, root: Path) -> Iterator[Injury]:
    """Yield one of each kind, each for a key of its own, of the copy that lies at `root`."""
    keys = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    blobs = [key for key in keys if key.startswith(layout.BLOBS) and (root / key).stat().st_size > 1]
    records = [key for key in keys if key.startswith(layout.AIPS)]
    ledger = [key for key in keys if bundle.parse_key(key)]
    targets = (*blobs[:3], records[0], ledger[-1], STRAY)
    for (kind, (_, outcome)), key in zip(_DEEDS.items(), targets, strict=True):
        yield Injury(kind, outcome, copy, key)


def inflict(injury: Injury, root: Path) -> None:
    _DEEDS[injury.kind][0](root / injury.key)


def forget(root: Path) -> None:
    """Make the system forget what it has in memory of the files below, so that they are read from the disk."""
    for path in root.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _settle(descriptor)
            finally:
                os.close(descriptor)


def _settle(descriptor: int) -> None:
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
