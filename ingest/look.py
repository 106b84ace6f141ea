"""A look into a container, as fido does it: each path and expression stands for itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ingest.identify import Sample
from ingest.sample import members
from ingest.signatures import Contents, Signatures

Look = Callable[[Sample], Iterator[str]]  # the PUIDs of what lies inside; raises ContainerError, perhaps after some


class FidoLook:
    """Looks into one kind of container; expressions are compiled when a member that they are for is met."""

    def __init__(self, kind: str, contents: Contents) -> None:
        self._kind: Final = kind
        self._contents: Final = contents
        self._paths: Final = tuple(contents)
        self._compiled: Final[dict[str, list[tuple[str, re.Pattern[bytes]]]]] = {}

    def __call__(self, sample: Sample) -> Iterator[str]:
        """Yield PUIDs in the order of the table; one may come twice."""
        for path, data in members(sample, self._kind, self._paths):
            for puid, expression in self._expressions(path):
                if expression.search(data):
                    yield puid

    def _expressions(self, path: str) -> list[tuple[str, re.Pattern[bytes]]]:
        if path not in self._compiled:
            self._compiled[path] = [(puid, re.compile(expression)) for puid, expression in self._contents[path]]
        return self._compiled[path]


def looks(signatures: Signatures) -> Mapping[str, Look]:
    """Return how to look into each kind of container that the signatures know."""
    return {kind: FidoLook(kind, contents) for kind, contents in signatures.containers.items() if contents}
