"""One pass over a file: what identification is handed of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.examine import Desk, Facts, Task, examine
from ingest.finding import Finding
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


@pytest.mark.parametrize("listed", [0, 1, HEAD, CHUNK])
@pytest.mark.parametrize("size", [0, 2, HEAD + 1, CHUNK + 1])
def test_one_that_is_not_as_long_as_it_was_is_told(tmp_path: Path, listed: int, size: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(size))
    [found] = examine(Desk((), "", HoldsNothing(), Listening), [Task(0, b"a", os.fsencode(path), listed, None)])
    if size == listed:
        assert isinstance(found, Facts)
    else:
        assert isinstance(found, Finding)
        assert found.code == "source-changed"
        assert found.message.endswith(f"it had {listed} bytes and has {size}.")
