"""Lists of digests as text: each form that producers' tools write, and what is none of them."""

from __future__ import annotations

import subprocess
from hashlib import md5, sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import digest_lines
from ingest.digest_lines import Stated, algorithm_of, gnu_line, lines, rows, table
from ingest.finding import Finding
from storage.digest import Digest

MD5, SHA256 = "0" * 31 + "a", "b" * 64
NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: not {0} & set(name))


def said(found: bytes, algorithm: str = "") -> list[tuple[bytes, str] | str]:
    """Path and digest of each line, or the code of what is wrong with it."""
    results = lines(found.split(b"\n"), "list", algorithm)
    return [one.code if isinstance(one, Finding) else (one.path, str(one.digest)) for one in results]


@pytest.mark.parametrize(("line", "path", "digest"), [
    (f"{MD5}  a b.txt", b"a b.txt", f"md5:{MD5}"),
    (f"{MD5} *a.txt", b"a.txt", f"md5:{MD5}"),
    (f"{MD5} a.txt", b"a.txt", f"md5:{MD5}"),
    (f"{MD5}\ta.txt", b"a.txt", f"md5:{MD5}"),
    (f"{MD5}   blank", b" blank", f"md5:{MD5}"),
    (f"{SHA256.upper()}  a.txt", b"a.txt", f"sha256:{SHA256}"),
    (f"\\{MD5}  a\\nb\\\\c\\r", b"a\nb\\c\r", f"md5:{MD5}"),
    (f"{MD5}  a\\nb", b"a\\nb", f"md5:{MD5}"),
    (f"SHA256 (a (1).txt) = {SHA256}", b"a (1).txt", f"sha256:{SHA256}"),
    (f"SHA2-256(a.txt)= {SHA256}", b"a.txt", f"sha256:{SHA256}"),
    (f"\\MD5 (a\\nb) = {MD5}", b"a\nb", f"md5:{MD5}"),
    (MD5, b"", f"md5:{MD5}"),
])  # fmt: skip
def test_forms_of_lines(line: str, path: bytes, digest: str) -> None:
    assert said(line.encode()) == [(path, digest)]


@pytest.mark.parametrize("line", [
    b"text", MD5.encode() + b"f  odd length", b"z" * 32 + b"  no hex", MD5.encode() + b"  nul\0in it",
    b"SM4 (a) = " + MD5.encode(), b"SHA256 (a) = " + MD5.encode(), b"\xff\xfe" + "x".encode("utf-16-le"),
])  # fmt: skip
def test_lines_that_state_nothing(line: bytes) -> None:
    assert said(line) == ["digest-list-line"]


BLAKE = "c" * 128


@pytest.mark.parametrize(("text", "algorithm"), [
    (f"{BLAKE}  a\n{BLAKE}  b", "b2"), (f"{BLAKE}  a", "blake2b"), (f"{SHA256}  a", "b3"),
    (f"BLAKE2b (a) = {BLAKE}", ""), (f"BLAKE2b-256 (a) = {SHA256}", ""), (f"BLAKE2S-256(a)= {SHA256}", "sha256"),
])  # fmt: skip
def test_what_is_of_blake_is_not_taken_for_another_of_its_length(text: str, algorithm: str) -> None:
    assert said(text.encode(), algorithm) == ["digest-list-algorithm"]
    [found] = table(rows(["path,algorithm,digest\n", f"a,BLAKE2b,{BLAKE}\n"]), "list.csv")
    assert isinstance(found, Finding)
    assert found.code == "digest-list-algorithm"


def test_what_the_name_says_goes_before_the_length() -> None:
    assert said(f"{SHA256}  a".encode(), "md5") == ["digest-list-line"]
    assert said(b"\n  \n# a comment\n; another\n") == []


def test_what_this_machine_cannot_compute_is_not_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest_lines, "computable", {"sha256": True, "sm3": False}.get)
    assert said(f"{SHA256}  a".encode(), "sm3") == ["digest-list-line"]
    assert said(f"SM3 (a) = {SHA256}".encode()) == ["digest-list-line"]
    assert said(f"{SHA256}  a".encode()) == [(b"a", f"sha256:{SHA256}")]


@pytest.mark.parametrize(("text", "expected"), [
    ("path,sha256\na.txt,{sha}\n", ["a.txt sha256"]),
    ("Filename;MD5 hash;SHA-256\na.txt;{md5};{sha}\nb.txt;{md5};\n", ["a.txt md5", "a.txt sha256", "b.txt md5"]),
    ('"Algorithm","Hash","Path"\n"SHA256","{sha}","a, b.txt"\n', ["a, b.txt sha256"]),
    ("name,checksum\na,{md5}\nb,{sha}\n", ["a md5", "b sha256"]),
])  # fmt: skip
def test_forms_of_tables(text: str, expected: list[str]) -> None:
    found = list(table(rows(text.format(md5=MD5, sha=SHA256).splitlines(keepends=True)), "list.csv"))
    assert [f"{one.path.decode()} {one.digest.algorithm}" for one in found if isinstance(one, Stated)] == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("text", ["size,md5\n1,x\n", "path,md5\na,xyz\n", "path,md5\n,{md5}\n", "path,size\na,1\n"])
def test_tables_that_state_nothing(text: str) -> None:
    found = list(table(rows(text.format(md5=MD5).splitlines(keepends=True)), "list.csv"))
    assert {type(one) for one in found} == {Finding}


@given(NAMES.filter(lambda name: not {10, 13} & set(name)))
def test_a_name_is_bytes_in_and_out(name: bytes) -> None:
    assert said(SHA256.encode() + b"  " + name) == [(name, f"sha256:{SHA256}")]


@given(st.lists(st.binary(max_size=80)))
def test_whatever_comes_it_is_a_value(found: list[bytes]) -> None:
    assert all(isinstance(one, Stated | Finding) for one in lines(found, "list", ""))
    text = [line.decode("utf-8", "surrogateescape") for line in found]
    assert all(isinstance(one, Stated | Finding) for one in table((line.split(",") for line in text), "list"))


@pytest.mark.parametrize("tag", [(), ("--tag",)])
def test_what_coreutils_writes(tag: tuple[str, ...], tmp_path: Path) -> None:
    names = [b"plain", b" blank ", b"new\nline", b"back\\slash", b"return\r", b"\xff\xfe", "文".encode(), b"(a) = b"]
    for name in names:
        Path(tmp_path / name.decode("utf-8", "surrogateescape")).write_bytes(name)
    for tool, digest in (("md5sum", md5), ("sha256sum", sha256)):
        made = subprocess.run([tool, *tag, "--", *names], cwd=tmp_path, capture_output=True, check=True).stdout
        found = list(lines(made.splitlines(), "list", ""))
        wanted = [Digest(tool.removesuffix("sum"), digest(name).hexdigest()) for name in names]
        assert [(one.path, one.digest) for one in found if isinstance(one, Stated)] == list(
            zip(names, wanted, strict=True)
        )


def test_algorithms_by_name() -> None:
    known = {
        "MD5": "md5",
        "SHA-1": "sha1",
        "sha2-512": "sha512",
        "sha256sum": "sha256",
        "crc32": "",
        "SHA-384": "sha384",
        "SM3": "sm3",
        "checksum_sm3": "sm3",
        "volumes m3": "",
    }
    assert {name: algorithm_of(name) for name in known} == known


@given(NAMES, st.binary().map(lambda data: Digest("sha256", sha256(data).hexdigest())))
def test_a_line_of_ours_is_read_as_it_was_meant(name: bytes, digest: Digest) -> None:
    assert said(gnu_line(name, digest)) == [(name, str(digest))]
