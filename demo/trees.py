"""Folders as values, so that two can be compared; and a bit that flips."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple


class Item(NamedTuple):
    """A file or folder: permission bits, modification time (ns), and a file's SHA-256."""

    kind: str
    mode: int
    modified: int
    digest: str


def snapshot(root: Path) -> dict[bytes, Item]:
    """Everything below a folder, by the bytes of its path."""
    top = os.fsencode(root)
    found = {}
    for folder, folders, files in os.walk(top):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = _item(path)
    return found


def flip_a_bit(file: Path) -> None:
    """Change one bit in the middle, as a failing disk would: size and time stay."""
    before = file.stat()
    file.chmod(0o644)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    file.chmod(stat.S_IMODE(before.st_mode))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _item(path: bytes) -> Item:
    facts = os.lstat(path)
    is_folder = stat.S_ISDIR(facts.st_mode)
    digest = "" if is_folder else hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
    return Item("folder" if is_folder else "file", stat.S_IMODE(facts.st_mode), facts.st_mtime_ns, digest)
