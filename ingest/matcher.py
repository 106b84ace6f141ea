"""Which signatures fit: `re` says so, and is asked only where the literals of an expression are there.

PRONOM has some 2,000 expressions. Nearly all hold runs of literal bytes (ingest.literals), which are looked for all
together: those that begin an expression by a table of beginnings, one of the others by a Finder. That leaves some ten
expressions for a usual file.

Mind hostile files: some expressions backtrack (fmt/92: three `.*`), so that 128 KiB made for the purpose keep `re` busy
for minutes. So its time is bounded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from itertools import chain
from typing import Final

from ingest.bounded import PATIENCE, at_most
from ingest.finder import Finder
from ingest.literals import reach
from ingest.needs import LENGTHS, Needs, numbered, wanted
from ingest.signatures import Pattern, Rule, Signatures, settle

REMEMBERED: Final = 4096  # sets of literals whose signatures are kept at hand: 20,000 files of nine kinds have 1,600
NOTHING: Final = rb"\A\Z"  # what some formats of PRONOM have for a signature
FEW: Final = 64  # literals; larger sets are those of hostile bytes, and not kept

Signature = tuple[int, ...]  # the numbers of its patterns
_Placed = tuple[int, Rule, Signature]


class LiteralMatcher:
    """The Matcher that asks `re` about what could fit, and about nothing else."""

    def __init__(
        self, signatures: Signatures, needed: Sequence[Needs], find: Finder, patience: float = PATIENCE
    ) -> None:
        """Take what each pattern needs, by its number, and the Finder of what is `wanted` of it."""
        self._table, self._needed, self._find = signatures, needed, find
        self._patience: Final = patience
        self._compiled: Final[dict[int, tuple[Callable[[bytes], object], bool]]] = {}
        self._remembered: Final = lru_cache(REMEMBERED)(self._possible)

    @cached_property
    def _numbers(self) -> Mapping[Pattern, int]:
        """This and the next three are for the first file: a process that leaves files to its workers does without."""
        return numbered(self._table)

    @cached_property
    def _patterns(self) -> tuple[Pattern, ...]:
        return tuple(self._numbers)

    @cached_property
    def _candidates(self) -> _Candidates:
        return _Candidates(self._patterns, self._needed, self._find)

    @cached_property
    def _signatures(self) -> Mapping[int | None, list[_Placed]]:
        return _by_first(self._table.rules, self._numbers)

    def rules(self, head: bytes, tail: bytes) -> tuple[Rule, ...]:
        """Return the rules that fit and are not beaten, in the table's order; raise TookTooLong."""
        begun, in_head, in_tail = self._candidates.met(head, tail)
        possible = (self._remembered if len(in_head | in_tail) <= FEW else self._possible)(begun, in_head, in_tail)
        if not possible:
            return ()
        known: dict[int, bool] = {}
        with at_most(self._patience):
            return tuple(settle([rule for rule, many in possible if self._fits(many, head, tail, known)]))

    def _fits(self, signatures: Iterable[Signature], head: bytes, tail: bytes, known: dict[int, bool]) -> bool:
        """Whether all patterns of any one do; `known` holds what was asked of this file before."""
        for signature in signatures:
            for number in signature:
                if number not in known:
                    find, at_end = self._compiled.get(number) or self._compile(number)
                    known[number] = find(tail if at_end else head) is not None
                if not known[number]:
                    break
            else:
                return True
        return False

    def _compile(self, number: int) -> tuple[Callable[[bytes], object], bool]:
        """Only BOF has to start where the head does; VAR may be anywhere in it, EOF in the tail."""
        pattern = self._patterns[number]
        expression = re.compile(pattern.expression)
        find: Callable[[bytes], object] = expression.match if pattern.position == "BOF" else expression.search
        far = reach(pattern.expression)
        if pattern.position == "EOF" and far is not None:
            find = partial(_search_end, expression, far)
        self._compiled[number] = find, pattern.position == "EOF"
        return self._compiled[number]

    def _possible(
        self, begun: tuple[bytes, ...], in_head: frozenset[int], in_tail: frozenset[int]
    ) -> list[tuple[Rule, list[Signature]]]:
        """Return the rules that fit if all candidates do, in the table's order, and their signatures that then do."""
        candidates = self._candidates(begun, in_head, in_tail)
        every = chain.from_iterable(self._signatures.get(first, ()) for first in (None, *candidates))
        found = defaultdict(list)
        for place, rule, signature in every:
            if candidates.issuperset(signature):
                found[place].append((rule, signature))
        return [(found[place][0][0], [signature for _, signature in found[place]]) for place in sorted(found)]


def _search_end(expression: re.Pattern[bytes], far: int, tail: bytes) -> re.Match[bytes] | None:
    return expression.search(tail, max(0, len(tail) - far))


class _Candidates:
    """Tells which patterns have what they need."""

    def __init__(self, patterns: Sequence[Pattern], needed: Sequence[Needs], find: Finder) -> None:
        self._find: Final = find
        places = {literal: place for place, literal in enumerate(wanted(needed))}
        self._always: Final[list[int]] = []
        self._beginning: Final[dict[bytes, list[tuple[int, frozenset[int]]]]] = defaultdict(list)
        self._in_head: Final[dict[int, list[int]]] = defaultdict(list)
        self._in_tail: Final[dict[int, list[int]]] = defaultdict(list)
        for number, (pattern, one) in enumerate(zip(patterns, needed, strict=True)):
            several = frozenset(places[literal] for literal in one.literals)
            for beginning in one.beginnings:
                self._beginning[beginning].append((number, several))
            if not one.beginnings:
                for place in several:
                    (self._in_tail if pattern.position == "EOF" else self._in_head)[place].append(number)
                if not several:
                    self._always.append(number)
        begins = {(one[0], len(one)) for one in self._beginning}
        self._lengths: Final = [[length for length in LENGTHS if (first, length) in begins] for first in range(256)]

    def met(self, head: bytes, tail: bytes) -> tuple[tuple[bytes, ...], frozenset[int], frozenset[int]]:
        """Return the beginnings that the head has, and the places of the literals that are in head and tail."""
        lengths = self._lengths[head[0]] if head else ()
        begun = tuple([head[:length] for length in lengths if head[:length] in self._beginning])
        in_head = frozenset(self._find(head))
        return begun, in_head, in_head if tail is head else frozenset(self._find(tail))

    def __call__(self, begun: tuple[bytes, ...], in_head: frozenset[int], in_tail: frozenset[int]) -> frozenset[int]:
        found = self._always.copy()
        for beginning in begun:
            for number, several in self._beginning[beginning]:
                if not several or not several.isdisjoint(in_head):
                    found.append(number)
        for place in in_head:
            found += self._in_head.get(place, ())
        for place in in_tail:
            found += self._in_tail.get(place, ())
        return frozenset(found)


def _by_first(rules: Sequence[Rule], numbers: Mapping[Pattern, int]) -> Mapping[int | None, list[_Placed]]:
    """Return each signature with its rule and the rule's place, by its first pattern; None for one without any.

    Those that fit nothing but an empty file would be candidates of every other: they are left out.
    """
    found = defaultdict(list)
    for place, rule in enumerate(rules):
        for signature in rule.signatures:
            if all(pattern.expression != NOTHING for pattern in signature):
                several = tuple(numbers[pattern] for pattern in signature)
                found[several[0] if several else None].append((place, rule, several))
    return found
