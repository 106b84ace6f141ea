"""Names: which will trouble somebody, and which members of an archive are never taken."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.checks import too_long, trouble
from ingest.finding import Severity
from ingest.item import Item
from ingest.member import crossings, refusal, tidy
from ingest.worklist import Worklist, fold
from storage.namemap import Kind

PART = st.binary(min_size=1, max_size=12).map(lambda name: name.replace(b"/", b"-"))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        (b"\xff", "UTF-8"), (b"a\x07", "control"), (b"a\n", "control"), (b"a ", "blank"), (b" a", "blank"),
        (b"a.", "dot"),
        (b"CON", "Windows"), (b"com1.txt", "Windows"), (b"a:b", "Windows"), (b"a\\b", "Windows"), (b"100%", "%"),
        ("e\u0301".encode(), "form C"), (b"a", ""), ("天一閣".encode(), ""), (b"console", ""), (b".hidden", ""),
    ],
)  # fmt: skip
def test_trouble(name: bytes, word: str) -> None:
    assert (word in trouble(name)) is True
    assert bool(trouble(name)) is bool(word)


def test_a_path_that_windows_does_not_take() -> None:
    assert "257 characters" in too_long(b"a" * 128 + b"/" + b"b" * 128)
    assert too_long(b"a" * 128 + b"/" + b"b" * 127) == ""
    assert too_long("天".encode() * 256) == ""
    assert "258" in too_long("𠀀".encode() * 129)
    assert "257" in too_long(b"\xff" * 257)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (b"/etc/passwd", "path-leaves-package"), (b"\\etc", "path-leaves-package"), (b"../a", "path-leaves-package"),
        (b"a/../b", "path-leaves-package"), (b"a\\..\\b", "path-leaves-package"), (b"..", "path-leaves-package"),
        (b"C:/a", "path-leaves-package"), (b"c:\\a", "path-leaves-package"), (b"a\0b", "path-invalid"),
        (b"a//b", "path-invalid"), (b"a/./b", "path-invalid"), (b"a/", "path-invalid"), (b"a" * 256, "path-too-long"),
        (b"/".join([b"a" * 250] * 17), "path-too-long"), (b"a", ""), (b"...", ""), (b"a/..b", ""), (b"C:a", ""),
        (b"\xff" * 255, ""), (b"a\\b", ""), (b"~", ""), (b"-rf", ""), (b"a b/ c ", ""),
    ],
)  # fmt: skip
def test_refusal(name: bytes, code: str) -> None:
    finding = refusal(name)
    assert (finding.code if finding else "") == code
    assert finding is None or finding.severity is Severity.ERROR


@given(st.binary(max_size=40))
def test_what_is_taken_stays_inside(name: bytes) -> None:
    if name and refusal(name) is None:
        path = PurePosixPath(name.decode("latin-1"))
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert str(path).encode("latin-1") == name


@given(st.lists(PART.filter(lambda part: part not in (b".", b"..")), min_size=1, max_size=4))
def test_tidy_takes_away_nothing_but_what_archivers_add(parts: list[bytes]) -> None:
    name = b"/".join(parts)
    assert tidy(name) == tidy(b"./" + name) == tidy(name + b"/") == name
    assert tidy(b"./") == tidy(b".") == b""


def test_crossings() -> None:
    worklist = Worklist(":memory:")
    names = [b"link/a", b"LINK/b", b"file/c", b"FILE/d", b"folder/e/f"]
    worklist.add(Item(kind=Kind.LINK, name=b"link", target=b"x"))
    worklist.add(Item(kind=Kind.FILE, name=b"file"))
    for name in names:
        worklist.add(Item(kind=Kind.FILE, name=name))
    assert [(finding.code, finding.path) for finding in crossings(names, worklist.solid)] == [
        ("path-through-link", "link/a"), ("path-through-link", "LINK/b"), ("path-through-file", "file/c"),
    ]  # fmt: skip


@given(st.text(max_size=20))
def test_twins_fold_alike(text: str) -> None:
    name = text.encode("utf-8", "surrogatepass")
    assert fold(name) == fold(name)
    if name.isascii():
        assert fold(name.upper()) == fold(name.lower())
