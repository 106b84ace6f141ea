"""Identify every file of a tree on one core, with a library alone: `python identify.py tianyi|fido|siegfried FOLDER`;
siegfried may be given more cores by a number at the end.

One JSON line a file with what was found, so that each has an answer to give. For the peers, this file is run by the
Python that has them (TIANYI_PEERS), which need not be ours: it imports of anyone what it was asked for, and no more.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any


def paths(folder: str) -> list[str]:
    """Return every file below `folder` that is not a link, sorted."""
    return sorted(_below(folder))


def _below(folder: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path)
            elif not entry.is_symlink():
                yield entry.path


def tianyi(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Yield path and PUIDs as our own engine sees them, with what its command keeps ready for the next time."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tianyi"
    engine = import_module("ingest.engine").fido_identifier([kept])
    sample_of = import_module("ingest.sample").sample_of
    for path in paths(folder):
        yield path, list(engine.identify(sample_of(os.fsencode(path))).puids)


def fido(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Yield path and PUIDs as fido sees them; its own default names a signature file that it lacks."""
    found: dict[str, list[str]] = {}

    def remember(path: str, matches: list[tuple[Any, str]], *_: object) -> None:
        found[path] = [engine.get_puid(match) for match, _ in matches]

    engine = import_module("fido.fido").Fido(
        quiet=True, format_files=["formats-v109.xml", "format_extensions.xml"], handle_matches=remember
    )
    for path in paths(folder):
        engine.identify_file(path)
        yield path, found.pop(path, [])


def siegfried(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Yield path and PUIDs as siegfried sees them, in one call with a worker for each core that we may use."""
    workers = len(os.sched_getaffinity(0))
    for file in import_module("pygfried").Scanner().identify_dir(folder, workers=workers)["files"]:
        yield file["filename"], [match["id"] for match in file["matches"]]


if __name__ == "__main__":
    cores = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    for path, puids in {"tianyi": tianyi, "fido": fido, "siegfried": siegfried}[sys.argv[1]](sys.argv[2]):
        print(json.dumps({"path": path, "puids": puids}))
