"""One pass over a file: what identification is handed of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.examine import Desk, Facts, Task, examine
from ingest.identify import HEAD, Basis, Identification, Sample
from storage.receive import HoldsNothing
from storage.store import CHUNK


class Listening:
    """An identifier that keeps what it is asked about."""

    name, version = "listening", "1"

    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def identify(self, sample: Sample) -> Identification:
        self.samples.append(sample)
        return Identification.of((), Basis.NONE)


@pytest.mark.parametrize("size", [0, 1, HEAD - 1, HEAD, HEAD + 1, CHUNK + 1, 2 * CHUNK])
def test_head_and_tail_are_those_of_the_file(tmp_path: Path, size: int) -> None:
    content = (os.urandom(HEAD + 7) * (size // HEAD + 1))[:size]
    path = tmp_path / "a"
    path.write_bytes(content)
    heard = Listening()
    task = Task(0, b"x/a", os.fsencode(path), size, None)
    [facts] = examine(Desk((), "", HoldsNothing(), lambda: heard), [task])
    [sample] = heard.samples
    assert isinstance(facts, Facts)
    assert (sample.name, sample.size) == (b"a", size)
    assert (sample.head, sample.tail) == (content[:HEAD], content[-HEAD:])
    assert (sample.head is sample.tail) == (size <= HEAD), "two that are equal would be looked through twice"
