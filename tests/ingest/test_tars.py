"""A tar that was cut or changed on its way is never taken for whole: the findings tell, or nothing was lost."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.finding import Finding
from ingest.item import Item
from ingest.unpack import TooMuch, Unpacking
from ingest.unpack_tar import unpack
from policies.ingest import ContainerLimits

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FILES = {f"folder/{number}.txt": f"file {number}\n".encode() * (number * 40) for number in range(12)}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": lambda data: gzip.compress(data, 0, mtime=0),  # not compressed: a flipped bit stays one flipped bit
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}


def plain() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


def taken(data: bytes, folder: Path) -> tuple[dict[str, bytes], list[Finding]]:
    """What is unpacked of a tar's bytes, and what is found."""
    folder.mkdir()
    archive = folder / "archive"
    archive.write_bytes(data)
    limits = ContainerLimits(files=100, bytes=10**7, ratio=1000)
    found = list(unpack(archive, Unpacking(folder, len(data), limits, lambda name: None)))
    items = [item for item in found if isinstance(item, Item)]
    files = {item.name.decode(): Path(item.source.decode()).read_bytes() for item in items if item.source}
    return files, [finding for finding in found if isinstance(finding, Finding)]


@pytest.mark.parametrize("form", PACKED)
def test_a_whole_one(form: str, tmp_path: Path) -> None:
    assert taken(PACKED[form](plain()), tmp_path / "whole") == (FILES, [])


