"""DROID's container signature file: which files lie in a container of a format, and what they hold."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from ingest.droid_bytes import patterns
from ingest.droid_sets import BadExpression
from ingest.droid_xml import parsed
from ingest.errors import NotSignatures
from ingest.signatures import Pattern

WHAT: Final = "a DROID container signature file"
KINDS: Final = {"ZIP": "zip", "OLE2": "ole"}
Choices = tuple[tuple[Pattern, ...], ...]  # fits where all patterns of any one do; where there is none, always


@dataclass(frozen=True, slots=True)
class ContainerSignature:
    """Fits when each of its files lies in the container and holds one of its choices."""

    id: str
    puid: str
    files: Mapping[str, Choices]  # by path inside


@dataclass(frozen=True, slots=True, order=True)
class Unusable:
    """A signature that could not be converted; `id` is its number in its file, `puid` what it is for."""

    id: str
    puid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Containers:
    """What the file says. `triggers`: which kind of container a format is that is to be looked into, by PUID."""

    version: str
    signatures: Mapping[str, tuple[ContainerSignature, ...]]  # by kind
    triggers: Mapping[str, str]
    unusable: tuple[Unusable, ...]


def read_containers(data: bytes) -> Containers:
    """Return what the file says; raise NotSignatures."""
    root = parsed(data, "ContainerSignatureMapping", WHAT)
    version = root.get("signatureVersion", "")
    if not re.fullmatch(r"\d{1,6}", version, re.ASCII):
        raise NotSignatures(WHAT, f"its version is {version[:20]!r}, not a number")
    puids = defaultdict(list)
    for mapping in root.iterfind("{*}FileFormatMappings/{*}FileFormatMapping"):
        puids[mapping.get("signatureId", "")].append(mapping.get("Puid", ""))
    found: dict[str, list[ContainerSignature]] = defaultdict(list)
    broken = []
    for element in root.iterfind("{*}ContainerSignatures/{*}ContainerSignature"):
        number, kind = element.get("Id", ""), element.get("ContainerType", "")
        for puid in puids.get(number, [""]):
            try:
                found[_kind(kind)].append(_signature(element, number, puid))
            except BadExpression as error:
                broken.append(Unusable(number, puid, str(error)))
    return Containers(version, {kind: tuple(many) for kind, many in found.items()}, _triggers(root), tuple(broken))


def _kind(said: str) -> str:
    if said not in KINDS:
        raise BadExpression(f"containers of the type {said} are not looked into")
    return KINDS[said]


def _triggers(root: etree._Element) -> dict[str, str]:
    found = root.iterfind("{*}TriggerPuids/{*}TriggerPuid")
    return {one.get("Puid", ""): KINDS[kind] for one in found if (kind := one.get("ContainerType", "")) in KINDS}


def _signature(element: etree._Element, number: str, puid: str) -> ContainerSignature:
    if not puid:
        raise BadExpression("no format is named for it")
    files = dict(_files(element))
    if not files:
        raise BadExpression("it names no file")
    return ContainerSignature(number, puid, files)


def _files(element: etree._Element) -> Iterator[tuple[str, Choices]]:
    """Yield each path once, with its choices; what has no path says nothing, and DROID passes over it."""
    for file in element.iterfind("{*}Files/{*}File"):
        path = (file.findtext("{*}Path") or "").strip()
        if not path:
            raise BadExpression("a file has no path")
        found = file.iterfind("{*}BinarySignatures/{*}InternalSignatureCollection/{*}InternalSignature")
        yield path, tuple(patterns(one) for one in found)
