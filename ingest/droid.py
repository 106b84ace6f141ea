"""DROID's signature file and container signature file → a table of signatures, and what of them cannot be used.

Both are published by The National Archives (PRONOM). What cannot be converted is named with its reason; the rest is
used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final

from lxml import etree

from ingest.droid_bytes import patterns
from ingest.droid_container import Containers, ContainerSignature, Unusable, read_containers
from ingest.droid_sets import BadExpression
from ingest.droid_xml import parsed
from ingest.errors import NotSignatures
from ingest.identify import Format
from ingest.signatures import Pattern, Rule, Signatures

WHAT: Final = "a DROID signature file"
PUID: Final = re.compile(r"[a-z][a-z-]{0,31}/\w[\w.-]{0,31}", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DroidSignatures:
    """Signatures as DROID has them; the table's version says which: "v122, containers v40"."""

    table: Signatures
    inside: Mapping[str, tuple[ContainerSignature, ...]]  # by Rule.container
    unusable: tuple[Unusable, ...]

    @property
    def count(self) -> int:
        """How many signatures can be used: of bytes, and of containers."""
        return sum(len(rule.signatures) for rule in self.table.rules) + sum(map(len, self.inside.values()))


def convert(signatures: bytes, containers: bytes) -> DroidSignatures:
    """Return what the two files say; raise NotSignatures where one of them is none."""
    root = parsed(signatures, "FFSignatureFile", WHAT)
    inside = read_containers(containers)
    byte_signatures, broken = _byte_signatures(root)
    rules = tuple(_in_order(_rules(root, byte_signatures, inside.triggers)))
    table = Signatures(f"v{_version(root)}, containers v{inside.version}", rules, {}, "droid")
    unusable = sorted([*_named(root, broken), *_outside(inside, _puids(table))])
    return DroidSignatures(table, usable(inside, table), tuple(unusable))


def usable(inside: Containers, table: Signatures) -> Mapping[str, tuple[ContainerSignature, ...]]:
    """Return the container signatures, by kind, whose formats the table knows."""
    known = _puids(table)
    return {kind: tuple(one for one in many if one.puid in known) for kind, many in inside.signatures.items()}


def _puids(table: Signatures) -> frozenset[str]:
    return frozenset(rule.format.puid for rule in table.rules)


def _version(root: etree._Element) -> str:
    version = root.get("Version", "")
    if not _NUMBER.fullmatch(version):
        raise NotSignatures(WHAT, f"its version is {version[:20]!r}, not a number")
    return version


def _byte_signatures(root: etree._Element) -> tuple[dict[str, tuple[Pattern, ...]], dict[str, str]]:
    """Signatures by their numbers, and why the others cannot be used."""
    found: dict[str, tuple[Pattern, ...]] = {}
    broken: dict[str, str] = {}
    for signature in root.iterfind("{*}InternalSignatureCollection/{*}InternalSignature"):
        number = signature.get("ID", "")
        try:
            found[number] = patterns(signature)
        except BadExpression as error:
            broken[number] = str(error)
    return found, broken


def _rules(
    root: etree._Element, signatures: Mapping[str, tuple[Pattern, ...]], triggers: Mapping[str, str]
) -> Iterator[tuple[str, Rule, Sequence[str]]]:
    """Yield each format's ID, its rule, and the IDs of those that it has priority over."""
    formats = list(_formats(root))
    puids = {element.get("ID", ""): element.get("PUID", "") for element in formats}
    for element in formats:
        lower = [text for text in _texts(element, "HasPriorityOverFileFormatID") if text in puids]
        beats = frozenset(puids[one] for one in lower)
        kinds = [triggers[puid] for puid in (element.get("PUID", ""), *sorted(beats)) if puid in triggers]
        rule = Rule(
            format=_format(element),
            signatures=tuple(signatures[one] for one in _texts(element, "InternalSignatureID") if one in signatures),
            extensions=frozenset(text.lower() for text in _texts(element, "Extension")),
            beats=beats,
            container=next(iter(kinds), ""),  # DROID looks inside what fits a trigger, also where another format wins
        )
        yield element.get("ID", ""), rule, lower


def _formats(root: etree._Element) -> Iterator[etree._Element]:
    for element in root.iterfind("{*}FileFormatCollection/{*}FileFormat"):
        if not PUID.fullmatch(puid := element.get("PUID", "")):
            raise NotSignatures(WHAT, f"a format has the PUID {puid[:40]!r}")
        yield element


def _format(element: etree._Element) -> Format:
    mime = element.get("MIMEType", "").partition(",")[0].strip()
    return Format(element.get("PUID", ""), element.get("Name", ""), element.get("Version", ""), mime)


def _in_order(rules: Iterator[tuple[str, Rule, Sequence[str]]]) -> Iterator[Rule]:
    """Those that others have priority over come first: so `settle` sees every one that fits, as DROID does."""
    known = {number: (rule, lower) for number, rule, lower in rules}
    order = TopologicalSorter({number: lower for number, (_, lower) in known.items()})
    try:
        yield from (known[number][0] for number in order.static_order())
    except CycleError as error:
        round_about = ", ".join(known[number][0].format.puid for number in error.args[1][:5])
        raise NotSignatures(WHAT, f"priorities go round in a circle ({round_about})") from error


def _named(root: etree._Element, broken: Mapping[str, str]) -> Iterator[Unusable]:
    """Signatures that cannot be used, with the formats that they are for; missing ones too."""
    there = {one.get("ID", "") for one in root.iterfind("{*}InternalSignatureCollection/{*}InternalSignature")}
    for element in _formats(root):
        for number in _texts(element, "InternalSignatureID"):
            if number in broken or number not in there:
                yield Unusable(number, element.get("PUID", ""), broken.get(number, "it is not in the file"))


def _outside(inside: Containers, known: frozenset[str]) -> Iterator[Unusable]:
    yield from inside.unusable
    for many in inside.signatures.values():
        for one in many:
            if one.puid not in known:
                yield Unusable(one.id, one.puid, "its format is not in the signature file")


def _texts(element: etree._Element, name: str) -> list[str]:
    return [(found.text or "").strip() for found in element.iterfind(f"{{*}}{name}")]
