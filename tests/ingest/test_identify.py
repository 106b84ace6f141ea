"""The seam of identification: the values, and the sample of a file on disk."""

import os
from pathlib import Path

import pytest

from ingest.identify import HEAD, Basis, Format, Identification
from ingest.sample import sample_of

WORD = Format("fmt/40", "Microsoft Word Document", "97-2003", "application/msword")
NAMELESS = Format("fmt/978", "3DS Max", "", "")


def test_the_mime_is_that_of_the_first_format() -> None:
    assert Identification.of((WORD, NAMELESS), Basis.CONTAINER).mime == "application/msword"
    assert Identification.of((NAMELESS, WORD), Basis.CONTAINER).mime == "application/octet-stream"


def test_without_a_format_there_is_no_basis() -> None:
    nothing = Identification.of((), Basis.EXTENSION)
    assert (nothing.basis, nothing.puids, nothing.mime) == (Basis.NONE, (), "application/octet-stream")


def test_an_opinion_gives_the_mime_only_where_the_first_format_has_none() -> None:
    assert Identification.of((WORD,), Basis.CONTAINER).heard("application/x-ole-storage").mime == "application/msword"
    assert Identification.of((NAMELESS,), Basis.SIGNATURE).heard("image/x-3ds").mime == "image/x-3ds"
    assert Identification.of((), Basis.NONE).heard("").mime == "application/octet-stream"


def test_puids_keep_the_order_of_the_formats() -> None:
    assert Identification.of((NAMELESS, WORD), Basis.SIGNATURE).puids == ("fmt/978", "fmt/40")


@pytest.mark.parametrize("size", [0, 1, HEAD - 1, HEAD, HEAD + 1, 2 * HEAD, 3 * HEAD + 7])
def test_a_sample_holds_both_ends(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = os.fsencode(tmp_path) + b"/caf\xe9 \n"
    Path(os.fsdecode(path)).write_bytes(content)
    sample = sample_of(path)
    assert (sample.name, sample.size) == (b"caf\xe9 \n", size)
    assert (sample.head, sample.tail) == (content[:HEAD], content[max(0, size - HEAD) :])
    with sample.opens() as stream:
        assert stream.read() == content


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        sample_of(os.fsencode(tmp_path / "pipe"))
