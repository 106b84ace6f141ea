"""What lies in a zip beside its members is told, and what ordinary zips have between them is not."""

from __future__ import annotations

import base64
import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from ingest import unpack_zip
from ingest.finding import Finding
from ingest.unpack import Unpacking
from policies.ingest import ContainerLimits

LIMITS = ContainerLimits(files=1_000, bytes=1 << 40, ratio=1_000)


def zipped(*names: str, comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "" if name.endswith("/") else "text\n" * 100)
        archive.comment = comment
    return file.getvalue()


def told(path: Path) -> list[Finding]:
    (scratch := path.with_suffix(".out")).mkdir()
    unpacking = Unpacking(scratch, path.stat().st_size, LIMITS, lambda name: None, in_place=True)
    return [one for one in unpack_zip.unpack(path, unpacking) if isinstance(one, Finding)]


def codes(content: bytes, folder: Path) -> list[str]:
    (folder / "a.zip").write_bytes(content)
    return [finding.code for finding in told(folder / "a.zip")]


def moved(whole: bytes, extra: bytes, at: int) -> bytes:
    """The zip with something put in at a place before its second member or its directory, all offsets set right."""
    directory, end = whole.index(b"PK\x01\x02"), whole.rindex(b"PK\x05\x06")
    changed = bytearray(whole)
    entry = directory
    while entry < end:
        name, more, comment = struct.unpack_from("<3H", whole, entry + 28)
        if (offset := struct.unpack_from("<I", whole, entry + 42)[0]) >= at:
            struct.pack_into("<I", changed, entry + 42, offset + len(extra))
        entry += 46 + name + more + comment
    struct.pack_into("<I", changed, end + 16, directory + len(extra))
    return bytes(changed[:at] + extra + changed[at:])


TWO = zipped("a", "b")
SECOND, DIRECTORY = TWO.index(b"PK\x03\x04", 4), TWO.index(b"PK\x01\x02")
UNLISTED = TWO[SECOND:DIRECTORY]  # a member, with its header
HIDING = {
    "joined": zipped("a", "b") + zipped("c"),
    "before": b"#!/bin/sh\n" + TWO,
    "before, offsets right": moved(TWO, b"#!/bin/sh\n", 0),
    "unlisted between": moved(TWO, UNLISTED, SECOND),
    "unlisted at the end": moved(TWO, UNLISTED, DIRECTORY),
    "behind": TWO + b"and more",
    "behind a comment": zipped("a", comment=b"c") + b"and more",
    "behind padding": TWO + bytes(4096) + b"x",
    "beside a folder": moved(zipped("a/"), b"x", zipped("a/").index(b"PK\x01\x02")),
    "none listed": b"text" + zipped(),
}
PLAIN = {
    "two": TWO,
    "empty": zipped(),
    "with a folder": zipped("a/", "a/b"),
    "padded before": moved(TWO, bytes(100), 0),
    "padded between": moved(TWO, bytes(3), SECOND),
    "padded before its directory": moved(TWO, bytes(70_000), DIRECTORY),
    "padded behind": TWO + bytes(4096),
    "to be split": moved(TWO, b"PK00", 0),
}


@pytest.mark.parametrize("content", HIDING.values(), ids=HIDING.keys())
def test_what_no_member_is_is_told(tmp_path: Path, content: bytes) -> None:
    assert "zip-more" in codes(content, tmp_path)


@pytest.mark.parametrize("content", PLAIN.values(), ids=PLAIN.keys())
def test_padding_is_nothing(tmp_path: Path, content: bytes) -> None:
    assert codes(content, tmp_path) == []


