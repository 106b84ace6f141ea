"""Identify every file of a tree with a peer's library: `python identify.py fido|siegfried FOLDER`.

One JSON line a file with what was found, so that the peer, like us, has an answer to give. This file is
run by the Python that has the peers (TIANYI_PEERS), which need not be ours: it imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any


def paths(folder: str) -> list[str]:
    """Return every file below `folder` that is not a link, sorted."""
    every = (os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
    return sorted(path for path in every if not os.path.islink(path))


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
    """Yield path and PUIDs as siegfried sees them, with two workers in one call."""
    for file in import_module("pygfried").Scanner().identify_dir(folder, workers=2)["files"]:
        yield file["filename"], [match["id"] for match in file["matches"]]


if __name__ == "__main__":
    for path, puids in {"fido": fido, "siegfried": siegfried}[sys.argv[1]](sys.argv[2]):
        print(json.dumps({"path": path, "puids": puids}))
