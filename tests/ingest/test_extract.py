"""Archives inside a delivery: a representation beside them, to the depth and within the limits of the policy."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import py7zr
import pytest

from ingest import unpack
from repository import Repository
from storage.progress import Progress
from tests.conftest import Answer, Corpus, Tianyi, tree_of
from tests.servers.clamd import INFECTED, Running

EXTRACTED = "data/representations/extracted/data/"
Ingest = Callable[..., Answer]


def zipped(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return whole.getvalue()


def tarred(files: dict[str, bytes], how: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode=f"w:{how}") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return whole.getvalue()


def seven(files: dict[str, bytes], password: str | None = None) -> bytes:
    whole = io.BytesIO()
    with py7zr.SevenZipFile(whole, "w", password=password) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return whole.getvalue()


INSIDE = {"a.txt": b"text\n", "sub/b.txt": b"more\n"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


@pytest.fixture
def ingest(tianyi: Tianyi, repository: Path, source: Path) -> Ingest:
    """`ingest({name: bytes}, depth=1)` takes in a folder of these files."""

    def call(files: dict[str, bytes], depth: int = 1, limits: str = "") -> Answer:
        (repository / "policies" / "ingest.yaml").write_text(f"extract: {{depth: {depth}}}\n{limits}")
        for name, data in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
        return tianyi("ingest", source, at=repository)

    return call


def extracted(tianyi: Tianyi, repository: Path, answer: Answer) -> dict[str, dict[str, Any]]:
    rows = tianyi("files", answer.said["aip"], at=repository).rows
    return {row["path"].removeprefix(EXTRACTED): row for row in rows if row["path"].startswith(EXTRACTED)}


def left(answer: Answer) -> dict[str, str]:
    found = answer.said["findings"]
    return {one["path"]: one["message"] for one in found if one["code"] == "archive-not-extracted"}


def test_every_kind_gets_its_folder(tianyi: Tianyi, repository: Path, source: Path, ingest: Ingest) -> None:
    packed = {
        "x.zip": zipped(INSIDE), "below/x.tar": tarred(INSIDE, ""), "x.tar.gz": tarred(INSIDE, "gz"),
        "x.7z": seven(INSIDE), "nameless": tarred(INSIDE, "xz"),
    }  # fmt: skip
    others = {
        "single.gz": gzip.compress(b"alone"),
        "a.jar": zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n"}),
    }
    answer = ingest({**packed, **others})
    assert (answer.code, answer.said["files"], left(answer)) == (0, len(packed) + len(others), {})
    found = extracted(tianyi, repository, answer)
    assert found.keys() == {f"{archive}/{name}" for archive in packed for name in INSIDE}
    for path, row in found.items():
        archive = next(name for name in packed if path.startswith(f"{name}/"))
        assert row["derived_from"] == f"data/representations/original/data/{archive}"
        assert (row["original_name"], row["puids"][:1]) == (path, ["x-fmt/111"])
    events = tianyi("events", answer.said["aip"], at=repository).rows
    [event] = [one for one in events if one["type"] == "unpacking"]
    assert "10 files" in event["detail"]["note"]
    audited = tianyi("audit", at=repository).said
    assert (audited["intact"], audited["extra"]) == (audited["checked"], 0)
    folder = source.parent / "out"
    assert tianyi("export", answer.said["aip"], folder, "--as", "folder", at=repository).code == 0
    assert tree_of(folder) == tree_of(source)
    assert tianyi("export", answer.said["aip"], source.parent / "bag", at=repository).code == 0
    assert (source.parent / "bag" / EXTRACTED / "x.7z" / "sub" / "b.txt").read_bytes() == b"more\n"
    assert tianyi("validate", source.parent / "bag").code == 0
    for form in ("rocrate", "ocfl"):
        assert tianyi("export", answer.said["aip"], source.parent / form, "--as", form, at=repository).code == 0


def test_by_default_nothing_is_unpacked(tianyi: Tianyi, repository: Path, ingest: Ingest) -> None:
    assert extracted(tianyi, repository, ingest({"x.zip": zipped(INSIDE)}, depth=0)) == {}


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (1, {"a.zip/b.tar.gz", "a.zip/plain.txt"}),
        (2, {"a.zip/b.tar.gz/c.7z", "a.zip/plain.txt"}),
        (3, {"a.zip/b.tar.gz/c.7z/a.txt", "a.zip/b.tar.gz/c.7z/sub/b.txt", "a.zip/plain.txt"}),
    ],
)
def test_so_deep_as_the_policy_says(
    tianyi: Tianyi, repository: Path, ingest: Ingest, depth: int, expected: set[str]
) -> None:
    whole = zipped({"b.tar.gz": tarred({"c.7z": seven(INSIDE)}, "gz"), "plain.txt": b"plain\n"})
    found = extracted(tianyi, repository, ingest({"a.zip": whole}, depth))
    assert found.keys() == expected
    assert {row["derived_from"] for row in found.values()} == {"data/representations/original/data/a.zip"}
    audited = tianyi("audit", at=repository).said
    assert (audited["intact"], audited["extra"]) == (audited["checked"], 0)  # nothing is stored that the tree has not


def test_what_cannot_be_unpacked_stays_a_file(tianyi: Tianyi, repository: Path, ingest: Ingest) -> None:
    inner = zipped({"locked.7z": seven(INSIDE, "secret"), "b.txt": b"b\n"})
    answer = ingest({"locked.7z": seven(INSIDE, "secret"), "cut.zip": zipped(INSIDE)[:-30], "outer.zip": inner}, 2)
    assert answer.code == 0
    told = left(answer)
    assert set(told) == {"locked.7z", "cut.zip", "outer.zip/locked.7z"}
    assert "7z-encrypted" in told["locked.7z"]
    assert "7z-encrypted" in told["outer.zip/locked.7z"]
    assert "zip-damaged" in told["cut.zip"]
    assert extracted(tianyi, repository, answer).keys() == {"outer.zip/locked.7z", "outer.zip/b.txt"}


def test_a_policy_can_hold_for_it(ingest: Ingest) -> None:
    answer = ingest({"cut.zip": b"PK\x03\x04"}, 1, "findings: {codes: {archive-not-extracted: hold}}\n")
    assert (answer.code, answer.said["outcome"]) == (6, "held")


def test_hostile_archives_inside_touch_nothing(
    tianyi: Tianyi, repository: Path, corpus: Corpus, source: Path, ingest: Ingest
) -> None:
    cases = corpus("zipslip") / "cases"
    hostile = {str(path.relative_to(cases)): path.read_bytes() for path in cases.rglob("*") if path.is_file()}
    around = sorted(source.parent.iterdir())
    answer = ingest({"outer.zip": zipped(hostile), "slip.zip": next(iter(hostile.values()))}, 2)
    assert answer.code == 0
    assert not Path("/tmp/PWNED.txt").exists()
    assert sorted(source.parent.iterdir()) == around
    found = extracted(tianyi, repository, answer)
    assert found.keys() == {f"outer.zip/{name}" for name in hostile}  # every one of them is still a file
    assert len(left(answer)) > len(hostile) / 2


def bombs(levels: int, each: int, core: bytes) -> bytes:
    """Zips in zips, `each` of them on every level, as 42.zip is made."""
    whole = zipped({"core": core})
    for _ in range(levels):
        whole = zipped({f"{number}.zip": whole for number in range(each)})
    return whole


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ratios count from 1 MiB on."""
    monkeypatch.setattr(unpack, "SMALL", 1 << 20)
    monkeypatch.setattr("ingest.extracting.SMALL", 1 << 20)
    return


