"""Signatures are made ready once, and what was kept is used only where it is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.engine import fido_identifier, ready
from ingest.identify import Format
from ingest.prepared import from_bytes
from ingest.signatures import Pattern, Rule, Signatures

PNG = Rule(
    Format("fmt/11", "Portable Network Graphics", "1.0", "image/png"),
    ((Pattern("BOF", rb"(?s)\A\x89PNG\r\n\x1a\n"), Pattern("EOF", rb"(?s)IEND\xaeB\x60\x82\Z")),),
    frozenset({"png"}), frozenset({"fmt/1"}), "zip",
)  # fmt: skip
TABLE = Signatures("of one", (PNG,), {"zip": {"a/b": (("fmt/2", rb"(?s)\x00\xff"),)}})
HEAD, TAIL = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB\x60\x82"


class Loads:
    """Gives the table, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Signatures:
        self.times += 1
        return TABLE


def kept(folder: Path) -> Path:
    [path] = folder.iterdir()
    return path


def test_what_was_kept_is_the_same(tmp_path: Path) -> None:
    load = Loads()
    for _ in range(3):
        signatures, matcher = ready("digest", load, [tmp_path / "new"])
        assert signatures == TABLE
        assert matcher.rules(HEAD, TAIL) == (PNG,)
        assert matcher.rules(HEAD, TAIL + b"\n") == matcher.rules(TAIL, HEAD) == ()
    assert load.times == 1
    assert from_bytes(kept(tmp_path / "new").read_bytes()).signatures == TABLE


@pytest.mark.parametrize("broken", ["cut", "changed", "empty"])
def test_what_is_broken_is_made_anew(tmp_path: Path, broken: str) -> None:
    load = Loads()
    ready("digest", load, [tmp_path])
    path = kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-1], "changed": whole.replace(b"fmt/11", b"fmt/12"), "empty": b""}[broken])
    assert ready("digest", load, [tmp_path])[0] == TABLE
    assert (load.times, path.read_bytes()) == (2, whole)


def test_other_signatures_are_another_file(tmp_path: Path) -> None:
    load = Loads()
    ready("one", load, [tmp_path])
    ready("other", load, [tmp_path])
    assert (load.times, len(list(tmp_path.iterdir()))) == (2, 2)


def test_where_nothing_can_be_kept_it_works_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    load = Loads()
    assert ready("digest", load, [tmp_path / "file" / "below"])[0] == ready("digest", load)[0] == TABLE
    assert load.times == 2


def test_there_is_one_a_process() -> None:
    assert fido_identifier() is fido_identifier()
    assert fido_identifier().version == "1.6.1 (PRONOM v109, containers 20200121)"


def test_what_another_folder_keeps_is_taken_from_there(tmp_path: Path) -> None:
    folders = [tmp_path / "repository", tmp_path / "user"]
    load = Loads()
    ready("digest", load, folders[1:])
    assert ready("digest", load, folders)[0] == TABLE
    assert load.times == 1
