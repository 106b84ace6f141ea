"""7z files: what is whole comes in byte for byte; what is hostile, cut or changed is told and costs nothing."""

from __future__ import annotations

import io
import random
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import py7zr
import pytest

from ingest import unpack_7z
from ingest.finding import Finding
from ingest.item import Item
from ingest.unpack import TooMuch, Unpacking
from ingest.unpack_7z import unpack
from policies.ingest import ContainerLimits
from storage.namemap import Kind

FILES = {f"folder/{number} 文.txt": f"file {number}\n".encode() * (number * 40) for number in range(12)}
COPY: list[dict[str, int]] = [{"id": py7zr.FILTER_COPY}]
UNIX = 0x8000  # the attribute that says that a Unix mode is above it


def packed(files: dict[str, bytes], **options: Any) -> bytes:
    target = io.BytesIO()
    with py7zr.SevenZipFile(target, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return target.getvalue()


def with_names(*names: str, attributes: int | None = None) -> bytes:
    """An archive whose members have names, and attributes, that py7zr would not write."""
    target = io.BytesIO()
    with py7zr.SevenZipFile(target, "w") as archive:
        for number in range(len(names)):
            archive.writestr(b"content", str(number))
        for entry, name in zip(archive.header.files_info.files, names, strict=True):
            entry["filename"] = name
            entry["attributes"] = entry["attributes"] if attributes is None else attributes
    return target.getvalue()


def taken(data: bytes, folder: Path, **limits: int) -> tuple[dict[str, bytes], list[Finding]]:
    """What is unpacked of a 7z's bytes, and what is found."""
    items, findings = listed(data, folder, **limits)
    return {item.name.decode(): Path(item.source.decode()).read_bytes() for item in items if item.source}, findings


def listed(data: bytes, folder: Path, **limits: int) -> tuple[list[Item], list[Finding]]:
    folder.mkdir()
    archive = folder.with_name(f"{folder.name}.7z")
    archive.write_bytes(data)
    allowed = ContainerLimits(**{"files": 100, "bytes": 10**7, "ratio": 1000, **limits})
    found = list(unpack(archive, Unpacking(folder, len(data), allowed, lambda name: None)))
    return [one for one in found if isinstance(one, Item)], [one for one in found if isinstance(one, Finding)]


@pytest.mark.parametrize("filters", [None, COPY, [{"id": py7zr.FILTER_ZSTD}], [{"id": py7zr.FILTER_BZIP2}]])
def test_a_whole_one(filters: list[dict[str, int]] | None, tmp_path: Path) -> None:
    assert taken(packed(FILES, filters=filters), tmp_path / "whole") == (FILES, [])


def test_folders_links_modes_and_times(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "empty").mkdir(parents=True)
    (source / "script").write_bytes(b"#!/bin/sh\n")
    (source / "script").chmod(0o750)
    (source / "nothing").touch()
    (source / "link").symlink_to("script")
    with py7zr.SevenZipFile(tmp_path / "made", "w") as archive:
        archive.writeall(source, "source")
    items, findings = listed((tmp_path / "made").read_bytes(), tmp_path / "out")
    found = {item.name: item for item in items}
    assert not findings
    kinds = {b"source": Kind.FOLDER, b"source/empty": Kind.FOLDER, b"source/script": Kind.FILE,
             b"source/nothing": Kind.FILE, b"source/link": Kind.LINK}  # fmt: skip
    assert {name: item.kind for name, item in found.items()} == kinds
    assert found[b"source/link"].target == b"script"
    assert found[b"source/script"].mode == 0o750
    written = (source / "script").stat().st_mtime_ns
    assert abs((found[b"source/script"].mtime or 0) - written) < 10_000  # py7zr wrote it by way of a floating number


def test_names_that_lead_out_are_refused_and_never_reach_a_disk(tmp_path: Path) -> None:
    names = ("../out", "/tmp/out", "..\\out", "C:\\out", "a/../../out", "right")
    items, findings = listed(with_names(*names), tmp_path / "in")
    assert [item.name for item in items] == [b"right"]
    assert {finding.code for finding in findings} == {"path-leaves-package"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "in.7z"]
    assert {path.name for path in (tmp_path / "in").iterdir()} == {"listing", *(f"{n:08d}" for n in range(6))}


def test_names_that_come_twice_stay_apart(tmp_path: Path) -> None:
    items, _ = listed(with_names("same", "same"), tmp_path / "in")
    assert [item.name for item in items] == [b"same", b"same"]
    assert items[0].source != items[1].source


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_what_has_no_content(kind: int, tmp_path: Path) -> None:
    items, [finding] = listed(with_names("device", attributes=UNIX | kind << 16), tmp_path / "in")
    assert (items, finding.code) == ([], "special-file")


def test_encrypted_ones(tmp_path: Path) -> None:
    for hidden in (False, True):
        data = packed(FILES, password="secret", header_encryption=hidden)
        items, [finding] = listed(data, tmp_path / str(hidden))
        assert (items, finding.code) == ([], "7z-encrypted")


@pytest.mark.parametrize("limits", [{"files": 11}, {"files": 2}, {"bytes": 10_000}])
def test_more_than_the_policy_allows_costs_no_disk(limits: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(TooMuch):
        listed(packed(FILES), tmp_path / "in", **limits)
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["listing"]


def test_a_bomb(tmp_path: Path) -> None:
    with pytest.raises(TooMuch, match="times its size"):
        listed(packed({"zeros": bytes(101 << 20)}), tmp_path / "in", bytes=10**9)
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["listing"]


def test_a_dictionary_that_needs_too_much_memory(tmp_path: Path) -> None:
    data = packed(FILES, filters=[{"id": py7zr.FILTER_LZMA2, "preset": 0}])
    with py7zr.SevenZipFile(io.BytesIO(data)) as archive:
        archive.header.main_streams.unpackinfo.folders[0].coders[0]["properties"] = b"\x28"  # 4 GiB
        header = io.BytesIO()
        archive.header.write(header, 0, encoded=False)
        body = data[archive.afterheader :][: archive.header.main_streams.packinfo.packpositions[-1]]
    items, [finding] = listed(_signed(body, header.getvalue()), tmp_path / "in")
    assert (items, finding.code) == ([], "7z-damaged")


def _signed(body: bytes, header: bytes) -> bytes:
    """A 7z of packed streams and a header (7zFormat.txt: SignatureHeader)."""
    place = len(body).to_bytes(8, "little") + len(header).to_bytes(8, "little") + crc32(header).to_bytes(4, "little")
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + crc32(place).to_bytes(4, "little") + place + body + header


def test_cut_or_changed_anywhere(tmp_path: Path) -> None:
    """Every byte but those of names, times and attributes is under a CRC: what comes in is what was packed."""
    whole, chance = packed(FILES), random.Random(7)
    for number in range(12):
        at = chance.randrange(len(whole))
        changed = whole[:at] if number % 2 else whole[:at] + bytes([whole[at] ^ 1 << number % 8]) + whole[at + 1 :]
        files, findings = taken(changed, tmp_path / str(number))
        assert findings or files == FILES, (number, at)


LINE = '{"kind": "file", "name": "a", "size": 1, "mode": null, "time": null}'
LISTINGS = {
    "none": "", "a folder": 'os.mkdir("listing")', "a pipe": 'os.mkfifo("listing")',
    "no end": 'os.symlink("/dev/zero", "listing")', "another's": 'os.symlink("/etc/passwd", "listing")',
    **{
        text: f'open("listing", "w").write({text!r})' for text in (
            "[]\n", "7\n", "{}\n", "[" * 100_000 + "\n", LINE.replace(': 1,', ': "1",'), LINE.replace(': 1,', ': -1,'),
            LINE.replace(': 1,', ': 1.5,'), LINE.replace('"a"', '"\\ud800"'), LINE.replace('"a"', "[]"),
            LINE.replace('"file"', '"disk"'), LINE.replace('"mode": null', f'"mode": {1 << 70}'),
            LINE.replace('"time": null', '"time": ' + "9" * 4_000), LINE + LINE, '{"name": "' + "a" * (2 << 20) + '"}',
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("harm", LISTINGS.values(), ids=[name[:40] for name in LISTINGS])
@pytest.mark.parametrize("verb", ["list", "unpack"])
def test_a_child_that_is_taken_over_has_listed_nothing(
    verb: str, harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, or when it unpacks."""
    tool = tmp_path / "tool.py"
    tool.write_text(
        "import os, sys\n"
        f"if sys.argv[1] == {verb!r}:\n"
        "    if os.path.exists('listing'):\n        os.unlink('listing')\n"
        f"    {harm or 'pass'}\n"
        "else:\n    open('listing', 'w')\n"
    )
    monkeypatch.setattr(unpack_7z, "TOOL", tool)
    items, [finding] = listed(b"", tmp_path / "in")
    assert (items, finding.code) == ([], "7z-damaged")


def test_through_the_command_line(tianyi: Callable[..., Any], repository: Path, tmp_path: Path) -> None:
    source = tmp_path / "accession.7z"
    source.write_bytes(packed(FILES))
    answer = tianyi("ingest", source, at=repository)
    assert (answer.code, answer.said["kind"], answer.said["files"]) == (0, "7z", 12)
    assert tianyi("export", answer.said["aip"], tmp_path / "out", "--as", "folder", at=repository).code == 0
    assert {name: (tmp_path / "out" / name).read_bytes() for name in FILES} == FILES
