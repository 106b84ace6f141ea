"""PRONOM's signatures as a table of values: whoever read them, every engine that matches them takes this.

Expressions are text in the syntax of Python's `re` over bytes, not compiled: a table is quick to make, travels, and
an engine compiles what it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ingest.identify import Format

Contents = Mapping[str, Sequence[tuple[str, bytes]]]  # path in a container → PUIDs, each with what its member must hold


@dataclass(frozen=True, slots=True)
class Pattern:
    """One byte sequence of a signature."""

    position: str  # "BOF", "EOF" or "VAR": only BOF has to start where the head does; EOF is sought in the tail
    expression: bytes  # as fido writes it: `(?s)\\A…`, `…\\Z`


@dataclass(frozen=True, slots=True)
class Rule:
    """One format; it fits when all patterns of any one signature do."""

    format: Format
    signatures: tuple[tuple[Pattern, ...], ...]
    extensions: frozenset[str]
    beats: frozenset[str]  # the PUIDs that this format has priority over
    container: str  # what can be looked into: "zip", "ole"; "tar" is only named; else ""


@dataclass(frozen=True, slots=True)
class Signatures:
    """All rules. Their order matters: priorities are settled along it.

    `dialect` says how what lies in a container is settled. By fido's, each path and expression of `containers` stands
    for itself, and no priorities apply among those that fit.
    """

    version: str
    rules: tuple[Rule, ...]
    containers: Mapping[str, Contents]  # by Rule.container
    dialect: Literal["fido", "droid"] = "fido"


def settle(fitting: Iterable[Rule]) -> list[Rule]:
    """Return, of the rules that fit, in the table's order, those over which no other has priority.

    One that an earlier one beats does not count, and so beats nobody itself: Fido.match_formats does not try it.
    """
    found: list[Rule] = []
    beaten: set[str] = set()
    for rule in fitting:
        if rule.format.puid not in beaten:
            found.append(rule)
            beaten |= rule.beats
    return [rule for rule in found if rule.format.puid not in beaten]


def unbeaten(rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules over which no other of them has priority: Fido.match_extensions, where each counts."""
    found = list(rules)
    beaten = frozenset[str]().union(*(rule.beats for rule in found))
    return [rule for rule in found if rule.format.puid not in beaten]
