"""The tag files of a BagIt 1.0 bag (RFC 8493) as text ↔ values, and the folders inside an AIP's bag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from storage.digest import Digest
from storage.manifest import Line, format_line

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha256.txt"
TAGMANIFEST = "tagmanifest-sha256.txt"
INFO = "bag-info.txt"
BAGIT = "bagit.txt"
ORIGINAL = "data/representations/original/data/"
DESCRIPTIVE = "data/metadata/descriptive/"
DUBLIN_CORE = f"{DESCRIPTIVE}dc."  # and "json" or "csv"
PRESERVATION = "data/metadata/preservation/"
SUBMISSION = "data/submission/"

_NAMES = re.compile(rf"{PRESERVATION}names-v(\d+)-\d+\.jsonl")
_BREAKS = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\s*")


def representation(name: str) -> str:
    """The folder of a representation's files: `data/representations/<name>/data/`."""
    return f"data/representations/{name}/data/"


def names_version(path: str) -> int:
    """The version that a bag path is the map of names of, 0 where it is none; `v10` sorts before `v2` as text."""
    found = _NAMES.fullmatch(path)
    return int(found[1]) if found else 0


def format_info(elements: Iterable[tuple[str, str]]) -> bytes:
    """bag-info.txt (RFC 8493 §2.2.2): labels and values in the order given, line breaks in values made blanks."""
    return "".join(f"{label}: {_BREAKS.sub(' ', value)}\n" for label, value in elements).encode()


def parse_info(text: str) -> Iterator[tuple[str, str]]:
    """Yield labels and values in their order; a line that begins with white space continues the one before."""
    label, value = "", ""
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and label:
            value += " " + line.strip()
            continue
        if label:
            yield label, value
        label, _, value = (part.strip() for part in line.partition(":"))
    if label:
        yield label, value


def tag_manifest(tag_files: Iterable[tuple[str, Digest]]) -> bytes:
    """tagmanifest-sha256.txt, sorted by path."""
    return b"".join(format_line(Line(path, digest)) for path, digest in sorted(tag_files))
