"""A producer's metadata.csv as text → descriptions and findings, pure. Archivematica's form: a row a file or folder."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.describe import ELEMENTS, DublinCore
from ingest.finding import Finding, warning

_PATHS = ("filename", "parts")  # how the first column is called
_NAMESPACES = ("", "dc", "dcterms")


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says: a path as written, and columns that have a value, in their order; columns may come again."""

    path: str
    elements: tuple[tuple[str, str], ...]
    line: int


def is_ours(text: str) -> bool:
    """Whether a first line names the columns of such a table."""
    first, *_ = next(csv.reader([text])) or [""]
    return first.strip().lower() in _PATHS


def rows(lines: Iterable[str], origin: str) -> Iterator[Row | Finding]:
    """The rows below the first, which names the columns; raise csv.Error."""
    table = csv.reader(lines, strict=True)
    header = [cell.strip() for cell in next(table, [])]
    for row in table:
        elements = tuple((name, cell.strip()) for name, cell in zip(header[1:], row[1:], strict=False) if cell.strip())
        if len(row) > len(header):
            yield warning("metadata-line", f"Line {table.line_num} has more cells than there are columns.", origin)
        elif elements:
            yield Row(row[0], elements, table.line_num)


def core(elements: Iterable[tuple[str, str]]) -> DublinCore:
    """What columns say in Dublin Core's fifteen elements: dc.title, dcterms.title, dc:title or title."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in elements:
        namespace, _, element = name.lower().replace(":", ".").rpartition(".")
        if namespace in _NAMESPACES and element in ELEMENTS:
            found[element] = (*found.get(element, ()), value)
    return found
