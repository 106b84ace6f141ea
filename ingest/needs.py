"""What must be in a file for a pattern to fit, and what to look for: read off a table of signatures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ingest.literals import literals
from ingest.signatures import Pattern, Signatures

LENGTHS: Final = (8, 6, 4, 3, 2, 1)  # bytes of the beginnings that are looked up
LONGEST: Final = 64  # bytes of a literal that are looked for
TELLING: Final = 3  # different bytes: what has fewer is in most files
SHORT: Final = 4  # bytes: to look for shorter ones takes as long as for many others, and they are in most files
_XML: Final = b"<?xml"  # what every file of so large a kind has tells little


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be there for a pattern to fit, one of each; where there is none, nothing."""

    beginnings: tuple[bytes, ...]  # of the head; all as long as one of LENGTHS
    literals: tuple[bytes, ...]  # anywhere in its part of the file


_NOTHING: Final = Needs((), ())


def numbered(signatures: Signatures) -> dict[Pattern, int]:
    """Return every pattern of the table, each once, and its number."""
    every = (pattern for signature in _every(signatures) for pattern in signature)
    return {pattern: number for number, pattern in enumerate(dict.fromkeys(every))}


def _every(signatures: Signatures) -> Iterator[tuple[Pattern, ...]]:
    return (signature for rule in signatures.rules for signature in rule.signatures)


def needed(signatures: Signatures) -> tuple[Needs, ...]:
    """Return what each pattern needs, by its number; nothing where short literals are all that it has, and each of its
    signatures has another that tells more: it is asked where that one's are, so that nothing that fits is missed."""
    numbers = numbered(signatures)
    every = [needs(pattern) for pattern in numbers]
    kept = set()
    for signature in _every(signatures):
        several = [numbers[pattern] for pattern in signature]
        telling = [number for number in several if not _is_short(every[number])]
        kept.update(telling or several)
    return tuple(one if number in kept else _NOTHING for number, one in enumerate(every))


def _is_short(needs: Needs) -> bool:
    return not needs.beginnings and min(map(len, needs.literals), default=0) < SHORT


def needs(pattern: Pattern) -> Needs:
    """Return what is read off its expression: how it begins, and the most telling of the literals behind."""
    found = literals(pattern.expression)
    beginnings: tuple[bytes, ...] = ()
    if pattern.position == "BOF" and found and found[0].offset == 0:
        ways = found.pop(0).ways
        length = next(length for length in LENGTHS if length <= min(map(len, ways)))
        beginnings = tuple(dict.fromkeys(way[:length] for way in ways))
    others = [tuple(map(_bare, literal.ways)) for literal in found]
    best = max(others, key=_tells, default=())
    return Needs(beginnings, best if not beginnings or _tells(best) >= TELLING else ())


def _bare(data: bytes) -> bytes:
    """Zeros are in many files, in long runs: they are left out where enough remains."""
    bare = data.strip(b"\0")
    return (bare if len(bare) >= TELLING else data)[:LONGEST]


def _tells(ways: tuple[bytes, ...]) -> float:
    """How rarely one of them is met: by how many different bytes, and a little by how many."""
    return min((TELLING if _XML in way else len(set(way)) + len(way) / 100 for way in ways), default=0)


def wanted(every: Iterable[Needs]) -> tuple[bytes, ...]:
    """Return the literals to look for, each once: what a Finder is made of."""
    return tuple(dict.fromkeys(literal for one in every for literal in one.literals))
