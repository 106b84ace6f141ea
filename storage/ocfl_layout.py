"""Where objects lie below an OCFL storage root: the registered layouts (github.com/OCFL/extensions) as arithmetic."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_KEPT = re.compile(rb"[A-Za-z0-9_-]")
_LONGEST = 100  # characters of an encoded identifier, beyond which its digest ends the name (0003)


@dataclass(frozen=True, slots=True)
class Tuples:
    """How the first folders are cut from the digest of an object's identifier (0003 and 0004)."""

    algorithm: str = "sha256"
    size: int = 3
    count: int = 3

    def cut(self, identifier: str) -> tuple[str, list[str]]:
        """The digest in hexadecimal, and its first tuples."""
        digest = hashlib.new(self.algorithm, identifier.encode(), usedforsecurity=False).hexdigest()
        return digest, [digest[n * self.size :][: self.size] for n in range(self.count)]


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout by its registered name, with the parameters of its config.json."""

    name: str
    config: Mapping[str, Any]

    def path(self, identifier: str) -> str:
        """The folder of an object below the root, "/"-separated; raise ValueError where the layout has no place."""
        return _PATHS[self.name](identifier, self.config)


def layout(name: str, config: Mapping[str, Any]) -> Layout:
    """A layout that we know; raise ValueError for others, and for parameters that the registry does not allow."""
    if name not in _PATHS:
        raise ValueError(f"its layout {name!r} is not one of {', '.join(_PATHS)}")
    if name != _FLAT:
        _tuples(config)
    return Layout(name, config)


def _tuples(config: Mapping[str, Any]) -> Tuples:
    found = Tuples(config.get("digestAlgorithm", "sha256"), config.get("tupleSize", 3), config.get("numberOfTuples", 3))
    sizes = (found.size, found.count)
    if not all(isinstance(size, int) and 0 <= size <= 32 for size in sizes) or (0 in sizes and sizes != (0, 0)):
        raise ValueError("its layout's tupleSize and numberOfTuples cannot be")
    if len(hashlib.new(str(found.algorithm), usedforsecurity=False).hexdigest()) < found.size * found.count:
        raise ValueError("its layout needs more digits than its digest has")
    return found


def _flat(identifier: str, config: Mapping[str, Any]) -> str:
    if "/" in identifier or identifier in (".", "..", "extensions") or len(identifier.encode()) > 255:
        raise ValueError(f"a flat layout has no place for {identifier}")
    return identifier


def _encapsulated(identifier: str, config: Mapping[str, Any]) -> str:
    digest, parts = _tuples(config).cut(identifier)
    name = "".join(chr(byte) if _KEPT.match(bytes([byte])) else f"%{byte:02x}" for byte in identifier.encode())
    return "/".join([*parts, name if len(name) <= _LONGEST else f"{name[:_LONGEST]}-{digest}"])


def _hashed(identifier: str, config: Mapping[str, Any]) -> str:
    digest, parts = _tuples(config).cut(identifier)
    short = config.get("shortObjectRoot", False) and digest != "".join(parts)
    return "/".join([*parts, digest.removeprefix("".join(parts)) if short else digest])


_FLAT = "0002-flat-direct-storage-layout"
_ENCAPSULATED = "0003-hash-and-id-n-tuple-storage-layout"
_PATHS: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    _FLAT: _flat,
    _ENCAPSULATED: _encapsulated,
    "0004-hashed-n-tuple-storage-layout": _hashed,
}
OURS = Layout(
    _ENCAPSULATED, {"extensionName": _ENCAPSULATED, "digestAlgorithm": "sha256", "tupleSize": 3, "numberOfTuples": 3}
)
"""The layout of the roots that Tianyi founds: spread by digest, and the folder's name tells which AIP it is."""
