"""The schema tool: `python -I schema_child.py FILES.json DOCUMENT…`, in the bounded child; findings in the
file `found` of the folder that it runs in, as JSON Lines.

FILES.json maps the names of schema files to where they lie: what a schema imports is found there by its name or not at
all. Each line is {"document": number, "line": number, "told": sentence}; "line" is 0 where it is not known.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

TREE = 64 << 20  # bytes of a document that is held as a tree, which knows lines; larger ones are streamed
MOST = 100  # findings about one document
_SCHEMAS = {
    "http://www.loc.gov/METS/": "mets.xsd",
    "https://DILCIS.eu/XML/METS/CSIPExtensionMETS": "DILCISExtensionMETS.xsd",
    "https://DILCIS.eu/XML/METS/SIPExtensionMETS": "DILCISExtensionSIPMETS.xsd",
    "http://www.loc.gov/premis/v3": "premis.xsd",
}
_SAFE: Mapping[str, Any] = {"no_network": True, "resolve_entities": False, "load_dtd": False}


class _Within(etree.Resolver):
    """Finds what schemas import among the files that are named, by the last part of its address."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def resolve(self, system_url: str, public_id: str, *context: Any) -> Any:
        path = self._files.get(system_url.rpartition("/")[2])
        if path:
            return self.resolve_filename(path, *context)  # type: ignore[attr-defined]  # the stubs have it not
        return self.resolve_string("<none/>", *context, base_url="")


def schema(files: Mapping[str, str]) -> etree.XMLSchema:
    """One schema of all those that are there."""
    imports = "".join(
        f'<xs:import namespace="{namespace}" schemaLocation="{name}"/>'
        for namespace, name in _SCHEMAS.items()
        if name in files
    )
    parser = etree.XMLParser(**_SAFE)
    parser.resolvers.add(_Within(files))
    text = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(text, parser))


def told(path: str, files: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Line and sentence of each thing that is wrong with a document, each once; none for one of another namespace."""
    rules, whole = schema(files), os.path.getsize(path) <= TREE
    try:
        if whole:
            document = etree.parse(path, etree.XMLParser(**_SAFE))
            if document.docinfo.internalDTD is not None:
                yield 0, "It has a document type declaration, in which harm can hide: nothing else of it was looked at."
            elif _is_ours(document.getroot(), files):
                rules.validate(document)
                yield from _once(rules.error_log)
        else:
            _stream(path, rules)
    except etree.XMLSyntaxError as failure:
        yield from _once(failure.error_log)


def _is_ours(root: etree._Element, files: Mapping[str, str]) -> bool:
    return _SCHEMAS.get(etree.QName(root).namespace or "", "") in files


def _stream(path: str, rules: etree.XMLSchema) -> None:
    for _, element in etree.iterparse(path, schema=rules, **_SAFE):
        element.clear()
        while (before := element.getprevious()) is not None:
            before.getparent().remove(before)


def _once(log: Any) -> list[tuple[int, str]]:
    return list(dict.fromkeys((entry.line, " ".join(entry.message.split())[:500]) for entry in log))[:MOST]


def main(files: str, documents: list[str]) -> None:
    with open(files, encoding="utf-8") as file:
        known = json.load(file)
    with open("found", "x", encoding="ascii", buffering=1) as found:  # a crash leaves what was found before
        for number, document in enumerate(documents):
            for line, sentence in told(document, known):
                found.write(json.dumps({"document": number, "line": line, "told": sentence}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
