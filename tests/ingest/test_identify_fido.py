"""Our identifier says what fido says: on files made here, on corpora, and on hostile bytes says it quietly."""

import errno
import io
import os
import random
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from fido.fido import Fido  # type: ignore[import-untyped]

from ingest.engine import fido_identifier
from ingest.finder import finder
from ingest.identify import HEAD, Basis, Identifier, Sample
from ingest.identify_fido import load_signatures
from ingest.identify_pronom import PronomIdentifier
from ingest.look import looks
from ingest.matcher import LiteralMatcher
from ingest.needs import needed, wanted
from ingest.sample import LOOK, ContainerError, members, sample_of

CORPORA = Path(os.environ.get("TIANYI_CORPORA", Path(__file__).parents[3] / "shared" / "corpora"))
Answer = tuple[tuple[str, ...], str]
Reference = Callable[[Path], Answer]

DOCX = b'<Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return file.getvalue()


def ole(*streams: tuple[str, bytes]) -> bytes:
    """A compound file of 512-byte sectors with one FAT sector, each stream the right sibling of the one before."""
    entries = [_entry("Root Entry", 5, child=1)]
    directory = -(-(len(streams) + 1) // 4)
    fat, content = [0xFFFFFFFD, *_chain(1, directory)], b""
    for number, (name, data) in enumerate(streams, 1):
        data = data.ljust(4096, b"\0")  # not less, or it would lie in the mini stream
        sibling = number + 1 if number < len(streams) else 0xFFFFFFFF
        entries.append(_entry(name, 2, right=sibling, start=len(fat) if data else 0, size=len(data)))
        content += data
        fat += _chain(len(fat), len(data) // 512)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<5H6x9I", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    table = struct.pack("<128I", *fat, *[0xFFFFFFFF] * (128 - len(fat)))
    return header + table + b"".join(entries).ljust(directory * 512, b"\0") + content


def _entry(
    name: str, kind: int, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF, start: int = 0, size: int = 0
) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<HBB3I36xIQ", len(encoded), kind, 1, 0xFFFFFFFF, right, child, start, size)
    return encoded.ljust(64, b"\0") + links


def _chain(start: int, length: int) -> list[int]:
    return [*range(start + 1, start + length), 0xFFFFFFFE]


COMPOBJ = ole(("\x01CompObj", b"\0" * 60 + b"\x0f\0\0\0MSProject.MPP9\0"))
CIRCULAR = ole(("CompObj", struct.pack("<128I", *[0] * 127, 2)))  # its first sector, 2, as DIFAT sector names itself
FILES = {
    "empty": b"",
    "empty.rtf": b"",
    "a.pdf": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n",
    "A.PDF": b"neither head nor tail of a PDF",
    "long.pdf": b"%PDF-1.7\n" + b" " * (2 * HEAD) + b"%%EOF\n",
    "overlapping.pdf": b"%PDF-1.7\n" + b" " * HEAD + b"%%EOF\n",
    "a.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17) + b"\0\0\0\0IEND\xaeB`\x82",
    "a.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x02" + bytes(50) + b"\xff\xd9",
    "a.txt": b"plain\n",
    "a.tar.gz": b"\x1f\x8b\x08\0" + bytes(20),
    ".hidden": b"\x93",
    "dots..": b"\x93",
    "caf\udce9.docx": b"\x93",
    "name.caf\udce9": b"\x93",
    "a.zip": zipped({"a": b"a"}),
    "a.docx": zipped({"[Content_Types].xml": DOCX, "word/document.xml": b"<w/>"}),
    "bzip2.docx": zipped({"[Content_Types].xml": DOCX}, zipfile.ZIP_BZIP2),
    "a.odt": zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "META-INF/manifest.xml": b"<m/>"}, 0),
    "torn.docx": zipped({"[Content_Types].xml": DOCX})[:-30],
    "a.mpp": COMPOBJ,
    "a.doc": ole(("WordDocument", b"\x10\0\0\0Word.Document.8\0")),
    "empty.ole": ole(("Nothing", b"")),
    "torn.ole": COMPOBJ[:700],
}  # fmt: skip


@pytest.fixture(scope="module")
def reference() -> Reference:
    """fido's own answer by its own public path: PUIDs (each once), and on which basis."""
    seen: list[Answer] = []

    def capture(name: str, matches: list[tuple[Any, str]], seconds: float, basis: str) -> None:
        puids = tuple(dict.fromkeys(each.findtext("puid") for each, _ in matches))
        seen.append((puids, basis if puids else "none"))

    fido = Fido(quiet=True, format_files=["formats-v109.xml", "format_extensions.xml"], handle_matches=capture)

    def answer(path: Path) -> Answer:
        seen.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # fido does not close what it identifies
            fido.identify_file(str(path))
        (only,) = seen
        return only

    return answer


def answer(path: Path, identifier: Callable[[], Identifier] = fido_identifier) -> Answer:
    known = identifier().identify(sample_of(os.fsencode(path)))
    return known.puids, known.basis.value


@cache
def plain() -> Identifier:
    """The identifier of a platform without Hyperscan."""
    signatures = load_signatures()
    every = needed(signatures)
    matcher = LiteralMatcher(signatures, every, finder(wanted(every), b""))
    return PronomIdentifier("fido", signatures, matcher, looks(signatures))


@pytest.mark.parametrize("name", FILES, ids=ascii)
def test_made_files_are_what_fido_says(tmp_path: Path, reference: Reference, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    assert answer(tmp_path / name) == reference(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.docx", (("fmt/412",), "container")),
        ("a.mpp", (("x-fmt/247",), "container")),
        ("torn.ole", (("fmt/111",), "signature")),
        ("empty", ((), "none")),
        ("a.png", (("fmt/11",), "signature")),
    ],
)
def test_made_files_are_not_only_compared(tmp_path: Path, name: str, expected: Answer) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    assert answer(tmp_path / name) == expected


@pytest.mark.parametrize(
    ("corpus", "least"), [("formats", 192), ("pronom-skeletons", 1139), ("pronom-container-skeletons", 149)]
)
def test_corpora_are_what_fido_says_with_hyperscan_and_without(
    tmp_path: Path, reference: Reference, corpus: str, least: int
) -> None:
    if not (CORPORA / f"{corpus}.tar.xz").exists():
        pytest.skip("no corpora")
    with tarfile.open(CORPORA / f"{corpus}.tar.xz") as package:
        package.extractall(tmp_path, filter="fully_trusted")
    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert len(files) >= least
    expected = {path: reference(path) for path in files}
    assert {path: answer(path) for path in files} == expected
    assert {path: answer(path, plain) for path in files} == expected


def test_samples_are_what_fido_says(reference: Reference) -> None:
    files = [path for path in sorted((Path(__file__).parents[2] / "samples").rglob("*")) if path.is_file()]
    assert {path: answer(path) for path in files} == {path: reference(path) for path in files}


def sampled(content: bytes, name: bytes = b"x") -> Sample:
    return Sample(name, len(content), content[:HEAD], content[-HEAD:], lambda: io.BytesIO(content))


def mutants(content: bytes, number: int) -> Iterator[bytes]:
    """Copies with a few bytes overwritten, most of them in the first sectors and at the end, some cut short."""
    chance = random.Random(20121)
    for _ in range(number):
        mutant = bytearray(content)
        for _ in range(chance.choice((1, 2, 8))):
            at = chance.choice((chance.randrange(len(mutant)), chance.randrange(8, 76), -chance.randrange(1, 90)))
            mutant[at] = chance.choice((0, 1, 0x7F, 0xFE, 0xFF, chance.randrange(256)))
        yield bytes(mutant[: chance.choice((len(mutant), len(mutant), chance.randrange(len(mutant))))])


@pytest.mark.parametrize("name", ["a.docx", "bzip2.docx", "a.mpp"])
def test_hostile_bytes_neither_raise_nor_print(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    for mutant in mutants(FILES[name], 60):
        assert fido_identifier().identify(sampled(mutant)).basis in Basis
    assert capfd.readouterr() == ("", "")


def encrypted(content: bytes) -> bytes:
    """The zip with the flag of encryption set on its one member: APPNOTE.TXT §4.4.4, bit 0."""
    changed = bytearray(content)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[content.index(signature) + flags] |= 1
    return bytes(changed)


def test_an_encrypted_member_leaves_the_signature() -> None:
    known = fido_identifier().identify(sampled(encrypted(zipped({"[Content_Types].xml": DOCX}))))
    assert (known.puids, known.basis) == (("x-fmt/263",), Basis.SIGNATURE)


def patched(content: bytes, offset: int, *values: int) -> bytes:
    fields = struct.pack(f"<{len(values)}I", *values)
    return content[:offset] + fields + content[offset + len(fields) :]


@pytest.mark.parametrize(
    "content",
    [
        patched(COMPOBJ, 28, 0x0028FFFE),  # sectors of 2^40 bytes
        patched(patched(CIRCULAR, 44, 109 + 127 * 10**6), 68, 2, 10**6),  # a million DIFAT sectors in 5 KB
        ole(*((f"s{number:04}", b"") for number in range(2)))[:600],
        COMPOBJ[:40],
    ],
    ids=["huge sectors", "endless FAT", "torn", "no header"],
)
def test_compound_files_that_lie_are_broken(content: bytes) -> None:
    with pytest.raises(ContainerError):
        list(members(sampled(content), "ole", ["CompObj"]))


def test_sector_chains_in_circles_end() -> None:
    """A mini FAT of 2^32-1 sectors whose chain is a circle, and a root as large: olefile alone would collect 2 TB."""
    circle = patched(patched(COMPOBJ, 60, 0, 0xFFFFFFFF), 512, 0)
    small = patched(circle, 1024 + 128 + 120, 100)  # so that the stream is looked for in the mini stream
    huge = patched(small, 1024 + 116, 0, 0xFFFFFFFF)
    assert sum(len(data) for _, data in members(sampled(huge), "ole", ["CompObj"])) <= 100


def test_a_bomb_is_looked_at_no_further_than_needed() -> None:
    bomb = zipped({"mimetype": bytes(4 * LOOK)})
    assert [(path, len(data)) for path, data in members(sampled(bomb), "zip", ["mimetype"])] == [("mimetype", LOOK)]


def test_a_disk_that_fails_is_not_a_broken_container() -> None:
    def fails() -> BinaryIO:
        raise OSError(errno.EIO, "Input/output error")

    content = zipped({"[Content_Types].xml": DOCX, "large": bytes(2 * HEAD)}, zipfile.ZIP_STORED)
    with pytest.raises(OSError, match="Input/output error"):
        fido_identifier().identify(Sample(b"a.docx", len(content), content[:HEAD], content[-HEAD:], fails))


@pytest.mark.parametrize(("name", "puid"), [("a.pdf", "fmt/18"), ("a.docx", "fmt/412"), ("a.mpp", "x-fmt/247")])
def test_only_large_containers_are_opened_again(name: str, puid: str) -> None:
    content = FILES[name]
    sample = Sample(os.fsencode(name), len(content), content, content, lambda: pytest.fail("opened"))
    assert fido_identifier().identify(sample).puids == (puid,)
