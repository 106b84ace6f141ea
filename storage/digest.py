"""Digests as values: parsed once at the door, equal by content, printed as `sha256:…`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

LENGTHS = {
    "md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128, "sm3": 64,
    "blake2b-160": 40, "blake2b-256": 64, "blake2b-384": 96, "blake2b-512": 128,
}  # fmt: skip
"""Hexadecimal characters of each algorithm that a producer may claim."""

_HEXADECIMAL = re.compile(r"[0-9a-f]*")


class _Fields(NamedTuple):
    algorithm: str
    hexadecimal: str


class Digest(_Fields):
    """A message digest.

    `algorithm` is a key of LENGTHS ("sha256"); `hexadecimal` is lowercase. Raises ValueError for anything else.
    """

    __slots__ = ()

    def __new__(cls, algorithm: str, hexadecimal: str) -> Digest:
        if len(hexadecimal) != LENGTHS.get(algorithm):
            raise ValueError(f"not a digest: {algorithm}:{hexadecimal[:140]}")
        if not _HEXADECIMAL.fullmatch(hexadecimal):
            raise ValueError(f"not lowercase hexadecimal: {hexadecimal}")
        return tuple.__new__(cls, (algorithm, hexadecimal))

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `algorithm:hexadecimal`, in either case; raise ValueError."""
        algorithm, _, hexadecimal = text.partition(":")
        return cls(algorithm, hexadecimal.lower())

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hexadecimal}"

    def __reduce__(self) -> tuple[type[Digest], tuple[str, str]]:
        return Digest, (self.algorithm, self.hexadecimal)  # millions travel between processes: as little as can be


def sha256(*parts: bytes) -> Digest:
    """The SHA-256 of the parts, one after the other."""
    return Hashing(("sha256",)).feed_all(parts).digest()


class Hashing:
    """Several digests over one pass of bytes; the first algorithm is the main one.

    Raises ValueError for an algorithm that this machine's OpenSSL does not have.
    """

    def __init__(self, algorithms: tuple[str, ...] = ("sha256",)) -> None:
        self._hashers = [_hasher(algorithm) for algorithm in algorithms]
        self._algorithms = algorithms
        self.size = 0

    def feed(self, data: bytes) -> None:
        self.size += len(data)
        for hasher in self._hashers:
            hasher.update(data)

    def feed_all(self, parts: Iterable[bytes]) -> Hashing:
        for part in parts:
            self.feed(part)
        return self

    def finds(self, digest: Digest) -> bool:
        """Whether this is what the main algorithm comes to: no value is made of what is as it should be."""
        return self._algorithms[0] == digest.algorithm and self._hashers[0].hexdigest() == digest.hexadecimal

    def digest(self) -> Digest:
        return self.digests()[0]

    def digests(self) -> tuple[Digest, ...]:
        # What a hasher says needs no check.
        made = [tuple.__new__(Digest, (a, h.hexdigest())) for a, h in zip(self._algorithms, self._hashers, strict=True)]
        return tuple(made)


@cache
def computable(algorithm: str) -> bool:
    """Whether this machine can compute it: SM3, for one, is not in every OpenSSL."""
    try:
        return bool(_hasher(algorithm))
    except ValueError:
        return False


def _hasher(algorithm: str) -> hashlib._Hash | hashlib.blake2b:
    name, _, bits = algorithm.partition("-")
    if name == "blake2b":
        return hashlib.blake2b(digest_size=int(bits) // 8)
    return hashlib.new(algorithm, usedforsecurity=False)
