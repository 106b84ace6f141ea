"""Descriptive metadata of an E-ARK package as Dublin Core: what METS refers to as DC or EAD, else its label."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from ingest.describe import ELEMENTS, DublinCore
from ingest.sip_eark_judge import Document

KINDS = ("DC", "EAD")
"""The values of MDTYPE that are read."""
_DUBLIN_CORE = ("{http://purl.org/dc/elements/1.1/}", "{http://purl.org/dc/terms/}")
_EAD = {
    "unittitle": "title", "unitid": "identifier", "unitdate": "date", "origination": "creator",
    "abstract": "description", "langmaterial": "language", "physdesc": "format",
}  # fmt: skip
"""What EAD says of the whole (archdesc/did), and which element of Dublin Core that is."""
_MOST, _LONGEST = 1_000, 10_000  # values, and characters of one


def core(document: Document, files: dict[str, bytes]) -> DublinCore:
    """The Dublin Core of a package; `files` are the bytes of its metadata files, by kind. What cannot be read of them
    says nothing: the files themselves are kept as they came."""
    for kind in KINDS:
        if found := _gathered(_pairs(kind, files.get(kind, b""))):
            return found
    return {"title": (document.label,)} if document.label else {}


def _pairs(kind: str, data: bytes) -> Iterator[tuple[str, str]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    yield from _from_dc(root) if kind == "DC" else _from_ead(root)


def _from_dc(root: etree._Element) -> Iterator[tuple[str, str]]:
    for element in root.iter(*(f"{namespace}*" for namespace in _DUBLIN_CORE)):
        name = etree.QName(element).localname
        if name in ELEMENTS:
            yield name, _text(element)


def _from_ead(root: etree._Element) -> Iterator[tuple[str, str]]:
    for element in root.iterfind("{*}archdesc/{*}did/*"):
        if isinstance(element.tag, str) and (name := _EAD.get(etree.QName(element).localname)):
            yield name, _text(element)
    for element in root.iterfind("{*}eadheader/{*}filedesc/{*}titlestmt/{*}titleproper"):
        yield "title", _text(element)


def _text(element: etree._Element) -> str:
    return " ".join("".join(map(str, element.itertext())).split())[:_LONGEST]


def _gathered(pairs: Iterator[tuple[str, str]]) -> DublinCore:
    found: dict[str, tuple[str, ...]] = {}
    for name, text in pairs:
        known = found.get(name, ())
        if text and text not in known and len(known) < _MOST:
            found[name] = (*known, text)
    return found
