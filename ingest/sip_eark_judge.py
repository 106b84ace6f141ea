"""One METS document of an E-ARK package against the rules, as its elements stream by: findings and references."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from ingest import sip_eark_agents as agents
from ingest import sip_eark_rules as rules
from ingest.finding import Finding
from ingest.mets import Node
from ingest.seen import Seen
from ingest.sip_eark_failures import Failure, Failures
from ingest.sip_eark_map import Maps, Named
from ingest.sip_eark_rules import DIV, FILE, GROUP, HEADER, MAY, MUST, RULES, SHOULD, Codes
from ingest.sip_eark_terms import DIVISIONS

_NCNAME = re.compile(r"[^\W\d][\w.\-\u00b7]*")  # a name as XML has it, without colon
_LONGEST = 1_000  # characters of what becomes a title or part of a sentence
_GROUPS = {"Documentation": "CSIP60", "Schemas": "CSIP113", "Representations": "CSIP114"}


@dataclass(frozen=True, slots=True)
class Around:
    """What lies around a METS document. `path` is its own, `only` "root" or "representation"; `holds` names the
    folders beside it that hold files: "documentation", "metadata/descriptive" and so on; `has_folder` answers without
    regard to case; `described` names the representations that have a METS document of their own."""

    path: str
    only: str
    holds: frozenset[str]
    has_folder: Callable[[str], bool]
    described: frozenset[str] = frozenset()

    @property
    def is_root(self) -> bool:
        return self.only == "root"


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that the document refers to, and what it says of it; `codes` are the rules about that; `kind` is the
    MDTYPE of metadata, "" for all else."""

    href: str
    size: str
    digest: str
    algorithm: str
    codes: Codes
    kind: str = ""


@dataclass(slots=True)
class Document:
    """What is of use beyond the rules, "" where the document does not tell: its identifier (OBJID), its label, who
    submits it, when it was modified, its profile; and whether it claims to be a SIP."""

    identifier: str = ""
    label: str = ""
    submitter: str = ""
    modified: str = ""
    profile: str = ""
    is_sip: bool = False


