"""BagIt manifests (RFC 8493 §2.1.3) as lines ↔ values, strictly, as Tianyi writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from storage.digest import Digest

_ENCODED = re.compile(r"%(0A|0D|25)", re.IGNORECASE)
_ENCODE = str.maketrans({"%": "%25", "\n": "%0A", "\r": "%0D"})


class Line(NamedTuple):
    """One line: the file's path in the bag (decoded) and its digest."""

    path: str
    digest: Digest


def encode_path(path: str) -> str:
    """Percent-encode "%", LF and CR and nothing else (RFC 8493 §2.1.3)."""
    return path.translate(_ENCODE) if "%" in path or "\n" in path or "\r" in path else path


def decode_path(text: str) -> str:
    return _ENCODED.sub(lambda m: chr(int(m[1], 16)), text) if "%" in text else text


def format_line(line: Line) -> bytes:
    return f"{line.digest.hexadecimal}  {encode_path(line.path)}\n".encode()


def parse(lines: Iterable[bytes], algorithm: str = "sha256") -> Iterator[Line]:
    """Yield the manifest's lines in their order; raise ValueError with the number of the line that is not one."""
    for number, raw in enumerate(lines, start=1):
        hexadecimal, gap, path = raw.decode("utf-8").removesuffix("\n").partition("  ")
        if not gap or not path:
            raise ValueError(f"line {number} of the manifest is not a digest, two blanks and a path")
        yield Line(decode_path(path), Digest(algorithm, hexadecimal))
