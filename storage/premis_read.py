"""Read back the PREMIS that Tianyi wrote, as a stream: what the catalogue is made from."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import BinaryIO

from lxml import etree

from storage.digest import Digest
from storage.premis import _NAMES, File, FormatName, Happening

_NS = "{http://www.loc.gov/premis/v3}"
_ALGORITHMS = {name: algorithm for algorithm, name in _NAMES.items()}


def read(stream: BinaryIO) -> Iterator[File | Happening]:
    """Yield the files and events of one segment in their order; raise ValueError where it is not PREMIS XML."""
    try:
        for _, element in etree.iterparse(
            stream, tag=(f"{_NS}object", f"{_NS}event"), resolve_entities=False, no_network=True, huge_tree=True
        ):
            value = _event(element) if element.tag == f"{_NS}event" else _file(element)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
            if value:
                yield value
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not well-formed PREMIS: {error}") from error


def _file(element: etree._Element) -> File | None:
    """The file object; None for the AIP's own."""
    path = _path(element, "objectIdentifier/objectIdentifierValue")
    traits = element.find(f"{_NS}objectCharacteristics")
    if traits is None:
        return None
    notes = dict(note.split(": ", 1) for note in _texts(traits, "format/formatNote"))
    return File(
        path=path,
        size=int(_one(traits, "size")),
        digests=tuple(map(_digest, traits.iterfind(f"{_NS}fixity"))),
        formats=tuple(known for e in traits.iterfind(f"{_NS}format") if (known := _format(e)).puid),
        mime=notes.get("mime", ""),
        basis=notes.get("basis", ""),
        original_name=_one(element, "originalName"),
        derived_from=_path(element, "relationship/relatedObjectIdentifier/relatedObjectIdentifierValue"),
        event=_one(element, "relationship/relatedEventIdentifier/relatedEventIdentifierValue"),
    )


def _event(element: etree._Element) -> Happening:
    objects = _texts(element, "linkingObjectIdentifier/linkingObjectIdentifierValue")
    return Happening(
        id=_one(element, "eventIdentifier/eventIdentifierValue"),
        type=_one(element, "eventType"),
        time=_one(element, "eventDateTime"),
        detail=_one(element, "eventDetailInformation/eventDetail"),
        outcome=_one(element, "eventOutcomeInformation/eventOutcome"),
        note=_one(element, "eventOutcomeInformation/eventOutcomeDetail/eventOutcomeDetailNote"),
        agents=tuple(_texts(element, "linkingAgentIdentifier/linkingAgentIdentifierValue")),
        objects=tuple(value.partition("/")[2] for value in objects),
    )


def _digest(element: etree._Element) -> Digest:
    return Digest(_ALGORITHMS[_one(element, "messageDigestAlgorithm")], _one(element, "messageDigest"))


def _format(element: etree._Element) -> FormatName:
    return FormatName(
        _one(element, "formatDesignation/formatName"),
        _one(element, "formatDesignation/formatVersion"),
        _one(element, "formatRegistry/formatRegistryKey"),
    )


def _path(element: etree._Element, path: str) -> str:
    """The bag path in an object's identifier (`urn:uuid:…/data/…`)."""
    return _one(element, path).partition("/")[2]


def _one(element: etree._Element, path: str) -> str:
    return element.findtext(_qualified(path)) or ""


def _texts(element: etree._Element, path: str) -> list[str]:
    return [found.text or "" for found in element.iterfind(_qualified(path))]


@cache
def _qualified(path: str) -> str:
    return "/".join(_NS + step for step in path.split("/"))
