"""The structural map of a METS document (CSIP80–119): its divisions, and the file groups that they refer to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.mets import Node, NotMets
from ingest.sip_eark_failures import Failure, Failures
from ingest.sip_eark_rules import DIV, MAP, MUST, SHOULD
from ingest.sip_eark_terms import DIVISIONS

MOST = 100_000  # file groups or metadata sections of one document, which are remembered
_POINTERS = {
    "documentation": ("CSIP96", "CSIP116"), "schemas": ("CSIP100", "CSIP118"),
    "representations": ("CSIP104", "CSIP119"),
}  # fmt: skip
"""By the use of a file group, in lower case: that a division refers to it, and that the reference is right."""
_DIVISIONS = {
    "Documentation": ("CSIP93", "CSIP95"), "Schemas": ("CSIP97", "CSIP99"), "Representations": ("CSIP101", "CSIP103"),
}  # fmt: skip
"""By label: that there is such a division, and that it is called so."""
_OF_MAP = {f"CSIP{number}" for number in (*range(81, 113), 116, 118, 119)}


@dataclass(slots=True)
class Group:
    """A file group: the first step of its USE in lower case; whether it is in another, and something refers to it."""

    use: str
    inner: bool
    pointed: bool = False


@dataclass(slots=True)
class Named:
    """What the sections before the map have named: file groups by identifier, and the metadata sections in force."""

    groups: dict[str, Group] = field(default_factory=dict)
    sections: dict[str, set[str]] = field(default_factory=lambda: {"ADMID": set(), "DMDID": set()})

    def group(self, node: Node) -> None:
        inner = node.parent is not None and node.parent.name == "fileGrp"
        self.groups[node.get("ID")] = Group(node.get("USE").partition("/")[0].casefold(), inner)
        if len(self.groups) > MOST:
            raise NotMets(f"it has more than {MOST} file groups")

    def section(self, node: Node) -> None:
        known = self.sections["DMDID" if node.path == "dmdSec" else "ADMID"]
        if node.get("STATUS").upper() != "SUPERSEDED" and node.get("ID"):
            known.add(node.get("ID"))
        if len(known) > MOST:
            raise NotMets(f"it has more than {MOST} metadata sections")


@dataclass(slots=True)
class _Map:
    ours: bool
    failures: Failures
    labels: Counter[str]


class Maps:
    """Takes the elements of structural maps. Only one of them has to be as CSIP says, and only at the end it is known
    which: the one that is called so, else the first. Until then what fails in a map waits."""

    def __init__(self, failures: Failures, named: Named, described: frozenset[str], *, is_root: bool) -> None:
        self._failures, self._named, self._described, self._is_root = failures, named, described, is_root
        self._labels: Counter[str] = Counter()
        self._maps: list[_Map] = []

    def take(self, node: Node) -> None:
        if special := _TAKES.get(node.path):
            special(self, node)
        elif node.name == "fptr":
            self._point(node.get("FILEID"))

    def close(self, root: Node) -> None:
        """All maps were taken: judge the one that is CSIP's."""
        if not self._maps:
            return
        self._failures.join(self._maps[0].failures)
        if len(self._maps) > 1 and self._maps[1].ours:
            self._fail("CSIP80", 'there is more than one structMap with the @LABEL "CSIP"', root)
        if self._is_root:
            self._complete(self._maps[0].labels, root)

    def _fail(self, code: str, told: str, node: Node, *, should: bool = False) -> None:
        self._failures.add(Failure(code, SHOULD if should else MUST, told), node)

    def _point(self, identifier: str) -> Group | None:
        group = self._named.groups.get(identifier)
        if group:
            group.pointed = True
        return group

    def _map(self, node: Node) -> None:
        if self._labels["Metadata"] != 1:
            for code in ("CSIP88", "CSIP90"):
                self._fail(code, 'there is not exactly one division with the @LABEL "Metadata"', node)
        taken = _Map(node.get("LABEL") == "CSIP", self._failures.cut(_OF_MAP.__contains__), self._labels)
        self._maps = sorted([*self._maps, taken], key=lambda one: not one.ours)[:2]  # more say nothing new
        self._labels = Counter()

    def _division(self, node: Node) -> None:
        label, known = node.get("LABEL"), node.get("LABEL").partition("/")[0]
        if label in DIVISIONS:
            self._labels[label] += 1
        elif known == "Representations":
            self._labels["Representations/"] += 1
            if label.partition("/")[2].strip("/") in self._described and node.children.get("mptr") != 1:
                self._fail("CSIP109", "the division of a representation has not exactly one mptr", node)
        elif wanted := next((name for name in _DIVISIONS if name.casefold() == label.casefold()), ""):
            self._fail(_DIVISIONS[wanted][1], f'@LABEL is not "{wanted}"', node)
        if label == "Metadata":
            for attribute, code, section in (("ADMID", "CSIP91", "amdSec"), ("DMDID", "CSIP92", "dmdSec")):
                if self._named.sections[attribute] - set(node.get(attribute).split()):
                    self._fail(code, f"@{attribute} does not name each {section} in force", node, should=True)

    def _pointer(self, node: Node) -> None:
        label = (node.parent.get("LABEL") if node.parent else "").partition("/")[0].casefold()
        group = self._point(node.get("FILEID"))
        if self._is_root and label in _POINTERS and (group is None or group.use != label):
            self._unpointed(label, f"@FILEID in a division of {label} is not the identifier of such a file group", node)

    def _unpointed(self, use: str, told: str, node: Node) -> None:
        should, must = _POINTERS[use]
        self._fail(should, told, node, should=True)
        self._fail(must, told, node)

    def _mets_pointer(self, node: Node) -> None:
        if not (node.parent and node.parent.get("LABEL").startswith("Representations")):
            self._fail("CSIP107", 'the @LABEL of a representation does not begin with "Representations"', node)
        if self._point(node.get("xlink:title")) is None:
            self._fail("CSIP108", "@xlink:title is not the identifier of a file group", node)

    def _complete(self, labels: Counter[str], root: Node) -> None:
        """The divisions that there should be, and the file groups that none of them refers to."""
        outer = [group for group in self._named.groups.values() if not group.inner]
        uses, unpointed = Counter(g.use for g in outer), Counter(g.use for g in outer if not g.pointed)
        for name, (code, _) in _DIVISIONS.items():
            there = labels[name] or (name == "Representations" and labels["Representations/"])
            if uses[name.casefold()] and (not there or labels[name] > 1):
                self._fail(code, f"not exactly one division is for {name}", root, should=True)
        if len(self._described) > 1 and labels["Representations/"] < len(self._described):
            self._fail("CSIP105", "there are representations without a division of their own", root, should=True)
        for use in _POINTERS:
            if unpointed[use]:
                self._unpointed(use, f"no division refers to {unpointed[use]} of the file groups of {use}", root)


_TAKES: dict[str, Callable[[Maps, Node], None]] = {
    MAP: Maps._map, f"{DIV}/div": Maps._division, f"{DIV}/div/fptr": Maps._pointer,
    f"{DIV}/div/mptr": Maps._mets_pointer,
}  # fmt: skip
