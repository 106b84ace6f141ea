"""libmagic as a second opinion: it adds, and never changes what the engine found."""

import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from ingest.identify import Basis, Format, Identification, Sample
from ingest.identify_magic import MagicOpinion, SecondOpinion, magic_opinion, with_second_opinion

FOUND = Identification.of((Format("fmt/978", "3DS Max", "", ""),), Basis.SIGNATURE)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0"
SAMPLE = Sample(b"a.png", len(PNG), PNG, PNG, lambda: BytesIO(PNG))


class Engine:
    name, version = "engine", "1"

    def identify(self, sample: Sample) -> Identification:
        return FOUND


class Says:
    version = "oracle 2"

    def mime(self, head: bytes) -> str:
        assert head == PNG
        return "image/png"


@pytest.fixture
def unloaded() -> Iterator[None]:
    magic_opinion.cache_clear()
    yield
    magic_opinion.cache_clear()


@pytest.fixture
def magic() -> MagicOpinion:
    found = magic_opinion()
    if found is None:
        pytest.skip("no libmagic")
    return found


@pytest.mark.parametrize(
    ("basis", "mime", "opinion"),
    [
        (Basis.NONE, "", "image/png"),
        (Basis.EXTENSION, "", "image/png"),
        (Basis.EXTENSION, "text/plain", ""),
        (Basis.SIGNATURE, "", ""),
        (Basis.CONTAINER, "", ""),
    ],
)
def test_it_is_asked_where_nothing_else_tells(basis: Basis, mime: str, opinion: str) -> None:
    formats = () if basis is Basis.NONE else (Format("fmt/978", "3DS Max", "", mime),)

    class Inner(Engine):
        def identify(self, sample: Sample) -> Identification:
            return Identification.of(formats, basis)

    known = SecondOpinion(Inner(), Says()).identify(SAMPLE)
    assert (known.formats, known.basis, known.opinion) == (formats, basis, opinion)
    assert known.mime == (mime or opinion or "application/octet-stream")


def test_it_adds_to_the_answer_and_to_the_version() -> None:
    both = SecondOpinion(Engine(), Says(), always=True)
    known = both.identify(SAMPLE)
    assert (both.name, both.version) == ("engine", "1; oracle 2")
    assert (known.formats, known.basis) == (FOUND.formats, FOUND.basis)
    assert (known.opinion, known.mime) == ("image/png", "image/png")


def test_libmagic_knows_a_png(magic: MagicOpinion) -> None:
    assert magic.mime(PNG) == "image/png"
    assert magic.version.startswith("libmagic 5.")


@pytest.mark.parametrize("head", [b"", b"\x93\x01\x02\xf7"], ids=["empty", "data"])
def test_libmagic_without_an_opinion_says_nothing(magic: MagicOpinion, head: bytes) -> None:
    assert magic.mime(head) == ""


def test_loading_libmagic_leaves_the_environment_alone() -> None:
    program = "import os; before = dict(os.environ); from ingest.identify_magic import magic_opinion as m; m(); "
    subprocess.run(
        [sys.executable, "-c", program + "assert dict(os.environ) == before, os.environ"],
        check=True,
        cwd=Path(__file__).parents[2],
    )


def test_without_libmagic_the_engine_stands_alone(unloaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "magic", None)  # makes `import magic` raise ImportError
    engine = Engine()
    assert magic_opinion() is None
    assert with_second_opinion(engine) is engine


def test_it_may_be_asked_never() -> None:
    engine = Engine()
    assert with_second_opinion(engine, "never") is engine
