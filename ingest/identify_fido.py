"""Identification as fido does it: PRONOM's signatures, then a look into zip and OLE2, else the extension.

The data are those of the opf-fido distribution, read by fido's own reader; the answers are those of
`fido.fido.Fido.identify_file` (1.6.1), its peculiarities included: priorities depend on the order of formats, none
apply among container signatures, and of one such signature only the first path and the first sequence count.
fido's own matcher is not called: it opens paths only, re-reads the container signatures for every zip, writes to
stderr, and leans on the cache of `re`, which it sets to 2,084 entries for 2,299 patterns.

Mind hostile files: some 40 expressions backtrack (fmt/43: `\\xff\\xd9.{0,65536}\\Z`, fmt/92: three `.*`), so that
128 KiB made for the purpose keep `re` busy for 15 seconds to minutes. Whoever calls this bounds the time.
"""

import os.path
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from xml.etree import ElementTree as ET

from fido import CONFIG_DIR, __version__  # type: ignore[import-untyped]
from fido.fido import Fido  # type: ignore[import-untyped]
from fido.versions import get_local_versions  # type: ignore[import-untyped]

from ingest.identify import Basis, Format, Identification, Sample
from ingest.sample import ContainerError, members

Pattern = tuple[str, re.Pattern[bytes]]  # where (BOF, EOF, VAR) and what
Contents = Mapping[str, Sequence[Pattern]]  # path in a container → PUIDs, each with what its member must hold


@dataclass(frozen=True, slots=True)
class Rule:
    """One format of fido's table; it fits when all patterns of any one signature do."""

    format: Format
    signatures: tuple[tuple[Pattern, ...], ...]
    extensions: frozenset[str]
    beats: frozenset[str]  # the PUIDs that this format has priority over
    container: str  # what can be looked into: "zip", "ole"; "tar" is only named; else ""


@dataclass(frozen=True, slots=True)
class Signatures:
    """fido's data, compiled. The order of the rules matters: priorities are settled along it."""

    version: str
    rules: tuple[Rule, ...]
    containers: Mapping[str, Contents]  # by Rule.container


def load_signatures() -> Signatures:
    """Read and compile the files that opf-fido's versions.xml names: the default of Fido() is not there."""
    versions = get_local_versions(CONFIG_DIR)
    fido = Fido(quiet=True, format_files=[versions.pronom_signature, versions.fido_extension_signature])
    inside = ET.parse(os.path.join(CONFIG_DIR, versions.pronom_container_signature))
    dated = re.sub(r"\D", "", versions.pronom_container_signature)
    return Signatures(
        version=f"{__version__} (PRONOM v{versions.pronom_version}, containers {dated})",
        rules=tuple(map(_rule, fido.formats)),
        containers={
            kind: _contents(fido.extract_signatures(inside, signature_type=name))
            for kind, name in (("zip", "ZIP"), ("ole", "OLE2"))
        },
    )


def _rule(element: ET.Element) -> Rule:
    puid, name, version, mime, container = (
        element.findtext(key) or "" for key in ("puid", "name", "version", "mime", "container")
    )
    signatures = (signature.findall("pattern") for signature in element.findall("signature"))
    return Rule(
        Format(puid, name, version, mime),
        tuple(tuple(map(_pattern, patterns)) for patterns in signatures),
        frozenset(extension.text or "" for extension in element.findall("extension")),
        frozenset(inferior.text or "" for inferior in element.findall("has_priority_over")),
        "ole" if puid == "fmt/111" else container,  # Fido.container_type: OLE2 has no <container> element
    )


def _pattern(element: ET.Element) -> Pattern:
    return element.findtext("position") or "", re.compile((element.findtext("regex") or "").encode())


def _contents(found: Mapping[str, Mapping[str, Sequence[Mapping[str, bytes]]]]) -> Contents:
    """Flatten what Fido.extract_signatures returns: {path: {PUID: [{"signature": expression, …}]}}."""
    return {
        path: [(puid, re.compile(each["signature"])) for puid, many in puids.items() for each in many]
        for path, puids in found.items()
    }


def settle(rules: Iterable[Rule], fits: Callable[[Rule], bool]) -> list[Rule]:
    """Return the rules that fit and over which no other has priority: Fido.match_formats, as_good_as_any.

    A rule beaten by an earlier one is not tried, and so beats nobody itself: the result depends on the order.
    """
    found: list[Rule] = []
    beaten: set[str] = set()
    for rule in rules:
        if rule.format.puid not in beaten and fits(rule):
            found.append(rule)
            beaten |= rule.beats
    return [rule for rule in found if rule.format.puid not in beaten]


class FidoIdentifier:
    """The Identifier with fido's answers. Its table is large: one a process, from `fido_identifier`."""

    name: Final = "fido"

    def __init__(self, signatures: Signatures) -> None:
        self.version: Final = signatures.version
        self._signatures = signatures
        self._formats = {rule.format.puid: rule.format for rule in signatures.rules}

    def identify(self, sample: Sample) -> Identification:
        """Return fido's answer: container, else signature, else extension; for an empty file extension only."""
        rules = self._by_signature(sample.head, sample.tail) if sample.size else []
        if formats := self._by_content(sample, rules):
            return Identification.of(formats, Basis.CONTAINER)
        basis = Basis.SIGNATURE if rules else Basis.EXTENSION
        rules = rules or self._by_extension(sample.name)
        return Identification.of(tuple(rule.format for rule in rules), basis)

    def _by_signature(self, head: bytes, tail: bytes) -> list[Rule]:
        def fits(rule: Rule) -> bool:
            return any(_fits(signature, head, tail) for signature in rule.signatures)

        return settle(self._signatures.rules, fits)

    def _by_content(self, sample: Sample, rules: Sequence[Rule]) -> tuple[Format, ...]:
        """Return each fitting format once, in the order of the container signatures; none of a broken one."""
        kind = next((rule.container for rule in rules if rule.container), "")
        contents = self._signatures.containers.get(kind, {})
        try:
            found = [
                puid
                for path, data in (members(sample, kind, tuple(contents)) if contents else ())
                for puid, expression in contents[path]
                if expression.search(data)
            ]
        except ContainerError:  # fido then stands by the signature; what it found until there does not count
            return ()
        return tuple(self._formats[puid] for puid in dict.fromkeys(found))

    def _by_extension(self, name: bytes) -> list[Rule]:
        """Return those with this extension; bytes that are not UTF-8 become surrogates, which none has."""
        extension = os.path.splitext(name.decode("utf-8", "surrogateescape"))[1].lower().lstrip(".")
        found = [rule for rule in self._signatures.rules if extension and extension in rule.extensions]
        beaten = frozenset[str]().union(*(rule.beats for rule in found))
        return [rule for rule in found if rule.format.puid not in beaten]


def _fits(signature: Iterable[Pattern], head: bytes, tail: bytes) -> bool:
    """Tell whether all patterns fit. Only BOF has to start where the head does; VAR may be anywhere in it."""
    for position, expression in signature:
        find = expression.match if position == "BOF" else expression.search
        if not find(tail if position == "EOF" else head):
            return False
    return True


@cache
def fido_identifier() -> FidoIdentifier:
    """Return this process's own, made on first use: workers call this instead of being sent one."""
    return FidoIdentifier(load_signatures())
