"""DROID's files become signatures that say what DROID says; files that are none, and hostile ones, are refused."""

from __future__ import annotations

import csv
import io
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.droid import DroidSignatures, convert
from ingest.droid_container import Unusable
from ingest.droid_engine import droid_identifier
from ingest.droid_look import droid_looks
from ingest.droid_xml import LARGEST
from ingest.errors import NotSignatures
from ingest.identify import Sample
from ingest.identify_pronom import PronomIdentifier
from ingest.matcher_re import ReMatcher
from ingest.sample import members, sample_of
from tests.ingest.droid_files import CONTAINERS, FORMATS, signature_file, zipped
from tests.ingest.test_identify_fido import ole

PRONOM = Path(os.environ.get("TIANYI_CORPORA", Path(__file__).parents[3] / "shared" / "corpora")).parent / "pronom"
Corpus = Callable[[str], Any]


@pytest.fixture(scope="module")
def small() -> DroidSignatures:
    return convert(signature_file(), CONTAINERS.encode())


def puids(signatures: DroidSignatures, data: bytes, name: bytes = b"a") -> tuple[str, ...]:
    engine = PronomIdentifier(
        "pronom", signatures.table, ReMatcher(signatures.table), droid_looks(signatures.table, signatures.inside)
    )
    return engine.identify(Sample(name, len(data), data, data, lambda: io.BytesIO(data))).puids


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b".2-1AA3__BBXY!", ("fmt/4",)),
        (b"..2-1AA__4__BB XY!!", ("fmt/4",)),
        (b"2-1AA3__BBXY!", ()),  # too near to the beginning
        (b"...2-1AA3__BBXY!", ()),  # too far
        (b".2-1AA__3__BBXY!", ()),  # each fragment has an offset of its own
        (b".2-1AA3_BBXY!", ()),  # the second sub-sequence counts from the end of the first
        (b".2-1AA3__BBYX!!", ()),  # and from the end, to the left
        (b".2-1AA3__BBXY", ()),
        (b"1234anywhere", ("fmt/5",)),
        (b"123anywhere", ()),
    ],
)
def test_offsets_and_fragments_mean_what_droid_means(
    small: DroidSignatures, data: bytes, expected: tuple[str, ...]
) -> None:
    assert puids(small, data) == expected


def test_every_file_of_a_container_signature_has_to_fit_and_priorities_count(small: DroidSignatures) -> None:
    assert puids(small, zipped(mimetype=b"a book", content_xml=b"")) == ("fmt/2",)  # fmt/3 fits too, and is beaten
    assert puids(small, zipped(mimetype=b"the book", content_xml=b"")) == ("fmt/3",)  # too far from the beginning
    assert puids(small, zipped(mimetype=b"a book")) == ("fmt/1",)
    assert puids(small, b"PK\3\4 and no more") == ("fmt/1",)
    assert puids(small, b"neither", b"A.zip") == ("fmt/1",)


def test_a_storage_of_an_ole_file_is_there_too() -> None:
    data = bytearray(ole(("__nameid_version1.0", b""), ("\x01CompObj", b"a stream")))
    assert data[1024 + 128 + 66] == 2  # [MS-CFB] §2.6.1: the first entry after the root, and its type, a stream
    data[1024 + 128 + 66] = 1
    sample = Sample(b"a.msg", len(data), bytes(data), bytes(data), lambda: io.BytesIO(data))
    found = dict(members(sample, "ole", ("__nameid_version1.0", "CompObj", "nothing")))
    assert {path: content[:8] for path, content in found.items()} == {
        "__nameid_version1.0": b"",
        "CompObj": b"a stream",
    }


def test_what_cannot_be_used_is_named_and_the_rest_is_used(small: DroidSignatures) -> None:
    assert (small.table.version, small.count) == ("v9, containers v7", 5)
    assert small.unusable == (
        Unusable("3", "fmt/4", "containers of the type TAR are not looked into"),
        Unusable("4", "fmt/4", "offsets of the kind IndirectBOFoffset are not known"),
        Unusable("4", "fmt/404", "its format is not in the signature file"),
        Unusable("5", "fmt/4", "it is not in the file"),
    )


