"""A METS document as a stream of its elements: hostile, and of any length; no tree of it is ever built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

DEEPEST = 100  # elements inside one another
KEPT = 1_000  # agents, record identifiers and the like that one header may have
_TEXT = 10_000  # characters of one element's text that are of interest
_NAMESPACES = {
    "http://www.loc.gov/METS/": "",
    "http://www.w3.org/1999/xlink": "xlink:",
    "https://DILCIS.eu/XML/METS/CSIPExtensionMETS": "csip:",
    "https://DILCIS.eu/XML/METS/SIPExtensionMETS": "sip:",
}
_OF_HEADER = {"metsHdr", "agent", "altRecordID"}


class NotMets(ValueError):
    """It is not well-formed XML, not METS, or wants to do harm; the message says which, as a sentence's rest."""


@dataclass(slots=True, eq=False)
class Node:
    """An element at its end: `name` and attributes are without namespace for METS itself, else with the prefix
    "xlink:", "csip:" or "sip:" ("?" stands before names of others). `path` is the names from below the root on.

    `children` counts its elements by name. Elements inside the header are kept in `inner`, with their text.
    """

    name: str
    path: str
    attributes: Mapping[str, str]
    parent: Node | None
    children: dict[str, int] = field(default_factory=dict)
    inner: list[Node] = field(default_factory=list)
    text: str = ""

    def get(self, attribute: str) -> str:
        """An attribute's value without white space around it, "" where there is none."""
        return self.attributes.get(attribute, "").strip()


def nodes(parts: Iterable[bytes]) -> Iterator[Node]:
    """Yield every element at its end, the root `mets` last; raise NotMets, and what `parts` raises.

    No entity is resolved and nothing is fetched: a document type declaration is refused.
    """
    target = _Target()
    told: Any = target  # lxml's types want all of its events there, lxml itself does not
    parser = etree.XMLParser(target=told, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        for part in parts:
            parser.feed(part)
            yield from target.taken()
        parser.close()
    except etree.XMLSyntaxError as failure:
        raise NotMets(f"it is not well-formed XML ({failure.msg})") from failure
    yield from target.taken()


class _Target:
    """What lxml's parser tells; the elements that ended wait in a list until they are taken."""

    def __init__(self) -> None:
        self._open: Node | None = None
        self._ended: list[Node] = []
        self._depth = 0

    def taken(self) -> list[Node]:
        ended, self._ended = self._ended, []
        return ended

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name, parent = _short(tag), self._open
        if parent is None and name != "mets":
            raise NotMets(f"its root is {tag[:200]}, not mets of http://www.loc.gov/METS/")
        self._depth += 1
        if self._depth > DEEPEST:
            raise NotMets(f"its elements lie deeper than {DEEPEST}")
        self._open = Node(name, _path(parent, name), {_short(k): value for k, value in attributes.items()}, parent)

    def data(self, text: str) -> None:
        node = self._open
        if node and node.path.startswith("metsHdr") and len(node.text) < _TEXT:
            node.text += text[:_TEXT]

    def end(self, tag: str) -> None:
        node = self._open
        assert node is not None  # the parser matches ends with starts
        self._depth -= 1
        self._open = parent = node.parent
        if parent:
            parent.children[node.name] = parent.children.get(node.name, 0) + 1
            if len(parent.children) > KEPT:
                raise NotMets(f"one of its elements has more than {KEPT} kinds of elements in it")
            if parent.name in _OF_HEADER:
                parent.inner.append(node)
                if len(parent.inner) > KEPT:
                    raise NotMets(f"its header has more than {KEPT} elements in one")
        self._ended.append(node)

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise NotMets("it has a document type declaration, which METS does not need and entity bombs do")

    def close(self) -> None:
        """Nothing is left to tell."""


def _path(parent: Node | None, name: str) -> str:
    """From below the root on; a file group in a file group is where the outer one is."""
    if parent is None or not parent.path:
        return name if parent else ""
    return parent.path if name == parent.name == "fileGrp" else f"{parent.path}/{name}"


def _short(tag: str) -> str:
    if not tag.startswith("{"):
        return tag
    namespace, _, name = tag[1:].partition("}")
    return _NAMESPACES.get(namespace, "?") + name