def unpacked(tianyi: Tianyi, repository: Path, answer: Answer) -> int:
    return sum(row["size"] for row in extracted(tianyi, repository, answer).values())


@pytest.mark.usefixtures("small")
def test_nested_bombs_do_not_multiply(tianyi: Tianyi, repository: Path, ingest: Ingest) -> None:
    bomb = bombs(2, 8, bytes(1 << 20))  # 64 MiB by three levels, of some kilobytes
    answer = ingest({"bomb.zip": bomb}, 5, "limits: {container: {ratio: 100}}\n")
    assert (answer.code, len(left(answer)) > 0) == (0, True)
    assert unpacked(tianyi, repository, answer) <= max(1 << 20, 100 * len(bomb))
    several = {f"{number}.zip": bombs(1, 4, bytes(1 << 18)) for number in range(8)}  # each is within it by itself
    answer = ingest(several, 5, "limits: {container: {ratio: 100}}\n")
    assert "limits on what is unpacked of one delivery" in " ".join(left(answer).values())


@pytest.mark.parametrize("limit", ["files: 10", "container: {files: 7}", "bytes: BYTES", "container: {bytes: 700}"])
def test_limits_count_all_archives_together(tianyi: Tianyi, repository: Path, ingest: Ingest, limit: str) -> None:
    inside = {f"{number}.txt": os.urandom(100) for number in range(3)}
    given = {f"{name}.zip": zipped(inside) for name in "abcd"}  # 300 bytes come out of each
    limit = limit.replace("BYTES", str(sum(map(len, given.values())) + 700))
    answer = ingest(given, 1, f"limits: {{{limit}}}\n")
    assert (answer.code, sorted(left(answer))) == (0, ["c.zip", "d.zip"])
    found = extracted(tianyi, repository, answer)
    assert found.keys() == {f"{archive}.zip/{name}" for archive in "ab" for name in inside}


