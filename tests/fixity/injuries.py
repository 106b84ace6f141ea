"""Damage of every kind to one copy of a vault, drawn by chance and told as a value."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from fixity.fault import Fault

ALTERED, MISSING, UNREADABLE = "altered", "missing", "unreadable"


@dataclass(frozen=True)
class Injury:
    """What was done to a copy. `found` is what an audit has to say of each key; `faults` what a repair has to say was
    wrong with it; `spoiled` are the bytes that have to be in quarantine after it; `sort` is what was hit."""

    kind: str
    copy: str
    found: Mapping[str, str]
    faults: Mapping[str, Fault] = field(default_factory=dict)
    spoiled: Mapping[str, bytes] = field(default_factory=dict)
    sort: str = ""


Deed = Callable[[Random, bytes], bytes]


def _flip(chance: Random, data: bytes) -> bytes:
    where = chance.randrange(len(data))
    return data[:where] + bytes([data[where] ^ 1 << chance.randrange(8)]) + data[where + 1 :]


def _cut(chance: Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data))]


def _grow(chance: Random, data: bytes) -> bytes:
    return data + chance.randbytes(chance.randint(1, 5_000))


def _zero(chance: Random, data: bytes) -> bytes:
    """A part of it, as a disk gives that has lost a sector."""
    start = chance.randrange(len(data))
    end = chance.randint(start + 1, len(data))
    return data[:start] + bytes(end - start) + data[end:]


DEEDS: Mapping[str, Deed] = {"bit flip": _flip, "truncation": _cut, "growth": _grow, "zeroing": _zero}
MODES = (0o666, 0o644, 0o755, 0o200, 0o000)
PLACES = ("notes.txt", "blobs/sha256/000/{}", "blobs/stray", "aips/.partial", "tombstones/none.json", "log/stray/{}")


def rewrite(kind: str, copy: str, root: Path, key: str, chance: Random) -> Injury | None:
    """Other bytes under a key; None where by chance they came out the same."""
    path, good = root / key, (root / key).read_bytes()
    if not good and kind != "growth":
        return None
    if (bad := DEEDS[kind](chance, good)) == good:
        return None
    _overwrite(path, bad)
    assert path.read_bytes() == bad != good
    return Injury(kind, copy, {key: ALTERED}, {key: difference(good, bad)}, {key: bad})


def difference(good: bytes, bad: bytes) -> Fault:
    """Byte by byte, as slowly and surely as can be."""
    pairs = enumerate(zip(good, bad, strict=False))
    first = next((n for n, (a, b) in pairs if a != b), min(len(good), len(bad)))
    bits = sum((a ^ b).bit_count() for a, b in zip(good, bad, strict=False))
    return Fault(ALTERED, len(bad), first, bits if len(good) == len(bad) else None)


def delete(copy: str, root: Path, key: str) -> Injury:
    (root / key).unlink()
    assert not os.path.lexists(root / key)
    return Injury("deletion", copy, {key: MISSING}, {key: Fault(MISSING)})


def swap(copy: str, root: Path, one: str, other: str) -> Injury:
    """Each in the other's place: both whole, both wrong."""
    good = {key: (root / key).read_bytes() for key in (one, other)}
    assert good[one] != good[other]
    os.rename(root / one, root / "between")
    os.rename(root / other, root / one)
    os.rename(root / "between", root / other)
    faults = {one: difference(good[one], good[other]), other: difference(good[other], good[one])}
    return Injury("swap", copy, dict.fromkeys(good, ALTERED), faults, {one: good[other], other: good[one]})


def change_mode(copy: str, root: Path, key: str, chance: Random) -> Injury:
    before = stat.S_IMODE((root / key).stat().st_mode)
    after = chance.choice([mode for mode in MODES if mode != before])
    (root / key).chmod(after)
    assert stat.S_IMODE((root / key).stat().st_mode) == after != before
    fault = Fault("mode", why=f"{after:04o} instead of {before:04o}")
    return Injury("wrong permission", copy, {key: "mode"}, {key: fault})


def put_another(copy: str, root: Path, key: str, chance: Random, elsewhere: Path) -> Injury:
    """Something else than a file in its place: a folder, a pipe, or a link to a file with the right bytes."""
    path, data = root / key, (root / key).read_bytes()
    path.unlink()
    kind = chance.choice(["folder", "pipe", "link"])
    if kind == "folder":
        (path / "inside").mkdir(parents=True)
        (path / "inside" / "theirs.txt").write_bytes(b"somebody's\n")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        target = elsewhere / key.replace("/", "_")
        target.write_bytes(data)
        path.symlink_to(target)
    assert not stat.S_ISREG(path.lstat().st_mode)
    inside = {f"{key}/inside/theirs.txt": "extra"} if kind == "folder" else {}
    return Injury("no file", copy, {key: UNREADABLE, **inside})


def add(copy: str, root: Path, chance: Random) -> Injury | None:
    """A file that nobody expects."""
    key = chance.choice(PLACES).format(chance.randbytes(32).hex())
    if (root / key).exists():
        return None
    (root / key).parent.mkdir(parents=True, exist_ok=True)
    (root / key).write_bytes(chance.randbytes(chance.randrange(100)))
    return Injury("extra file", copy, {key: "extra"})


def _overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)
