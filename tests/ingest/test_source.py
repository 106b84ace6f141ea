"""Members of archives that are read where they lie: the same bytes, or it is told, and nothing comes on a disk."""

from __future__ import annotations

import io
import os
import random
import struct
import tarfile
import zipfile
import zlib
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import archive, glance, source
from ingest.engine import fido_identifier
from ingest.finding import Finding
from ingest.identify import Identification
from ingest.item import Item
from ingest.packed import DamagedMember
from ingest.source import is_member, open_lines, open_seekable, open_source
from ingest.unpack import Unpacking
from ingest.worklist import Worklist
from ingest.zip_methods import DEFLATED
from policies.ingest import ContainerLimits
from storage.namemap import Kind

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
LIMITS = ContainerLimits(files=1_000, bytes=1 << 40, ratio=1_000)
RNG = random.Random(1561)
CONTENTS = [b"", b"a", b"line\n" * 50_000, RNG.randbytes(200_000)]


def listed(path: Path, kind: str, folder: Path) -> list[Item | Finding]:
    unpacking = Unpacking(folder, path.stat().st_size, LIMITS, lambda name: None, in_place=True)
    return list(archive.members(path, kind, unpacking))


def zipped(path: Path, contents: dict[str, bytes], method: int) -> Path:
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in contents.items():
            made.writestr(name, content)
    return path


def read(where: bytes) -> bytes:
    with open_source(where) as stream:
        return stream.read()


@pytest.mark.parametrize("method", METHODS)
def test_a_zips_members_are_read_where_they_lie(tmp_path: Path, method: int) -> None:
    contents = {f"{number}": content for number, content in enumerate(CONTENTS)}
    found = listed(zipped(tmp_path / "a.zip", contents, method), "zip", tmp_path / "scratch")
    for item, content in zip(found, CONTENTS, strict=True):
        assert isinstance(item, Item)
        assert (is_member(item.source), item.size, read(item.source)) == (True, len(content), content)
        with open_lines(item.source) as lines:
            assert b"".join(lines) == content
        with open_seekable(item.source) as stream:
            assert (stream.seek(0, io.SEEK_END), stream.seek(0), stream.read()) == (len(content), 0, content)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_plain_tars_members_are_read_where_they_lie_and_others_are_unpacked(tmp_path: Path) -> None:
    for mode, in_place in (("w:", True), ("w:gz", False)):
        path, scratch = tmp_path / f"a{in_place}.tar", tmp_path / f"scratch{in_place}"
        with tarfile.open(path, mode) as made:
            for number, content in enumerate(CONTENTS):
                header = tarfile.TarInfo(str(number))
                header.size = len(content)
                made.addfile(header, io.BytesIO(content))
        found = [item for item in listed(path, "tar", scratch) if isinstance(item, Item)]
        assert [read(item.source) for item in found] == CONTENTS
        assert {is_member(item.source) for item in found} == {in_place}
        assert len(list(scratch.iterdir())) == (0 if in_place else len(CONTENTS))


def test_what_zip_packs_otherwise_is_unpacked(tmp_path: Path) -> None:
    [item] = listed(zipped(tmp_path / "a.zip", {"a": b"x" * 999}, zipfile.ZIP_BZIP2), "zip", tmp_path / "scratch")
    assert isinstance(item, Item)
    assert (item.kind, is_member(item.source), read(item.source)) == (Kind.FILE, False, b"x" * 999)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 70_000), min_size=1, max_size=9), st.sampled_from(METHODS))
def test_it_comes_in_pieces_of_any_size(sizes: list[int], method: int) -> None:
    content = CONTENTS[2]
    with TemporaryDirectory() as folder:
        path = zipped(Path(folder) / "a.zip", {"a": content}, method)
        [item] = listed(path, "zip", Path(folder) / "scratch")
        assert isinstance(item, Item)
        with open_source(item.source) as stream:
            parts = [stream.read(size) for size in sizes]
            assert b"".join([*parts, stream.read()]) == content


