"""Bundles of ledger entries as bytes and keys, pure (C2SP tlog-tiles, "Log Entries"): up to 256 entries a bundle,
each a big-endian 16-bit length and its bytes; the right-most bundle carries its width while it is not full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

WIDTH = 256  # entries of a full bundle
PREFIX = "log/tile/entries/"
PLACE = r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
_KEY = re.compile(PREFIX + PLACE)


def bundle_key(number: int, width: int = WIDTH) -> str:
    """`log/tile/entries/x001/x234/067`, and `….p/<width>` for one that is not full."""
    return PREFIX + place(number, width)


def place(number: int, width: int) -> str:
    """The end of a key, of bundles and tiles alike: the number in threes, the width where it is not full."""
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path + ("" if width == WIDTH else f".p/{width}")


def parse_key(key: str) -> tuple[int, int] | None:
    """Number and width of the bundle that a key names; None for any other key."""
    match = _KEY.fullmatch(key)
    return parse_place(match[1], match[2]) if match else None


def parse_place(number: str, width: str | None) -> tuple[int, int] | None:
    """Number and width by the two groups of PLACE; None where nobody writes them so."""
    found = int(number.replace("x", "").replace("/", "")), int(width or WIDTH)
    written = number if width is None else f"{number}.p/{width}"
    return found if found[1] <= WIDTH and place(*found) == written else None


def encode(entries: Iterable[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode(data: bytes) -> list[bytes]:
    """The entries of a bundle; raise ValueError where it is cut or has bytes left over."""
    entries, start = [], 0
    while start < len(data):
        end = start + 2 + int.from_bytes(data[start : start + 2])
        if end > len(data):
            raise ValueError("a bundle of entries is cut")
        entries.append(data[start + 2 : end])
        start = end
    return entries


def bundles(first: int, entries: Sequence[bytes]) -> Iterable[tuple[str, bytes]]:
    """Keys and bytes of the bundles that hold `entries`, the first of which is entry number `first` × WIDTH."""
    for start in range(0, len(entries), WIDTH):
        part = entries[start : start + WIDTH]
        yield bundle_key(first + start // WIDTH, len(part)), encode(part)
