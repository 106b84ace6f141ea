"""A DIP as a BagIt 1.0 bag: the AIP's own bag, or the same with names that the `bagit` library can check."""

from __future__ import annotations

import json
from collections.abc import Iterator

from repository.dip import Out
from storage import bag, manifest
from storage.aip import Record
from storage.digest import Digest, sha256
from storage.manifest import Line
from storage.names import portable_path

MAP = "portable-names.jsonl"


def write(out: Out, record: Record, *, portable: bool) -> None:
    """Write the bag; `portable` renames what some tools cannot check and adds the map of what was renamed."""
    tags = out.vault.tag_files(record)
    renamed = [line for line in out.vault.payload(record) if portable and portable_path(line.path) != line.path]
    for line in out.vault.payload(record):
        out.blob(line.digest, _name(line, portable=bool(renamed)).encode())
    if not renamed:
        for line in tags:
            out.blob(line.digest, line.path.encode())
        return
    _close(out, record, tags, renamed)


def _name(line: Line, *, portable: bool) -> str:
    return portable_path(line.path) if portable else line.path


def _close(out: Out, record: Record, tags: list[Line], renamed: list[Line]) -> None:
    """The tag files of a bag whose names were changed: manifest and tag manifest made anew, the rest as it was."""
    listed: list[tuple[str, Digest]] = []

    def put(name: str, data: bytes) -> None:
        out.text(data, name.encode())
        listed.append((name, sha256(data)))

    lines = sorted(Line(portable_path(line.path), line.digest) for line in out.vault.payload(record))
    put(bag.MANIFEST, b"".join(map(manifest.format_line, lines)))
    put(MAP, b"".join(_map(renamed)))
    for line in tags:
        if line.path in (bag.BAGIT, bag.INFO):
            put(line.path, out.vault.read(line.digest))
    out.text(bag.tag_manifest(listed), bag.TAGMANIFEST.encode())


def _map(renamed: list[Line]) -> Iterator[bytes]:
    """Which name here stands for which path of the AIP's bag."""
    for line in renamed:
        yield json.dumps({"here": portable_path(line.path), "aip": line.path}, ensure_ascii=False).encode() + b"\n"