LOOP = signature_file().replace(b'Name="Document"/>', b'Name="D"><HasPriorityOverFileFormatID>2</HasPriorityOverFileFormatID></FileFormat>')  # fmt: skip  # noqa: E501
LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><FFSignatureFile Version="9">&b;</FFSignatureFile>'
OUTSIDE = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><FFSignatureFile Version="9">&a;</FFSignatureFile>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "well-formed"),
        (b"\xfd7zXZ\0packed", "well-formed"),
        (b"<html/>", "root is html"),
        (CONTAINERS.encode(), "root is ContainerSignatureMapping"),  # the two files in the wrong order
        (b'<FFSignatureFile Version="../.."/>', "not a number"),
        (LAUGHS, "document type"),
        (OUTSIDE, "document type"),
        (b"<FFSignatureFile>" + b"<a>" * 5000, "well-formed"),
        (b" " * (LARGEST + 1), "more than"),
        (signature_file(FORMATS.replace("fmt/5", "../fmt")), "PUID"),
        (LOOP, "circle"),
    ],
)
def test_what_is_no_signature_file_is_refused_with_the_next_step(data: bytes, why: str) -> None:
    with pytest.raises(NotSignatures, match=why) as refused:
        convert(data, CONTAINERS.encode())
    assert "The National Archives" in refused.value.next


def test_a_container_file_is_checked_too() -> None:
    with pytest.raises(NotSignatures, match="container signature file"):
        convert(signature_file(), signature_file())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """V122 of January 2026, as it was published."""
    packed = [PRONOM / name for name in ("DROID_SignatureFile_V122.xml.xz", "container-signature-20260119.xml.xz")]
    if not all(file.is_file() for file in packed):
        pytest.skip("no signature files")
    folder = tmp_path_factory.mktemp("pronom")
    for file in packed:
        (folder / file.stem).write_bytes(lzma.decompress(file.read_bytes()))
    return folder / packed[0].stem, folder / packed[1].stem


@pytest.fixture(scope="module")
def current(files: tuple[Path, Path]) -> DroidSignatures:
    return convert(*(file.read_bytes() for file in files))


def test_all_of_v122_is_used(current: DroidSignatures) -> None:
    assert (current.table.version, len(current.table.rules), current.count) == ("v122, containers v40", 2544, 2552)
    assert current.unusable == ()


# What V122 itself says of these skeletons, which were made for earlier releases: the signature of fmt/1062 asks for
# more by now, and the others have no priority over XML.
MISSES = {"fmt/1062": ("fmt/353",), "fmt/2040": ("fmt/101", "fmt/2040"), "fmt/2081": ("fmt/101", "fmt/2081"),
          "fmt/2085": ("fmt/2085", "fmt/101")}  # fmt: skip


@pytest.mark.parametrize("name", ["pronom-skeletons", "pronom-container-skeletons"])
def test_skeletons_are_what_their_names_say(files: tuple[Path, Path], corpus: Corpus, name: str) -> None:
    folder: Path = corpus(name)
    engine = droid_identifier(*files)
    with (folder / "cases.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found = engine.identify(sample_of(os.fsencode(folder / "cases" / row["path"]))).puids
            assert (row["path"], found) == (row["path"], MISSES.get(row["expected"], (row["expected"],)))


@pytest.mark.parametrize("name", ["pronom-skeletons", "pronom-container-skeletons"])
def test_the_engine_says_what_every_expression_tried_says(
    files: tuple[Path, Path], current: DroidSignatures, corpus: Corpus, tmp_path: Path, name: str
) -> None:
    """Made ready, and read from where that was kept."""
    every = PronomIdentifier(
        "pronom", current.table, ReMatcher(current.table), droid_looks(current.table, current.inside)
    )
    engines = droid_identifier(*files, [tmp_path]), droid_identifier(*files, [tmp_path])
    assert len(list(tmp_path.iterdir())) == 1
    for path in sorted(corpus(name).rglob("cases/**/*")):
        if path.is_file():
            sample = sample_of(os.fsencode(path))
            wanted = every.identify(sample)
            assert [engine.identify(sample) for engine in engines] == [wanted, wanted]
