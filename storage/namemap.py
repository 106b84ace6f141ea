"""The map of names: bag path ↔ original bytes, and what a bag cannot hold, as JSON Lines (docs/vault-format.md)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

_string = json.JSONEncoder(ensure_ascii=False).encode  # of the one member in which something may have to be escaped


class Kind(StrEnum):
    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


class Named(NamedTuple):
    """One entry of a tree as it came.

    `name` is its path in the SIP, original bytes; `path` its bag path, "" for a folder or link, which bags cannot
    hold; `mode` the permission bits and `mtime` nanoseconds since 1970 (None: the package did not say);
    `target` where a symbolic link points.
    """

    kind: Kind
    name: bytes
    path: str = ""
    mode: int | None = None
    mtime: int | None = None
    target: bytes = b""


def format_line(entry: Named) -> bytes:
    """One line. Times are decimal text: they are beyond what JSON's readers keep exactly."""
    members = [f'"kind": "{entry.kind.value}", "name": "{base64.b64encode(entry.name).decode()}"']
    if entry.path:
        members.append(f'"path": {_string(entry.path)}')
    if entry.mode is not None:
        members.append(f'"mode": "{entry.mode:04o}"')
    if entry.mtime is not None:
        members.append(f'"mtime_ns": "{entry.mtime}"')
    if entry.kind is Kind.LINK:
        members.append(f'"target": "{base64.b64encode(entry.target).decode()}"')
    return f"{{{', '.join(members)}}}\n".encode()


def parse_lines(lines: Iterable[bytes]) -> Iterator[Named]:
    """Yield the entries in their order; raise ValueError with the number of the line that is none."""
    for number, line in enumerate(lines, start=1):
        try:
            members = json.loads(line)
            if not all(isinstance(value, str) for value in members.values()):
                raise ValueError("one of its members is no text")
            entry = _named(members)
        except (AttributeError, KeyError, ValueError, RecursionError) as error:
            raise ValueError(f"line {number} of the map of names is no entry ({error})") from error
        yield entry


def _named(members: Mapping[str, str]) -> Named:
    return Named(
        kind=Kind(members["kind"]),
        name=base64.b64decode(members["name"]),
        path=members.get("path", ""),
        mode=int(members["mode"], 8) if "mode" in members else None,
        mtime=int(members["mtime_ns"]) if "mtime_ns" in members else None,
        target=base64.b64decode(members.get("target", "")),
    )
