"""What zips pack by other methods than Deflate: the same bytes, and never more in memory than were asked for."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ingest import unpack_zip
from ingest.finding import Finding
from ingest.identify import Sample
from ingest.sample import LOOK, ContainerError, members
from ingest.unpack import TooMuch, Unpacking
from policies.ingest import ContainerLimits
from storage.namemap import Kind

METHODS = [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
LIMITS = ContainerLimits(files=1_000, bytes=1 << 40, ratio=1_000)
ROOM = 64 << 20  # bytes that a child may take besides
CONTENTS = [b"", b"a", bytes(3 << 20), random.Random(1561).randbytes(300_000), b"line\n" * 500_000]
CHILD = f"""
import re, resource, sys
from pathlib import Path
from tests.ingest.test_zip_methods import codes, looked
status = Path("/proc/self/status").read_text()
most = int(re.search(r"VmSize:\\s+(\\d+)", status)[1]) * 1024 + {ROOM}
resource.setrlimit(resource.RLIMIT_AS, (most, most))
print({{"codes": codes, "looked": looked}}[sys.argv[1]](Path(sys.argv[2])))
"""


def zipped(path: Path, method: int, contents: list[bytes]) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}", content)
    return path


def looked(path: Path) -> list[int]:
    content = path.read_bytes()
    sample = Sample(b"a.docx", len(content), content, content, lambda: io.BytesIO(content))
    return [len(data) for _, data in members(sample, "zip", ["0"])]


def codes(path: Path) -> list[str]:
    """What becomes of a zip's members, unpacked into a folder beside it."""
    (scratch := path.with_suffix(".out")).mkdir()
    try:
        unpacking = Unpacking(scratch, path.stat().st_size, LIMITS, lambda name: None)
        return [one.code if isinstance(one, Finding) else one.kind for one in unpack_zip.unpack(path, unpacking)]
    except TooMuch as beyond:
        return [beyond.finding.code]


@pytest.fixture(scope="module", params=METHODS)
def bomb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """112 MiB of nothing, more than the child may take."""
    return zipped(tmp_path_factory.mktemp("bomb") / "a.zip", request.param, [bytes(112 << 20)])


@pytest.mark.parametrize(("verb", "told"), [("looked", [LOOK]), ("codes", ["container-bomb"])])
def test_a_bomb_takes_no_more_memory_than_what_is_asked_for(bomb: Path, verb: str, told: list[object]) -> None:
    ran = subprocess.run([sys.executable, "-c", CHILD, verb, bomb], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == (f"{told}\n", "")


@pytest.mark.parametrize("method", METHODS)
def test_the_same_bytes_come_out(tmp_path: Path, method: int) -> None:
    path = zipped(tmp_path / "a.zip", method, CONTENTS)
    (tmp_path / "out").mkdir()
    unpacking = Unpacking(tmp_path / "out", 1 << 20, LIMITS, lambda name: None)
    found = [item for item in unpack_zip.unpack(path, unpacking) if not isinstance(item, Finding)]
    assert [Path(item.source.decode()).read_bytes() for item in found] == CONTENTS
    assert looked(path) == [0]


@pytest.mark.parametrize("method", METHODS)
def test_a_link(tmp_path: Path, method: int) -> None:
    entry = zipfile.ZipInfo("a")
    entry.external_attr, entry.compress_type = 0o120777 << 16, method
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, b"b" * 100)
    assert codes(tmp_path / "a.zip") == [Kind.LINK]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", ["header", "middle"])
def test_broken_bytes(tmp_path: Path, method: int, place: str) -> None:
    path = zipped(tmp_path / "a.zip", method, [CONTENTS[3]])
    data = bytearray(path.read_bytes())
    at = {"header": data.index(b"0", 30) + 1, "middle": len(data) // 2}[place]
    data[at : at + 9] = b"\xff" * 9
    path.write_bytes(data)
    assert codes(path) == ["zip-damaged"]
    with pytest.raises(ContainerError):
        looked(path)


def test_a_method_that_nobody_reads(tmp_path: Path) -> None:
    data = zipped(tmp_path / "a.zip", zipfile.ZIP_BZIP2, [b"x"]).read_bytes()
    for place in (8, data.rindex(b"PK\x01\x02") + 10):
        data = data[:place] + b"\x62\0" + data[place + 2 :]  # PPMd (APPNOTE §4.4.5)
    (tmp_path / "a.zip").write_bytes(data)
    assert codes(tmp_path / "a.zip") == ["zip-damaged"]
    with pytest.raises(ContainerError):
        looked(tmp_path / "a.zip")
