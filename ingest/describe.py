"""Descriptive metadata of a package: Dublin Core as JSON or CSV (ISO 15836), read for the title and the search."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from ingest.errors import NoSuchPackage, NotMetadata
from storage import bag
from storage.names import escape_path

ELEMENTS = frozenset({
    "contributor", "coverage", "creator", "date", "description", "format", "identifier", "language", "publisher",
    "relation", "rights", "source", "subject", "title", "type",
})  # fmt: skip
LARGEST = 16 << 20  # bytes
DublinCore = Mapping[str, tuple[str, ...]]


def read(path: Path) -> tuple[bytes, DublinCore]:
    """A metadata file's bytes, kept as they are, and what they say; raise NotMetadata."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError as failure:
        raise NoSuchPackage(escape_path(bytes(path))) from failure
    except OSError as failure:
        raise NotMetadata(str(path), failure.strerror or "it cannot be read") from failure
    if len(data) > LARGEST:
        raise NotMetadata(str(path), f"it is larger than {LARGEST} bytes")
    return data, parse(data, path.name)


def is_json(name: str) -> bool:
    """Whether a metadata file is read as JSON, by its name; else it is CSV."""
    return name.lower().endswith(".json")


def place(name: str) -> str:
    """Where a metadata file of that name lies in a bag."""
    return f"{bag.DUBLIN_CORE}{'json' if is_json(name) else 'csv'}"


def parse(data: bytes, name: str) -> DublinCore:
    """Element → values, in the order given; element names with or without "dc." or "dcterms:"; raise NotMetadata."""
    try:
        text = data.decode("utf-8-sig")
        pairs = _from_json(text) if is_json(name) else _from_csv(text)
    except (ValueError, csv.Error, RecursionError) as failure:
        raise NotMetadata(name, str(failure)) from failure
    found: dict[str, tuple[str, ...]] = {}
    for label, value in pairs:
        element = label.strip().lower().replace(":", ".").rpartition(".")[2]
        if element not in ELEMENTS:
            raise NotMetadata(name, f"{label!r} is not a Dublin Core element")
        if value.strip():
            found[element] = (*found.get(element, ()), value.strip())
    return found


def to_json(core: DublinCore) -> bytes:
    """The bytes that `parse` reads as these elements."""
    return json.dumps(core, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "replace") + b"\n"


def _from_json(text: str) -> list[tuple[str, str]]:
    """One object: element → text or list of texts."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    pairs = []
    for label, given in value.items():
        for one in given if isinstance(given, list) else [given]:
            if not isinstance(one, str | int | float):
                raise ValueError(f"{label!r} is neither text nor a list of texts")
            pairs.append((str(label), _whole(str(one))))
    return pairs


def _whole(text: str) -> str:
    """The text, unless an escape in it stands for half a character; raise ValueError."""
    text.encode("utf-8")
    return text


def _from_csv(text: str) -> list[tuple[str, str]]:
    """Either a header of elements and one row, or rows of element and value."""
    rows = [row for row in csv.reader(io.StringIO(text), strict=True) if any(row)]
    if not rows:
        raise ValueError("it is empty")
    header, *rest = rows
    if len(rest) == 1 and len(header) == len(rest[0]) and (len(header) != 2 or not _is_pair(rest[0])):
        return list(zip(header, rest[0], strict=True))
    if header in (["element", "value"], ["name", "value"]):
        rows = rest
    if any(len(row) != 2 for row in rows):
        raise ValueError("neither a header with one row nor rows of element and value")
    return [(label, value) for label, value in rows]


def _is_pair(row: list[str]) -> bool:
    return row[0].strip().lower().replace(":", ".").rpartition(".")[2] in ELEMENTS
