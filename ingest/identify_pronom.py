"""Identification by PRONOM's signatures: by bytes, then by a look into zip and OLE2, else by the extension.

The answers are those of `fido.fido.Fido.identify_file` (1.6.1), its peculiarities included: priorities depend on the
order of formats, none apply among container signatures, and of one such signature only the first path and the first
sequence count.
"""

from __future__ import annotations

import os.path
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from ingest.bounded import PATIENCE, TookTooLong, at_most
from ingest.identify import Basis, Format, Identification, Sample
from ingest.look import Look
from ingest.sample import ContainerError
from ingest.signatures import Rule, Signatures, unbeaten

_UNKNOWN: Final = Identification.of((), Basis.NONE)


class Matcher(Protocol):
    """What tells the rules that fit bytes: plain `re`, or many expressions at once."""

    def rules(self, head: bytes, tail: bytes) -> tuple[Rule, ...]:
        """Return the rules that fit and are not beaten, in the table's order; raise TookTooLong. There are bytes.

        A file that is whole in both is matched faster where `head` and `tail` are one object.
        """
        ...


class PronomIdentifier:
    """The Identifier with PRONOM's answers. Its table is large: one a process."""

    def __init__(
        self, name: str, signatures: Signatures, matcher: Matcher, looks: Mapping[str, Look], patience: float = PATIENCE
    ) -> None:
        """Take matcher and looks of the same signatures; a look may take `patience` seconds."""
        self.name: Final = name
        self.version: Final = signatures.version
        self._matcher: Final = matcher
        self._patience: Final = patience
        self._formats: Final = {rule.format.puid: rule.format for rule in signatures.rules}
        self._by_extension: Final = _extensions(signatures.rules)
        self._looks: Final = looks

    def identify(self, sample: Sample) -> Identification:
        """Return container, else signature, else extension; for an empty file extension only.

        Nothing for bytes that keep an expression busy for longer than the bound.
        """
        try:
            rules = self._matcher.rules(sample.head, sample.tail) if sample.size else ()
            if containers := [rule.container for rule in rules if rule.container]:
                look = self._looks.get(containers[0])
                if look and (formats := self._inside(sample, look)):
                    return Identification.of(formats, Basis.CONTAINER)
        except TookTooLong:
            return _UNKNOWN
        if rules:
            return Identification.of(tuple([rule.format for rule in rules]), Basis.SIGNATURE)
        return self._by_extension.get(_extension(sample.name), _UNKNOWN)

    def _inside(self, sample: Sample, look: Look) -> tuple[Format, ...]:
        """Return each format found inside once; none of a broken container."""
        try:
            with at_most(self._patience):
                return tuple([self._formats[puid] for puid in dict.fromkeys(look(sample))])
        except ContainerError:  # fido then stands by the signature; what it found until there does not count
            return ()


def _extension(name: bytes) -> str:
    """Bytes that are not UTF-8 become surrogates, which no extension has."""
    return os.path.splitext(name.decode("utf-8", "surrogateescape"))[1].lower().lstrip(".")


def _extensions(rules: Iterable[Rule]) -> dict[str, Identification]:
    """Return what each extension says, formats left out over which another of it has priority."""
    found = defaultdict(list)
    for rule in rules:
        for extension in rule.extensions - {""}:
            found[extension].append(rule)
    return {
        extension: Identification.of(tuple([rule.format for rule in unbeaten(many)]), Basis.EXTENSION)
        for extension, many in found.items()
    }
