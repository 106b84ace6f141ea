"""Signatures matched by Python's own `re`, one expression after the other: what faster matchers are held to."""

from __future__ import annotations

import re
from typing import Final

from ingest.bounded import PATIENCE, at_most
from ingest.signatures import Pattern, Rule, Signatures, settle


class Patterns:
    """Tells of single patterns whether they fit; each is compiled once."""

    def __init__(self) -> None:
        self._compiled: Final[dict[Pattern, re.Pattern[bytes]]] = {}

    def __call__(self, pattern: Pattern, head: bytes, tail: bytes) -> bool:
        """Only BOF has to start where the head does; VAR may be anywhere in it, EOF in the tail."""
        compiled = self._compiled.get(pattern)
        if compiled is None:
            compiled = self._compiled[pattern] = re.compile(pattern.expression)
        find = compiled.match if pattern.position == "BOF" else compiled.search
        return find(tail if pattern.position == "EOF" else head) is not None


class ReMatcher:
    """The Matcher that tries every pattern."""

    def __init__(self, signatures: Signatures, patience: float = PATIENCE) -> None:
        self._rules: Final = signatures.rules
        self._patience: Final = patience
        self._fits: Final = Patterns()

    def rules(self, head: bytes, tail: bytes) -> tuple[Rule, ...]:
        """Return the rules that fit and are not beaten, in the table's order; raise TookTooLong."""
        with at_most(self._patience):
            return tuple(settle(rule for rule in self._rules if self._fit(rule, head, tail)))

    def _fit(self, rule: Rule, head: bytes, tail: bytes) -> bool:
        return any(all(self._fits(one, head, tail) for one in signature) for signature in rule.signatures)
