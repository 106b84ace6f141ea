"""XML from outside, read without harm: no entities, no network, a bound on size and depth."""

from __future__ import annotations

from typing import Final

from lxml import etree

from ingest.errors import NotSignatures

LARGEST: Final = 32 << 20  # bytes; DROID's file of January 2026 has 3.7 million


def parsed(data: bytes, root: str, what: str) -> etree._Element:
    """Return the root of a document whose root has that name; raise NotSignatures, which calls it `what`.

    libxml2 itself refuses elements that are nested more than 256 deep, and texts of more than 10 million bytes.
    """
    if len(data) > LARGEST:
        raise NotSignatures(what, f"it has more than {LARGEST:,} bytes")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        found = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise NotSignatures(what, f"it is not well-formed XML ({error.msg})") from error
    if found.getroottree().docinfo.internalDTD is not None:
        raise NotSignatures(what, "it has a document type, in which harm can hide")
    if (name := etree.QName(found).localname) != root:
        raise NotSignatures(what, f"its root is {name}, not {root}")
    return found
