"""A look into a container as DROID does it: all files of a signature have to be there and fit, and priorities count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ingest.droid_container import Choices, ContainerSignature
from ingest.identify import HEAD, Sample
from ingest.look import Look
from ingest.matcher_re import Patterns
from ingest.sample import members
from ingest.signatures import Signatures


class DroidLook:
    """Looks into one kind of container."""

    def __init__(
        self, kind: str, signatures: Sequence[ContainerSignature], beats: Mapping[str, frozenset[str]]
    ) -> None:
        """Take the signatures of that kind, and which formats each format has priority over."""
        self._kind: Final = kind
        self._signatures: Final = signatures
        self._beats: Final = beats
        self._fits: Final = Patterns()
        self._by_path: Final[dict[str, list[tuple[int, Choices]]]] = defaultdict(list)
        for number, signature in enumerate(signatures):
            for path, choices in signature.files.items():
                self._by_path[path].append((number, choices))

    def __call__(self, sample: Sample) -> Iterator[str]:
        """Yield the PUIDs of the signatures that fit, in their order, and that no other one's format beats."""
        missing = [len(signature.files) for signature in self._signatures]
        for path, data in members(sample, self._kind, tuple(self._by_path)):
            head = data if len(data) <= HEAD else data[:HEAD]
            tail = data if len(data) <= HEAD else data[-HEAD:]
            for number, choices in self._by_path[path]:
                missing[number] -= self._holds(choices, head, tail)
        found = [signature.puid for signature, left in zip(self._signatures, missing, strict=True) if not left]
        beaten = frozenset[str]().union(*(self._beats.get(puid, frozenset()) for puid in found))
        yield from (puid for puid in found if puid not in beaten)

    def _holds(self, choices: Choices, head: bytes, tail: bytes) -> bool:
        return not choices or any(all(self._fits(one, head, tail) for one in choice) for choice in choices)


def droid_looks(table: Signatures, inside: Mapping[str, Sequence[ContainerSignature]]) -> Mapping[str, Look]:
    """Return how to look into each kind of container that has signatures."""
    beats = {rule.format.puid: rule.beats for rule in table.rules}
    return {kind: DroidLook(kind, many, beats) for kind, many in inside.items()}