@pytest.mark.parametrize("claims", [(0, 0, -1), (0, 0, 1), (0, -5, 0), (3, 0, 0), (1, 1, 0)])
def test_what_is_not_as_it_claims_is_told(tmp_path: Path, claims: tuple[int, int, int]) -> None:
    """Offset, packed bytes and bytes that are wrong by so many; the CRC-32 is right."""
    content = b"line\n" * 1_000
    [item] = listed(zipped(tmp_path / "a.zip", {"a": content}, zipfile.ZIP_DEFLATED), "zip", tmp_path / "scratch")
    assert isinstance(item, Item)
    method, offset, packed, size, crc, path = item.source[1:].split(b" ", 5)
    wrong = [int(number) + by for number, by in zip((offset, packed, size), claims, strict=True)]
    where = source.member(path, int(method), *wrong, int(crc))
    with closing(open_source(where)) as stream, pytest.raises(DamagedMember):
        stream.read()


def test_what_is_behind_the_end_of_what_was_packed_takes_no_memory(tmp_path: Path) -> None:
    """zlib keeps whatever it is given after the end: two bytes, and a gigabyte of nothing that is said to be packed."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    (tmp_path / "a").write_bytes(packer.compress(b"hi") + packer.flush())
    os.truncate(tmp_path / "a", 1 << 30)
    where = source.member(bytes(tmp_path / "a"), DEFLATED, 0, 1 << 30, 3, zlib.crc32(b"hi"))
    with closing(open_source(where)) as stream, pytest.raises(DamagedMember, match="shorter"):
        stream.read()


LONG = b"line\n" * 50_000  # packed it is short


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"<I@16": 0, "<I@24": 0}, "zip-damaged"),  # no bytes, and their CRC-32
        ({"<I@16": zlib.crc32(LONG[:9]), "<I@24": 9}, "zip-damaged"),  # some of them
        ({"<I@24": len(LONG) + 1}, "zip-damaged"),
        ({"<H@8": 0x20}, "zip-damaged"),  # a patch (APPNOTE §4.4.4, bit 5)
        ({"<H@8": 0x40}, "zip-encrypted"),  # strong encryption (bit 6)
    ],
)
def test_what_the_directory_hides_is_told(tmp_path: Path, fields: dict[str, int], code: str, in_place: bool) -> None:
    """In place or unpacked, no part of a member passes for the whole, though its CRC-32 is right."""
    path = zipped(tmp_path / "a.zip", {"a": LONG}, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    for field, value in fields.items():
        form, _, place = field.partition("@")
        struct.pack_into(form, data, data.rindex(b"PK\x01\x02") + int(place), value)
    path.write_bytes(data)
    assert told(path, "zip", tmp_path / "scratch", in_place) == {code}


@pytest.mark.parametrize("in_place", [True, False])
def test_members_that_share_bytes_are_not_taken(tmp_path: Path, in_place: bool) -> None:
    """A bomb's way: each of its entries in the directory names the same member (CVE-2019-13232 is of this kind)."""
    data = zipped(tmp_path / "a.zip", {"a": LONG}, zipfile.ZIP_STORED).read_bytes()
    start, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entry = data[start:end]
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 2, 2, 2 * len(entry), start, 0)
    (tmp_path / "a.zip").write_bytes(data[:start] + 2 * entry + tail)
    assert told(tmp_path / "a.zip", "zip", tmp_path / "scratch", in_place) == {"zip-damaged"}


def told(path: Path, kind: str, scratch: Path, in_place: bool) -> set[str]:
    """The codes of what is wrong with an archive, and of what comes out when its members are read."""
    unpacking = Unpacking(scratch, path.stat().st_size, LIMITS, lambda name: None, in_place=in_place)
    codes = set()
    for found in list(archive.members(path, kind, unpacking)):
        try:
            codes.add(found.code if isinstance(found, Finding) else f"{len(read(found.source))} bytes")
        except DamagedMember:
            codes.add("zip-damaged")  # as ingest.examine has it
    return codes


SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize(
    ("kind", "headers", "behind", "codes"),
    [
        (tarfile.XHDTYPE, {"size": "600"}, bytes(600), {"600 bytes"}),
        (tarfile.XHDTYPE, {"size": "-5"}, b"", {"tar-damaged"}),
        (tarfile.XGLTYPE, {"size": "100"}, b"", {"tar-damaged"}),  # tarfile gives the size, and does not go by it
        (tarfile.XHDTYPE, {"GNU.sparse.realsize": "100"}, b"", {"tar-damaged"}),  # a sparse file's, without a map
        (tarfile.XHDTYPE, SPARSE, b"9999999999\n" + b"0\n" * 4_000_000, {"tar-damaged"}),  # a map without end
        (tarfile.XHDTYPE, {"mtime": "1e999999"}, b"", {"0 bytes", "time-invalid"}),
        (tarfile.XHDTYPE, {"mtime": "9" * 5_000}, b"", {"0 bytes", "time-invalid"}),
    ],
)
def test_a_tars_extended_headers(
    tmp_path: Path, kind: bytes, headers: dict[str, str], behind: bytes, codes: set[str], in_place: bool
) -> None:
    """What they say of a member is what it is, or it is not taken; and they take no memory without end."""
    header = tarfile.TarInfo._create_pax_generic_header(headers, kind, "utf-8")  # type: ignore[attr-defined]
    data = header + tarfile.TarInfo("a").tobuf() + behind + bytes(-len(behind) % 512)
    (tmp_path / "a.tar").write_bytes(data + bytes(1024))
    assert told(tmp_path / "a.tar", "tar", tmp_path / "scratch", in_place) == codes


def test_a_tar_with_something_that_has_no_end_is_cut(tmp_path: Path) -> None:
    """What is no file counts for nothing, and tarfile goes on to where it ends."""
    header = tarfile.TarInfo("a")
    header.type, header.size = b"Z", 1 << 60  # no type that anybody knows (POSIX pax, "typeflag")
    (tmp_path / "a.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT))
    assert "tar-damaged" in told(tmp_path / "a.tar", "tar", tmp_path / "scratch", True)


def test_a_member_that_is_not_packed_is_looked_into_where_it_lies(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"a": CONTENTS[3]}, zipfile.ZIP_STORED).read_bytes()
    with tarfile.open(tmp_path / "a.tar", "w") as made:
        made.add(tmp_path / "inner.zip", "inner.zip")
    [item] = listed(tmp_path / "a.tar", "tar", tmp_path / "scratch")
    assert isinstance(item, Item)
    with open_seekable(item.source) as stream, zipfile.ZipFile(stream) as archive:
        assert archive.read("a") == CONTENTS[3]
        assert (stream.seek(-9, io.SEEK_END), stream.read(), stream.read()) == (len(inner) - 9, inner[-9:], b"")
        with pytest.raises(OSError, match="Invalid argument"):
            stream.seek(-1 - len(inner), io.SEEK_END)


@pytest.mark.parametrize("method", METHODS)
def test_a_large_member_is_looked_at_before_an_ingest(
    tmp_path: Path, method: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In full it would take longer than anybody waits."""
    monkeypatch.setattr(glance, "LARGEST", 1 << 18)
    content = b"%PDF-1.4\n" + bytes(1 << 18) + b"%%EOF\n"
    [item] = listed(zipped(tmp_path / "a.zip", {"a.pdf": content}, method), "zip", tmp_path / "scratch")
    assert isinstance(item, Item)
    with closing(Worklist()) as worklist:
        worklist.add(item)
        [(_, look, _)] = glance.looks(worklist, fido_identifier, lambda: 0.0, 1.0)
    assert isinstance(look, Identification)
    assert look.mime == "application/pdf"


@pytest.mark.parametrize("field", [18, 20, 24])
def test_a_directory_that_contradicts_itself_is_a_finding(tmp_path: Path, field: int) -> None:
    """Its packed size, or its size; or the name that the member's own header has."""
    path = zipped(tmp_path / "a.zip", {"abc": b"x" * 100}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    if field == 18:
        data[30:33] = b"abd"
    else:
        struct.pack_into("<I", data, entry + field, 1 << 20)
    path.write_bytes(data)
    [finding] = listed(path, "zip", tmp_path / "scratch")
    assert isinstance(finding, Finding)
    assert finding.code == "zip-damaged"