class Stops(Progress):
    """As if somebody had pressed Ctrl-C when the delivered files are done: before what came out of them is."""

    def begin(self, what: str, files: int, size: int) -> None: ...
    def advance(self, files: int, size: int) -> None: ...

    def end(self) -> None:
        raise KeyboardInterrupt


def test_gone_on_with_it_is_the_same(tianyi: Tianyi, repository: Path, source: Path, ingest: Ingest) -> None:
    whole = extracted(tianyi, repository, ingest({"x.zip": zipped(INSIDE), "y.tar": tarred(INSIDE, "")}))
    with Repository.open(repository, progress=Stops()) as opened, pytest.raises(KeyboardInterrupt):
        opened.ingest(source)
    resumed = tianyi("ingest", "--resume", at=repository)
    assert (resumed.code, resumed.said["extracted"]) == (0, 4)
    assert extracted(tianyi, repository, resumed) == whole


def test_of_a_bag_and_of_an_archive(tianyi: Tianyi, repository: Path, tmp_path: Path, ingest: Ingest) -> None:
    first = ingest({"x.zip": zipped(INSIDE)})
    bag = tmp_path / "bag"
    assert tianyi("export", first.said["aip"], bag, at=repository).code == 0
    again = tianyi("ingest", bag, at=repository)
    place = "representations/original/data/x.zip"
    found = extracted(tianyi, repository, again)
    assert {f"{place}/{name}" for name in INSIDE} == found.keys()
    assert {row["derived_from"] for row in found.values()} == {f"data/representations/original/data/{place}"}
    (tmp_path / "box.zip").write_bytes(zipped({"in/x.zip": zipped(INSIDE), "in/y.txt": b"y"}))
    boxed = tianyi("ingest", tmp_path / "box.zip", at=repository)
    assert extracted(tianyi, repository, boxed).keys() == {f"in/x.zip/{name}" for name in INSIDE}
    rebuilt = tianyi("list", at=repository).rows
    assert tianyi("rebuild", at=repository).code == 0
    assert tianyi("list", at=repository).rows == rebuilt
    with Repository.open(repository) as opened:
        assert all(not result.counts["missing"] for result in opened.audit())


def test_what_is_infected_is_not_unpacked(
    tianyi: Tianyi, repository: Path, clamd: Running, source: Path, ingest: Ingest
) -> None:
    with (repository / "tianyi.toml").open("a") as file:
        file.write(f'\n[scan]\nclamd = "{clamd.address}"\n')
    answer = ingest({"bad.zip": zipped({"bad.exe": INFECTED}), "good.zip": zipped(INSIDE)})
    assert (answer.code, answer.said["outcome"], left(answer).keys()) == (6, "held", {"bad.zip"})
    answer = tianyi("accept", answer.said["accession"], "--reason", "evidence", at=repository)
    assert extracted(tianyi, repository, answer).keys() == {f"good.zip/{name}" for name in INSIDE}
    commits = [row for row in tianyi("events", at=repository).rows if "scan" in row["detail"]]
    assert {row["detail"]["scan"] for row in commits} == {"fail"}


def test_format_tools_are_asked_of_what_came_out_and_a_dry_run_foretells_it(
    tianyi: Tianyi, repository: Path, source: Path
) -> None:
    (repository / "policies" / "ingest.yaml").write_text("examine: full\nextract: {depth: 1}\n")
    (source / "box.zip").write_bytes(zipped({"good.json": b"{}\n", "bad.json": b"{"}))
    told = tianyi("ingest", source, "--dry-run", at=repository).said
    assert "archives-inside" in [one["code"] for one in told["findings"]]
    done = tianyi("ingest", source, at=repository).said
    assert [(one["code"], one["path"]) for one in done["findings"] if one["code"] == "malformed"] == [
        ("malformed", "box.zip/bad.json")
    ]
    rows = tianyi("files", done["aip"], at=repository).rows
    assert {row["path"].rpartition("/")[2]: row["judged"] for row in rows} == {
        "box.zip": "well_formed", "good.json": "well_formed", "bad.json": "malformed",
    }  # fmt: skip
