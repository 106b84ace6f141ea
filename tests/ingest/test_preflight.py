"""Preflight: what it says comes true, it keeps nothing, and its time is bounded."""

from __future__ import annotations

import hashlib
import itertools
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import preflight as module
from ingest.delivery import Delivery
from ingest.pace import SMALL, Pace
from ingest.preflight import Lens, Preflight, preflight
from policies import document
from storage.digest import Digest, sha256
from tests.conftest import Tianyi, tree_of
from tests.crash.quick import Plain

Look = Callable[..., Preflight]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """`look(path)`, each reading of whose clock is a second later."""
    scratch = (tmp_path / f"scratch-{n}" for n in itertools.count())

    def one(path: Path, *, patience: float = 1e9, held: frozenset[Digest] = frozenset()) -> Preflight:
        seconds = itertools.count()
        (folder := next(scratch)).mkdir()
        lens = Lens(
            policies=document.load(None), identifier=Plain, held=held.__contains__, clock=lambda: next(seconds),
            scratch=folder, patience=patience,
        )  # fmt: skip
        return preflight(Delivery(path=path), lens)

    return one


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twenty files, two of them alike; names that trouble."""
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(18):
        (folder / f"{number}.bmp").write_bytes(b"BM%d" % number)
    for name in ("CON", "ends with a blank "):
        (folder / name).write_bytes(b"alike")
    return folder


def test_it_tells_of_formats_risks_names_and_what_comes_twice(look: Look, source: Path) -> None:
    seen = look(source, held=frozenset({sha256(b"BM7")}))
    assert (seen.kind, seen.whole, seen.files, seen.looked_at) == ("folder", True, 20, 20)
    assert (seen.repeated, seen.repeated_bytes, seen.new_bytes) == (2, 3 + 5, seen.size - 8)
    assert [(one.puid, one.files, one.risk, one.planned) for one in seen.formats] == [
        ("fmt/116", 18, "moderate", "preservation"),
        ("", 2, "unknown", ""),
    ]
    assert [one.is_risky for one in seen.formats] == [True, True]
    assert {code: count for _, code, count in seen.codes} == {"format-unknown": 2, "name-troublesome": 2}
    assert (seen.outcome, seen.unpacked) == ("accept", 0)


def test_when_the_time_is_up_it_says_how_many_it_looked_at(look: Look, source: Path) -> None:
    seen = look(source, patience=15)
    assert (seen.files, 0 < seen.looked_at < 20) == (20, True)
    assert seen.seconds == 20  # a second each, by this clock
    assert {one.puid for one in seen.formats} <= {"fmt/116", ""}
    nothing = look(source, patience=-1)
    assert (nothing.looked_at, nothing.seconds, nothing.formats) == (0, None, [])


def test_an_archive_is_unpacked_as_far_as_it_may(
    look: Look, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for path in sorted(source.iterdir()):
            archive.add(path, path.name)
    whole = look(tmp_path / "a.tar.gz")
    assert (whole.kind, whole.whole, whole.files, whole.unpacked) == ("tar", True, 20, whole.size)
    monkeypatch.setattr(module, "PEEK", 10 << 10)
    part = look(tmp_path / "a.tar.gz")
    assert (part.kind, part.whole, 0 < part.files < 20) == ("tar", False, True)
    assert "archive-in-part" in {code for _, code, _ in part.codes}
    assert part.outcome == "accept"  # that it was looked at in part is no fault of its own


def test_members_that_can_be_read_where_they_lie_need_no_room(look: Look, source: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.iterdir()):
            archive.write(path, path.name)
    seen = look(tmp_path / "a.zip")
    assert (seen.kind, seen.whole, seen.files, seen.unpacked, seen.looked_at) == ("zip", True, 20, 0, 20)


def test_the_pace_tells_small_files_from_large_ones() -> None:
    pace = Pace()
    assert (pace.expected(0, 0), pace.expected(1, 0)) == (0, None)
    for _ in range(10):
        pace.saw(100, 0.5)
    assert pace.expected(100, 0) == 50
    assert pace.expected(100, SMALL) is None  # no large one was seen
    pace.saw(10 * SMALL, 10.5)
    assert pace.expected(1, 100 * SMALL) == 0.5 + 100


def test_it_keeps_nothing_and_comes_true(tianyi: Tianyi, repository: Path, source: Path) -> None:
    tianyi("ingest", source, at=repository)
    (source / "another").write_bytes(b"that is new")
    before = {path: tree_of(path) for path in (repository / "vault", repository.parent / "second", source)}
    told = tianyi("ingest", source, "--dry-run", at=repository)
    assert {path: tree_of(path) for path in before} == before
    assert list((repository / "work" / "staging").iterdir()) == []
    assert (told.code, told.said["dry_run"], told.said["outcome"], told.said["looked_at"]) == (0, True, "accept", 21)
    assert [(room["copies"], room["enough"]) for room in told.said["space"]] == [(["first", "copy-2"], True)]
    taken = tianyi("ingest", source, at=repository)
    assert taken.said["accession"].endswith("-0002")  # the dry run took no number
    same = ("kind", "files", "bytes", "new_bytes", "findings", "because")
    assert [told.said[name] for name in same] == [taken.said[name] for name in same]


def test_its_exit_code_is_what_an_ingest_would_have(tianyi: Tianyi, repository: Path, source: Path) -> None:
    policy = repository / "policies" / "ingest.yaml"
    policy.write_text("findings:\n  codes:\n    name-troublesome: hold\n")
    answers = [tianyi("ingest", source, "--dry-run", *more, at=repository) for more in ([], ["--accept-held", "seen"])]
    assert [(answer.code, answer.said["outcome"]) for answer in answers] == [(6, "hold"), (0, "accept")]
    policy.write_text("findings:\n  codes:\n    name-troublesome: reject\n")
    refused = tianyi("ingest", source, "--dry-run", at=repository)
    assert (refused.code, refused.said["outcome"]) == (5, "reject")
    assert tianyi("ingest", source / "nothing", "--dry-run", at=repository).code == 4


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """A bag whose one manifest is MD5's, and wrong about one of its two files."""
    folder = tmp_path / "bag"
    (folder / "data").mkdir(parents=True)
    (folder / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    lines = [f"{hashlib.md5(said).hexdigest()}  data/{name}" for name, said in (("a", b"a"), ("b", b"what was sent"))]
    (folder / "manifest-md5.txt").write_text("\n".join(lines) + "\n")
    for name in "ab":
        (folder / "data" / name).write_text(name)
    return folder


def test_digests_that_were_claimed_are_compared(tianyi: Tianyi, repository: Path, bag: Path) -> None:
    told = tianyi("ingest", bag, "--dry-run", at=repository)
    taken = tianyi("ingest", bag, at=repository)
    assert (told.code, told.said["outcome"], told.said["not_compared"]) == (taken.code, "reject", 0) == (5, "reject", 0)
    [found] = [one for one in told.said["findings"] if one["severity"] == "error"]
    assert (found["code"], found["path"]) == ("rfc8493-3-altered", "data/b")
    assert told.said["findings"] == taken.said["findings"]


def test_digests_of_a_list_are_compared(tianyi: Tianyi, repository: Path, source: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.sha1"
    listed.write_text("".join(f"{'0' * 40}  {path.name}\n" for path in sorted(source.iterdir())))
    told = tianyi("ingest", source, "--manifest", listed, "--dry-run", at=repository)
    assert (told.code, told.said["outcome"]) == (5, "reject")
    assert {one["code"] for one in told.said["findings"] if one["severity"] == "error"} == {"digest-altered"}


def test_of_how_many_files_digests_were_not_compared_is_told(look: Look, bag: Path) -> None:
    seen = look(bag, patience=-1)
    assert (seen.looked_at, seen.not_compared, seen.outcome) == (0, 2, "accept")


def test_what_is_to_be_fetched_is_not_missing(tianyi: Tianyi, repository: Path, bag: Path) -> None:
    (bag / "data" / "b").unlink()
    (bag / "fetch.txt").write_text("https://example.org/b 13 data/b\n")
    (bag / "bag-info.txt").write_text("Payload-Oxum: 14.2\n")
    policy = repository / "policies" / "ingest.yaml"
    policy.write_text("fetch: follow\nfetching:\n  hosts: [example.org]\n")
    told = tianyi("ingest", bag, "--dry-run", at=repository)
    assert (told.code, told.said["outcome"]) == (0, "accept")
    policy.unlink()
    refused = tianyi("ingest", bag, "--dry-run", at=repository)
    assert refused.code == 5
    assert refused.said["findings"] == tianyi("ingest", bag, at=repository).said["findings"]