@pytest.mark.parametrize("form", PACKED)
def test_cut_anywhere(form: str, tmp_path: Path) -> None:
    whole = PACKED[form](plain())
    for number, end in enumerate([*range(0, len(whole), len(whole) // 60), 512, 1024, len(whole) - 1]):
        files, findings = taken(whole[:end], tmp_path / str(number))
        assert findings or files == FILES, end


@pytest.mark.parametrize("form", PACKED)
def test_a_flipped_bit_anywhere(form: str, tmp_path: Path) -> None:
    """Plain tar has digests of headers alone: content is the producer's manifest's to check."""
    whole = PACKED[form](plain())
    for number, at in enumerate(range(0, len(whole), len(whole) // 80)):
        files, findings = taken(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :], tmp_path / str(number))
        assert findings or files == FILES or (form == "tar" and files.keys() == FILES.keys()), at


def test_without_its_end_marker(tmp_path: Path) -> None:
    whole = plain()
    files, findings = taken(whole[: len(whole.rstrip(b"\0")) // 512 * 512 + 512], tmp_path / "cut")
    assert (files, [finding.code for finding in findings]) == (FILES, ["tar-cut"])


@pytest.mark.parametrize("form", PACKED)
def test_two_that_were_joined(form: str, tmp_path: Path) -> None:
    """Readers stop at the end of the first (GNU tar, too, without --ignore-zeros); padding of any length is none."""
    whole = plain()
    for number, (behind, codes) in enumerate(
        [(whole, ["tar-more"]), (bytes(70_000) + whole, ["tar-more"]), (b"x", ["tar-more"]), (bytes(100_000), [])]
    ):
        files, findings = taken(PACKED[form](whole + behind), tmp_path / str(number))
        assert (files, [finding.code for finding in findings]) == (FILES, codes)


def test_more_after_its_end_than_the_policy_allows(tmp_path: Path) -> None:
    with pytest.raises(TooMuch):
        taken(gzip.compress(plain() + bytes(11_000_000)), tmp_path / "bomb")


def test_several_streams_after_one_another(tmp_path: Path) -> None:
    """As parallel compressors write them; xz may pad its streams with zeros (xz file format 1.1 §2.2)."""
    whole = plain()
    for form, between in (("tar.gz", b""), ("tar.bz2", b""), ("tar.xz", b""), ("tar.xz", bytes(8)), ("tar.zst", b"")):
        data = PACKED[form](whole[:1000]) + between + PACKED[form](whole[1000:]) + between
        assert taken(data, tmp_path / f"{form}{len(between)}") == (FILES, [])


def test_a_dictionary_that_needs_too_much_memory(tmp_path: Path) -> None:
    """A few bytes of a header may ask for gigabytes."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 4096}]
    greedy = bytearray(lzma.compress(plain(), check=lzma.CHECK_NONE, filters=filters))
    greedy[16] = 40  # the dictionary's size: 4 GiB (xz file format 1.1 §5.3.1)
    greedy[20:24] = zlib.crc32(greedy[12:20]).to_bytes(4, "little")
    files, [finding] = taken(bytes(greedy), tmp_path / "xz")
    assert (files, finding.code) == ({}, "tar-damaged")
    frame = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 28})
    wide = frame.compress(plain()) + frame.flush()
    files, [finding] = taken(wide, tmp_path / "zst")
    assert (files, finding.code) == ({}, "tar-damaged")


def test_headers_count_as_what_was_unpacked(tmp_path: Path) -> None:
    """Global headers hold nothing of a file, and each is remembered."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for number in range(30):
            target.write(tarfile.TarInfo.create_pax_global_header({f"comment{number}": "x" * 500_000}))
            member = tarfile.TarInfo(str(number))
            archive.fileobj.write(member.tobuf())
    with pytest.raises(TooMuch):
        taken(gzip.compress(target.getvalue()), tmp_path / "headers")


def test_sparse_files_count_as_what_they_unpack_to(tmp_path: Path) -> None:
    """A map of ten bytes of data in four million (GNU tar manual, "PAX Format, Version 1.0"), four times."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for number in range(4):
            data = b"1\n0\n10\n".ljust(512, b"\0") + b"0123456789"
            member = tarfile.TarInfo(str(number))
            member.size = len(data)
            member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "4000000"}
            archive.addfile(member, io.BytesIO(data))
    with pytest.raises(TooMuch):
        taken(target.getvalue(), tmp_path / "sparse")


def timed(mtime: float | str, form: int) -> bytes:
    """A tar with a file, a link and a folder of that time; text is for a pax header as it stands."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for name, kind in (("file", tarfile.REGTYPE), ("link", tarfile.SYMTYPE), ("folder", tarfile.DIRTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "file" if kind == tarfile.SYMTYPE else ""
            if isinstance(mtime, str):
                member.pax_headers = {"mtime": mtime}
            else:
                member.mtime = mtime
            archive.addfile(member)
    return target.getvalue()


def times(data: bytes, folder: Path) -> tuple[dict[bytes, int | None], list[tuple[str, str, str]]]:
    folder.mkdir()
    (archive := folder / "archive").write_bytes(data)
    limits = ContainerLimits(files=100, bytes=10**7, ratio=1000)
    found = [*unpack(archive, Unpacking(folder, len(data), limits, lambda name: None))]
    findings = [(one.code, one.severity.value, one.path) for one in found if isinstance(one, Finding)]
    return {one.name: one.mtime for one in found if isinstance(one, Item)}, findings


@pytest.mark.parametrize(
    ("mtime", "form", "kept"),
    [
        (-1, tarfile.GNU_FORMAT, -(10**9)),  # base-256: 1969-12-31T23:59:59Z
        (-(1 << 62), tarfile.GNU_FORMAT, -(1 << 62) * 10**9),
        ("-1.25", tarfile.PAX_FORMAT, -1_250_000_000),
        (str((1 << 63) - 1), tarfile.PAX_FORMAT, ((1 << 63) - 1) * 10**9),
    ],
)
def test_a_time_before_1970_or_far_away_is_kept(tmp_path: Path, mtime: int | str, form: int, kept: int) -> None:
    found, findings = times(timed(mtime, form), tmp_path / "tar")
    assert (found, findings) == (dict.fromkeys((b"file", b"link", b"folder"), kept), [])


@pytest.mark.parametrize(
    ("mtime", "form"),
    [
        *((text, tarfile.PAX_FORMAT) for text in ("1e400", "9" * 5_000, "-" + "9" * 5_000, "nan", "inf", "soon")),
        *((number, tarfile.GNU_FORMAT) for number in (-(1 << 80), 1 << 80)),
    ],
)
def test_a_time_that_cannot_be_kept_is_told(tmp_path: Path, mtime: int | str, form: int) -> None:
    found, findings = times(timed(mtime, form), tmp_path / "tar")
    assert found == dict.fromkeys((b"file", b"link", b"folder"), None)
    assert findings == [("time-invalid", "warning", name) for name in ("file", "link", "folder")]