class Judge:
    """Takes the elements of one document in their order; tells findings at the end. `take` raises NotMets."""

    def __init__(self, around: Around) -> None:
        self.document = Document()
        self._around, self._tests = around, _tests(around.only)
        self._failures, self._ids, self._named = Failures(), Seen(), Named()
        self._maps = Maps(self._failures, self._named, around.described, is_root=around.is_root)

    def take(self, node: Node) -> Iterator[Reference]:
        """Judge one element; yield the file that it refers to, if it does."""
        for holds, failure in self._tests.get(node.path, ()):
            if not holds(node):
                self._failures.add(failure, node)
            elif failure.severity is MAY:
                self._failures.done(failure.code)
        self._identify(node)
        if special := _SPECIAL.get(node.path):
            special(self, node)
        elif node.path.startswith(rules.MAP):
            self._maps.take(node)
        if codes := rules.REFERENCES.get(node.path):
            yield _reference(node, codes)

    def findings(self) -> Iterator[Finding]:
        """Yield what was wrong, once all elements were taken; of SIPs' rules nothing where it claims to be none."""
        if not (self.document.is_sip and self._around.is_root):
            self._failures.cut(lambda code: code.startswith("SIP"))
        yield from self._failures.findings(self._around.path)

    def _fail(self, code: str, told: str, node: Node, *, should: bool = False) -> None:
        self._failures.add(Failure(code, SHOULD if should else MUST, told), node)

    def _identify(self, node: Node) -> None:
        """Identifiers are there, are names as XML has them, and are unique in the document."""
        code = rules.IDENTIFIED.get(node.path, "")
        if node.path == f"{DIV}/div":
            code = rules.DIVISION_IDS.get(node.get("LABEL"), "CSIP106")
        identifier = node.attributes.get("ID")
        if identifier is not None and not self._ids.add(_bytes(identifier)):
            self._fail(code or "mets-invalid", "its @ID is another element's too", node)
        elif code and not (identifier and _NCNAME.fullmatch(identifier)):
            self._fail(code, "its @ID is missing, or no name as XML has them", node)

    def _section(self, node: Node) -> None:
        self._named.section(node)

    def _group(self, node: Node) -> None:
        self._named.group(node)
        use = node.get("USE")
        if not (use and self._around.is_root):
            return
        if use.partition("/")[0].casefold() not in {name.casefold() for name in DIVISIONS}:
            self._fail("CSIP64", "@USE does not begin with a term of its vocabulary", node)
        elif not self._around.has_folder(use):
            self._fail("CSIP64", "@USE names no folder of the package", node)

    def _file(self, node: Node) -> None:
        for name, code in (("ADMID", "CSIP74"), ("DMDID", "CSIP75")):
            if any(_bytes(one) not in self._ids for one in node.get(name).split()):
                self._fail(code, f"@{name} names no section of the document", node)

    def _header(self, node: Node) -> None:
        for failure in agents.broken(node):
            self._failures.add(failure, node)
        self.document.submitter = agents.submitter(node)
        self.document.modified = node.get("LASTMODDATE")[:_LONGEST]
        self.document.is_sip = node.get("csip:OAISPACKAGETYPE") == "SIP"

    def _root(self, node: Node) -> None:
        """The end: a document whose profile is none at all is taken for what its type says."""
        profile = node.get("PROFILE")
        self.document.is_sip = rules.is_sip_profile(profile) or (self.document.is_sip and not rules.is_url(profile))
        self.document.profile = profile[:_LONGEST]
        self.document.identifier, self.document.label = node.get("OBJID")[:_LONGEST], node.get("LABEL")[:_LONGEST]
        self._evident(node)
        if self._around.is_root:
            self._grouped(node)
        self._maps.close(node)

    def _evident(self, node: Node) -> None:
        """Metadata sections that must be there for what lies in the folders (CSIP17, CSIP31)."""
        if "dmdSec" not in node.children and "metadata/descriptive" in self._around.holds:
            self._fail("CSIP17", "no dmdSec describes what lies in metadata/descriptive", node)
        if "amdSec" not in node.children and "metadata/preservation" in self._around.holds:
            self._fail("CSIP31", "no amdSec describes what lies in metadata/preservation", node)
        if node.children.get("amdSec", 0) > 1:
            self._fail("CSIP31", "there is more than one amdSec", node, should=True)

    def _grouped(self, node: Node) -> None:
        """File groups that must be there: one that is missing is an error where there are files for it."""
        uses = {group.use for group in self._named.groups.values()}
        for name, code in _GROUPS.items():
            if name.casefold() not in uses:
                needless = name.casefold() not in self._around.holds
                self._fail(code, f'there is no fileGrp with the @USE "{name}"', node, should=needless)


_SPECIAL: dict[str, Callable[[Judge, Node], None]] = {
    "": Judge._root, HEADER: Judge._header, "dmdSec": Judge._section, GROUP: Judge._group, FILE: Judge._file,
    **{f"amdSec/{name}": Judge._section for name in ("techMD", "rightsMD", "sourceMD", "digiprovMD")},
}  # fmt: skip


@cache
def _tests(only: str) -> dict[str, list[tuple[Callable[[Node], bool], Failure]]]:
    """The table of rules by path, for documents of one kind."""
    found: dict[str, list[tuple[Callable[[Node], bool], Failure]]] = {}
    for rule in RULES:
        if rule.only in ("", only):
            failure = Failure(rule.code, rule.severity, rule.test.told)
            found.setdefault(rule.at, []).append((rule.test.holds, failure))
    return found


def _reference(node: Node, codes: Codes) -> Reference:
    """What an element says of a file; a file's locator has its digest in the element around it."""
    told = node.parent if node.name == "FLocat" and node.parent else node
    said = (told.get("SIZE"), told.get("CHECKSUM"), told.get("CHECKSUMTYPE"))
    return Reference(node.get("xlink:href"), *said, codes, node.get("MDTYPE"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
