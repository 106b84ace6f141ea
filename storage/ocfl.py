"""OCFL 1.1 inventories as values ↔ JSON (§3.5), and what a new version adds to an object: a forward delta.

Inventories are held in memory whole. One of a million files with paths of 60 characters has 300 MB, and takes a
gigabyte of memory to write, two to read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from storage.digest import Digest
from storage.manifest import Line
from storage.names import portable_path

SPEC = "1.1"
ROOT = f"0=ocfl_{SPEC}"
OBJECT = f"0=ocfl_object_{SPEC}"
TYPE = f"https://ocfl.io/{SPEC}/spec/#inventory"
LAYOUT = "ocfl_layout.json"
INVENTORY = "inventory.json"
ALGORITHM = "sha256"  # §3.4 prefers sha512; with sha256 a manifest's keys are the names of the vault's blobs
SIDECAR = f"{INVENTORY}.{ALGORITHM}"
LOGS = "logs/"


def declaration(name: str) -> bytes:
    """The text of a NAMASTE file (§3.2, §4.2): its name's value and a line feed."""
    return name.partition("=")[2].encode() + b"\n"


Paths = Mapping[str, Sequence[str]]
"""Digest in hexadecimal → the paths of the files that have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version's block (§3.5.3.1); `state` has the logical paths, `message` and `user` are "" where not told."""

    created: str
    state: Paths
    message: str = ""
    user: str = ""

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield each logical path with its digest in hexadecimal."""
        for digest, paths in self.state.items():
            for path in paths:
                yield path, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """An object's inventory; `versions` are by the names of their folders, in order; `manifest` has content paths."""

    id: str
    manifest: Paths = field(default_factory=dict)
    versions: Mapping[str, Version] = field(default_factory=dict)
    algorithm: str = ALGORITHM

    @property
    def head(self) -> str:
        return list(self.versions)[-1]

    def to_bytes(self) -> Iterator[bytes]:
        """The inventory's file, in pieces; digests and paths ascend, so that one value has one text."""
        pieces = self._pieces()
        while some := b"".join(islice(pieces, 8_192)):
            yield some

    def _pieces(self) -> Iterator[bytes]:
        told = {"digestAlgorithm": self.algorithm, "head": self.head, "id": self.id, "type": TYPE}
        yield b"{\n" + b"".join(b'  "%s": %s,\n' % (name.encode(), _json(value)) for name, value in told.items())
        yield from _block("manifest", self.manifest, "  ")
        yield b',\n  "versions": {'
        for number, (name, version) in enumerate(self.versions.items()):
            user = {"name": version.user}
            head = {"created": version.created, "message": version.message, "user": user}
            told_of = b", ".join(b'"%s": %s' % (key.encode(), _json(value)) for key, value in head.items() if value)
            yield b'%s\n    "%s": {\n      %s,\n' % (b"," * bool(number), name.encode(), told_of)
            yield from _block("state", version.state, "      ")
            yield b"\n    }"
        yield b"\n  }\n}\n"


def extended(inventory: Inventory, created: str, message: str, user: str, files: Iterable[Line]) -> Inventory:
    """The inventory with one version more; content that no version had yet lies under the version's own folder, at
    the first of its logical paths, or what is portable of it."""
    name = f"v{len(inventory.versions) + 1}"
    manifest = dict(inventory.manifest)
    state: dict[str, list[str]] = {}
    for line in sorted(files):
        state.setdefault(line.digest.hexadecimal, []).append(line.path)
        manifest.setdefault(line.digest.hexadecimal, [f"{name}/content/{portable_path(line.path)}"])
    version = Version(created=created, message=message, user=user, state=state)
    return Inventory(id=inventory.id, manifest=manifest, versions={**inventory.versions, name: version})


def content(inventory: Inventory, version: str = "") -> Iterator[tuple[str, Digest]]:
    """Yield the content paths with their digests: all of them, or those that lie in one version's folder."""
    for hexadecimal, paths in inventory.manifest.items():
        for path in paths:
            if not version or path.startswith(f"{version}/"):
                yield path, Digest(inventory.algorithm, hexadecimal.lower())


def load(data: bytes) -> dict[str, Any]:
    """The JSON object in an inventory's bytes (RFC 8259); raise ValueError where it is none, or names a member twice:
    readers would differ about which of them counts."""
    try:
        value = json.loads(data, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def parse(data: bytes) -> Inventory:
    """An inventory that obeys the specification; raise ValueError where it is not even of its form."""
    try:
        return from_members(load(data))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an inventory ({error})") from error


def from_members(members: Mapping[str, Any]) -> Inventory:
    """The inventory in a JSON object that was found valid; the versions in the order of their numbers."""
    names = sorted(members["versions"], key=lambda name: int(name.removeprefix("v")))
    versions = {name: _version(members["versions"][name]) for name in names}
    return Inventory(
        id=members["id"], manifest=members["manifest"], versions=versions, algorithm=members["digestAlgorithm"]
    )


def _version(block: Mapping[str, Any]) -> Version:
    user = block.get("user", {}).get("name", "")
    return Version(created=block["created"], state=block["state"], message=block.get("message", ""), user=user)


def _block(name: str, paths: Paths, indent: str) -> Iterator[bytes]:
    yield f'{indent}"{name}": {{'.encode()
    for number, digest in enumerate(sorted(paths)):
        line = f'{"," * bool(number)}\n{indent}  "{digest}": '
        yield line.encode() + _json(sorted(paths[digest]))
    yield f"\n{indent}}}".encode()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member is there twice")
    return value
