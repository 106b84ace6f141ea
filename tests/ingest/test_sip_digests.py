"""A producer's list of digests through the command line: found or given, and what is missing, extra or altered."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from hashlib import blake2b, md5, new, sha256
from pathlib import Path
from typing import Any

import pytest

from ingest.sip_digests import FOUND
from storage.digest import computable

Tianyi = Callable[..., Any]
FILES = {"a.txt": b"first\n", "sub/b b.txt": b"second\n", "sub/文.txt": b"third\n"}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        path = tmp_path / "accession" / "objects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "accession"


def md5sum(start: str = "", files: dict[str, bytes] = FILES) -> str:
    return "".join(f"{md5(data).hexdigest()}  {start}{name}\n" for name, data in files.items())


def sm3sum(line: str) -> str:
    if not computable("sm3"):
        return ""
    return "".join(line.format(digest=new("sm3", data).hexdigest(), name=name) for name, data in FILES.items())


with_sm3 = pytest.mark.skipif(not computable("sm3"), reason="this OpenSSL has no SM3")


def codes(answer: Any) -> dict[str, list[str]]:
    """The paths of what has a code of digests."""
    found: dict[str, list[str]] = {}
    for one in answer.said["findings"]:
        if one["code"].startswith("digest"):
            found.setdefault(one["code"], []).append(one["path"])
    return found


@pytest.mark.parametrize(
    "name", ["m.b2", "M.B2SUM", "m.blake2b", "m.blake2-256", "B2SUMS", "b2sum.txt", "tagged.txt", "m.b3"]
)
def test_a_list_of_b2sum_is_told_as_one(tianyi: Tianyi, package: Path, tmp_path: Path, name: str) -> None:
    lines = ((blake2b(data).hexdigest(), path) for path, data in FILES.items())
    form = "BLAKE2b (objects/{1}) = {0}\n" if name == "tagged.txt" else "{0}  objects/{1}\n"
    (tmp_path / name).write_text("".join(form.format(*line) for line in lines))
    answer = tianyi("validate", package, "--manifest", tmp_path / name)
    found = codes(answer)
    assert (answer.code, set(found)) == (5, {"digest-list-algorithm", "digest-extra-file"})


@pytest.mark.parametrize(("name", "text"), [
    ("checksums.md5", md5sum("objects/")),
    ("MD5SUMS", md5sum("./objects/")),
    ("delivery.md5", md5sum("accession/objects/")),
    ("metadata/checksum.md5", md5sum()),
    ("metadata/checksum.md5", md5sum("../objects/")),
    ("metadata/checksum.md5", md5sum("objects/").replace("sub/", "sub\\")),
    ("checksums.txt", "; by some tool\r\n" + md5sum("objects\\").replace("\n", "\r\n")),
    ("checksums.csv", "\ufeffFile,SHA-256\n" + "".join(
        f'"objects/{name}",{sha256(data).hexdigest().upper()}\n' for name, data in FILES.items())),
    ("checksum.sha256", "".join(
        f"SHA256 (objects/{name}) = {sha256(data).hexdigest()}\n" for name, data in FILES.items())),
    pytest.param("checksum.sm3", sm3sum("{digest}  objects/{name}\n"), marks=with_sm3),
    pytest.param("checksum.txt", sm3sum("SM3(objects/{name})= {digest}\n"), marks=with_sm3),
    pytest.param("checksums.csv", "name,SM3\n" + sm3sum('"objects/{name}",{digest}\n'), marks=with_sm3),
])  # fmt: skip
def test_a_list_in_the_package(tianyi: Tianyi, package: Path, name: str, text: str) -> None:
    (package / "metadata").mkdir()
    (package / name).write_text(text, "utf-8", newline="")
    answer = tianyi("validate", package)
    assert (answer.code, answer.said["kind"], answer.said["valid"], codes(answer)) == (0, "folder", True, {})
    (package / "objects" / "a.txt").write_bytes(b"First\n")
    (package / "objects" / "sub" / "文.txt").unlink()
    (package / "objects" / "new.txt").write_bytes(b"new\n")
    answer = tianyi("validate", package)
    assert (answer.code, answer.said["valid"]) == (5, False)
    assert codes(answer) == {
        "digest-altered": ["objects/a.txt"], "digest-extra-file": ["objects/new.txt"],
        "digest-missing-file": ["objects/sub/文.txt"],
    }  # fmt: skip


def test_a_list_beside_the_package(tianyi: Tianyi, repository: Path, package: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "from the producer.md5"
    manifest.write_text(md5sum("objects/"))
    with tarfile.open(tmp_path / "accession.tar", "w") as archive:
        archive.add(package, "accession")
    for delivered in (package, tmp_path / "accession.tar"):
        assert tianyi("validate", delivered, "--manifest", manifest).said["valid"]
        answer = tianyi("ingest", delivered, "--manifest", manifest, at=repository)
        assert (answer.code, answer.said["outcome"], codes(answer)) == (0, "accepted", {})
        aip = answer.said["aip"]
        held = {file["path"]: file for file in tianyi("files", aip, "--all", at=repository).rows}
        kept = held["data/submission/from the producer.md5"]
        assert kept["digest"] == f"sha256:{sha256(manifest.read_bytes()).hexdigest()}"
        events = tianyi("events", aip, at=repository).rows
        assert [event["outcome"] for event in events if event["type"] == "fixity check"] == ["pass"]
    manifest.write_text(md5sum("objects/").replace(md5(FILES["a.txt"]).hexdigest(), "0" * 32))
    answer = tianyi("ingest", package, "--manifest", manifest, at=repository)
    assert (answer.code, codes(answer)) == (5, {"digest-altered": ["objects/a.txt"]})


def test_what_an_officer_accepts_was_altered_all_the_same(tianyi: Tianyi, repository: Path, package: Path) -> None:
    (repository / "policies" / "ingest.yaml").write_text("findings: {codes: {digest-altered: accept}}\n")
    (package / "checksums.md5").write_text(md5sum("objects/").replace(md5(FILES["a.txt"]).hexdigest(), "0" * 32))
    answer = tianyi("ingest", package, at=repository)
    assert answer.said["outcome"] == "accepted"
    events = tianyi("events", answer.said["aip"], at=repository).rows
    assert [event["outcome"] for event in events if event["type"] == "fixity check"] == ["fail"]


def test_a_file_with_its_digest_beside_it(tianyi: Tianyi, package: Path) -> None:
    (package / "one.txt").write_bytes(b"one\n")
    (package / "one.txt.md5").write_text(md5(b"two\n").hexdigest())
    assert codes(tianyi("validate", package))["digest-altered"] == ["one.txt"]


def test_a_list_that_was_begun_before_it_was_hashed(tianyi: Tianyi, package: Path) -> None:
    (package / "SHA256SUMS").write_text(
        f"{sha256().hexdigest()}  ./SHA256SUMS\n{sha256(FILES['a.txt']).hexdigest()}  objects/a.txt\n"
    )
    assert set(codes(tianyi("validate", package))) == {"digest-extra-file"}


@pytest.mark.parametrize(("text", "expected"), [
    (b"", "digest-list-unreadable"),
    (bytes(1000), "digest-list-unreadable"),
    (md5sum("objects/").encode("utf-16"), "digest-list-unreadable"),
    (b"x" * 100_000, "digest-list-unreadable"),
    (md5sum("objects/").encode() + b"x" * 100_000, "digest-list-unreadable"),
    (md5sum("objects/").encode() + b"x\n" * 1_000, "digest-list-line"),
    (md5sum("objects/").encode() + b"x\n", "digest-list-line"),
    (md5sum("objects/").encode() + md5sum("../../etc/").encode(), "digest-list-line"),
    (md5sum("objects/").encode() + md5sum("/etc/").encode(), "digest-list-line"),
    (md5sum("objects/").encode() + b"0" * 32 + b"  objects/a.txt\n", "digest-contradiction"),
    (md5sum("objects/").encode() + b"0" * 32 + b"  objects/sub\n", "digest-missing-file"),
])  # fmt: skip
def test_hostile_lists(tianyi: Tianyi, package: Path, text: bytes, expected: str) -> None:
    (package / "checksums.md5").write_bytes(text)
    answer = tianyi("validate", package)
    assert answer.code == 5
    assert expected in codes(answer)
    assert answer.said["findings_total"] < 110


def test_a_package_that_has_manifests_of_its_own(tianyi: Tianyi, package: Path, tmp_path: Path) -> None:
    (package / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    (tmp_path / "list.md5").write_text(md5sum("objects/"))
    assert "digest-list-unused" in codes(tianyi("validate", package, "--manifest", tmp_path / "list.md5"))
    answer = tianyi("validate", package, "--as", "folder", "--manifest", tmp_path / "list.md5")
    assert (answer.code, list(codes(answer))) == (0, ["digest-extra-file"])


def test_a_list_that_is_not_there(tianyi: Tianyi, repository: Path, package: Path, tmp_path: Path) -> None:
    for command in ("validate", "ingest"):
        answer = tianyi(command, package, "--manifest", tmp_path / "no.md5", at=repository)
        assert (answer.code, answer.said["code"]) == (4, "no-such-package")
        answer = tianyi(command, package, "--manifest", tmp_path, at=repository)
        assert (answer.code, answer.said["code"]) == (5, "manifest-invalid")


def test_a_list_without_an_end(tianyi: Tianyi, repository: Path, package: Path, tmp_path: Path) -> None:
    """A pipe that nobody writes into, and a device: neither is waited for, and no accession begins."""
    os.mkfifo(tmp_path / "pipe")
    for command in ("validate", "ingest"):
        for endless in (tmp_path / "pipe", Path("/dev/zero")):
            answer = tianyi(command, package, "--manifest", endless, at=repository)
            assert (answer.code, answer.said["code"]) == (5, "manifest-invalid")
    assert not tianyi("accessions", at=repository).rows


def test_which_names_are_lists() -> None:
    lists = ("checksum.md5", "metadata/checksums.SHA256", "checksums.csv", "SHA512SUMS", "md5sum.txt", "any name.md5")
    others = ("data.csv", "objects/checksum.md5", "metadata/notes.md5", "md5", "readme.txt", "checksum", "a.md5.txt")
    assert [name for name in (*lists, *others) if FOUND.fullmatch(name.encode())] == list(lists)