class Unseekable(io.RawIOBase):
    """A pipe, as it were."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self.content += data
        return len(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("large", [True, False])
@pytest.mark.parametrize("signed", [True, False])
def test_data_descriptors_are_known(tmp_path: Path, method: int, large: bool, signed: bool) -> None:
    """With four and eight bytes a size, with a signature and, as old writers have it, without (APPNOTE §4.3.9)."""
    pipe = Unseekable()
    with zipfile.ZipFile(pipe, "w", method) as archive, archive.open("a", "w", force_zip64=large) as member:
        member.write(b"text\n" * 100)
    content = pipe.content
    if not signed:
        at = content.index(b"PK\x07\x08")
        content = content[:at] + content[at + 4 :]
        content = content[:-6] + struct.pack("<IH", content.index(b"PK\x01\x02"), 0)
    assert codes(content, tmp_path) == []


#: Made by Info-ZIP 3.0 from a pipe, a folder and a link: `zip -q a.zip - && zip -qry a.zip d && zip -qA a.zip`.
INFO_ZIP = (
    "P)h>@EdT%j007YweqG0>i#z}S|NsC0|Nj916aXy&01yBK0000000004000000001VWq5Q@O9KQ7000000MQeET>t<8000000000000ICU0Aw#!"
    "R0#kB%HIrY%HIrYb$AN^0R#X5000C40000`O9KQ7000000MQeEU4s_fi~#@u0096100RIV0Aw$0Ra6N81IphFYs%jYYjt=F009I50000400000"
    "cu-3L0v-b`000000MQeEUB{=3I|Kj#00aO40096100000009610Duty0000jP)h*<9s>#h00000(Gz}M0000000000000000st5Q00000000mG"
    "?LjvH003k!Ra6B41IphFYjt=F009I50000400000P)h*<9s>#h00000(Gz}MgBIM30RR910RR910{|ER0000000000|DkgL003k!Y*kbR00YY3"
    "3~P0G3jhHG000001ONa408mQ>1^@s600RI60KfnM0I>i70000"
)

#: Made by OpenJDK 17: `jar cf a.zip d`.
JAR = (
    "P)h>@6aWYa2msL&eq8_n0000000000000R91OQD%R6#9CPDU^O$^ZZZ08mQ@2mk;800IC20000008mQ<1QY-W2nYbt6MkI)00000000000000K"
    "0000@MN~m8Nlr#DO+ijcMnzLpE=@-BP0Y(oOD!(Z4NEO5&dkrVQZUpr;N@~IN=+<DP0@9#1PYkz8R!|BDrmT*CS@k(Y4URMasdEPO9u!Yv$L5v"
    "0000t0000`O9KQ7000O80MQeET>t<8000000000000IC20Aw#vO9KQH00;;O0MQeET>t<8000000000000RI30Aw#_D@m;=;Q|0qO9u!i+Uz$6"
    "000050000`O928D02BZS2nYbt6MkI)00002000000000900aO400000000000000008K?yK`lv6Mlb%#002-+0Rj{N6aWYa2msL&eq9~2vza&m"
    "001`t000yK000000000000000JpcdzO+{2eElEyBFHJ#CNk&CeR4z?MP)h*<3IGZK00;m8(Gz}M0000000000000000ssI20000000000006fD"
    "003k!P)h*<6aW+e2nYxO(Gz}MC)(^c2LJ#71poj50{{R30000000000007qj003k!W>8B71^@s600aO80Nwxq01p8G0000"
)


@pytest.mark.parametrize("made", [INFO_ZIP, JAR])
def test_what_others_write(tmp_path: Path, made: str) -> None:
    (tmp_path / "a.zip").write_bytes(base64.b85decode(made))
    assert told(tmp_path / "a.zip") == []


def test_a_large_directory(tmp_path: Path) -> None:
    """One with the records of zip64."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3):
            with archive.open(f"{number}", "w", force_zip64=True) as member:
                member.write(b"text")
    data = path.read_bytes()
    start, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    record = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, end - start, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    closing = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(data[:end] + record + locator + closing)
    assert told(path) == []


def test_a_comment_is_kept_by_being_told(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped("a", comment=b"Box 7, \x1b[1mshelf"))
    [found] = told(tmp_path / "a.zip")
    assert (found.code, found.severity) == ("zip-comment", "info")
    assert "Box 7, " in found.message
    assert "\x1b" not in found.message


@pytest.mark.parametrize("kind", [stat.S_IFBLK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_special_files_are_none(tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("a")
    entry.external_attr = (kind | 0o666) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "")
    assert [finding.code for finding in told(tmp_path / "a.zip")] == ["special-file"]
