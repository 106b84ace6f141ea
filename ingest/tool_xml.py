"""XML 1.0 by lxml, which is libxml2: well-formedness alone. No schema is fetched, no entity of another file is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

Looked = tuple[list[str], dict[str, str], str]
CHUNK = 1 << 20
DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
AT = re.compile(r" \(<string>(, line \d+)?\)$")  # lxml's own name for what it is fed
LOCATIONS = "{http://www.w3.org/2001/XMLSchema-instance}"
DOCTYPE = re.compile(
    r"""<!DOCTYPE\s+([^\s>\[]+)(?:\s+(?:PUBLIC\s+("[^"]*"|'[^']*')|SYSTEM)(?:\s+("[^"]*"|'[^']*'))?)?"""
)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class TooMuch(Exception):
    """Its entities unfold beyond what libxml2 follows: that is no word about the rest."""


UNCHECKED = (RecursionError, TooMuch)


class Target:
    """Hears of elements, and keeps the first: no tree is built.

    Nothing hears of the document type: lxml then leaves out what it declares, and each entity would be an error.
    """

    def __init__(self) -> None:
        self.elements = 0
        self.told: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements == 1:
            name = etree.QName(tag)
            self.told |= {"root": name.localname, "namespace": name.namespace or "none"}
            schemas = (f"{LOCATIONS}schemaLocation", f"{LOCATIONS}noNamespaceSchemaLocation")
            if named := " ".join(attributes[one].strip() for one in schemas if one in attributes):
                self.told["schema"] = named

    def close(self) -> None: ...


def version() -> str:
    return f"{etree.__version__} (libxml2 {'.'.join(map(str, etree.LIBXML_VERSION))})"


def look(path: str) -> Looked:
    with open(path, "rb") as file:
        head = file.read(1000)
        file.seek(0)
        problems, told, log = parsed(lambda: file.read(CHUNK))
    declared = DECLARED.search(head)
    told["encoding"] = declared[1].decode() if declared else marked(head)
    return problems, told | document_type(head, told["encoding"]), log


def parsed(read: Callable[[], bytes]) -> tuple[list[str], dict[str, str], str]:
    """Read to the end, or to what is not well-formed; return that, what it says of itself, and the parser's log. Raise
    TooMuch."""
    target = Target()
    hears: Any = target  # lxml's stubs want all methods that a target may have
    parser = etree.XMLParser(target=hears, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    problems = []
    try:
        while data := read():
            parser.feed(data)
        parser.close()
    except etree.XMLSyntaxError as error:
        if any(one.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for one in parser.feed_error_log):
            raise TooMuch(AT.sub("", str(error))) from error
        problems = [AT.sub("", str(error))]
    log = "\n".join(f"line {one.line}: {one.message}" for one in parser.feed_error_log)
    return problems, {**target.told, "elements": str(target.elements)}, log


def marked(head: bytes) -> str:
    """The encoding of a document that does not name it (XML 1.0, appendix F)."""
    marks = {b"\xff\xfe": "UTF-16LE", b"\xfe\xff": "UTF-16BE", b"<\0": "UTF-16LE", b"\0<": "UTF-16BE"}
    return marks.get(head[:2], "UTF-8")


def document_type(head: bytes, encoding: str) -> dict[str, str]:
    """What a document says that it is, by its beginning: the name of its root, and identifiers."""
    try:
        found = DOCTYPE.search(COMMENT.sub("", head.decode(encoding, "replace")))
    except LookupError:  # an encoding that Python does not know
        return {}
    if not found:
        return {}
    name, *identifiers = found.groups(default="")
    return {"document type": " ".join(filter(None, (name, *(one[1:-1] for one in identifiers))))}
