"""What the doctor says of one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Check:
    """`ok` is None where the question does not arise. `found` is what is there; `cost` is what it costs that
    something is missing, and `next` what to do, both "" where all is well."""

    name: str
    ok: bool | None
    severity: Severity
    found: str
    cost: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """What is to be said where a check fails."""

    severity: Severity
    cost: str
    next: str


class Wrong(Exception):
    """A check has failed; what was found instead."""


def checked(name: str, advice: Advice, look: Callable[[], str]) -> Check:
    """The check of that name: `look` returns what it found, or raises Wrong, OSError or ImportError."""
    try:
        return Check(name, True, advice.severity, look())
    except OSError as error:
        found = error.strerror or str(error)
    except (Wrong, ImportError) as error:
        found = str(error)
    return Check(name, False, advice.severity, found, advice.cost, advice.next)
