"""What breaks the rules in one METS document, counted: findings of one rule are told together, with the first place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ingest.finding import Finding, Severity
from ingest.mets import Node


class Failure(NamedTuple):
    """A rule that does not hold: its code, how bad that is, and what to say, as a sentence without its end."""

    code: str
    severity: Severity
    told: str


class Failures:
    """How many elements fail in which way; as many ways as the rules have, however many elements there are."""

    def __init__(self) -> None:
        self._counts: Counter[Failure] = Counter()
        self._first: dict[Failure, str] = {}
        self._done: set[str] = set()

    def add(self, failure: Failure, node: Node) -> None:
        self._counts[failure] += 1
        if failure not in self._first:
            self._first[failure] = _shown(node)

    def done(self, code: str) -> None:
        """What may be is so, at least in one element: then it is not told that it is not so in others."""
        self._done.add(code)

    def cut(self, within: Callable[[str], bool]) -> Failures:
        """Take out those with such codes, as failures of their own."""
        taken = Failures()
        for failure in [one for one in self._counts if within(one.code)]:
            taken._counts[failure] = self._counts.pop(failure)
            taken._first[failure] = self._first.pop(failure)
        return taken

    def join(self, others: Failures) -> None:
        """Take in what was cut out."""
        self._counts += others._counts
        self._first = {**others._first, **self._first}

    def findings(self, path: str) -> Iterator[Finding]:
        """Yield one finding for each way to fail, about the document of that path."""
        for failure, count in self._counts.items():
            if failure.severity is Severity.INFO and failure.code in self._done:
                continue
            first, told = self._first[failure], failure.told[:1].upper() + failure.told[1:]
            where = f"{count} times, first in {first}" if first and count > 1 else first
            yield Finding(failure.code, failure.severity, path, f"{told} ({where})." if where else f"{told}.")


def _shown(node: Node) -> str:
    """Which element it is, "" for the root."""
    identifier = node.get("ID") or (node.parent.get("ID") if node.parent else "")
    return f"{node.name} {identifier[:100]}".strip() if node.path else ""
