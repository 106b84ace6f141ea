"""Findings: what the checks of a delivery saw, each with a code that policies and people can refer to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(NamedTuple):
    """One thing seen. `path` is in the escaped form (storage/names.py), "" where it is about the whole package."""

    code: str
    severity: Severity
    path: str
    message: str


def error(code: str, message: str, path: str = "") -> Finding:
    return Finding(code, Severity.ERROR, path, message)


def warning(code: str, message: str, path: str = "") -> Finding:
    return Finding(code, Severity.WARNING, path, message)


def info(code: str, message: str, path: str = "") -> Finding:
    return Finding(code, Severity.INFO, path, message)


def few(findings: Iterable[Finding], most: int = 100) -> Iterator[Finding]:
    """The first of each code, and how many more there are: each of a million files may lack the same."""
    counts: Counter[tuple[str, Severity]] = Counter()
    for found in findings:
        counts[found.code, found.severity] += 1
        if counts[found.code, found.severity] <= most:
            yield found
    for (code, severity), count in counts.items():
        if count > most:
            yield Finding(code, severity, "", f"And {count - most:,} more.")
