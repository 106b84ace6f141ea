"""A map of names that lies, in a package whose digests are all right: nothing is written outside its folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage import bag, manifest
from storage.aip import Record, parse_record
from storage.digest import Digest, sha256
from storage.layout import blob_key, record_key
from storage.manifest import Line
from storage.namemap import Kind, Named, format_line

Tianyi = Callable[..., Any]


def forge(vault: Path, lines: bytes) -> Record:
    """Give the only package this map of names, and every digest above it anew, up to the record's own."""
    [place] = (vault / "aips").rglob("v1.json")
    record = parse_record(place.read_bytes(), "")
    tags = dict(_lines(vault, record.tagmanifest))
    payload = dict(_lines(vault, tags[bag.MANIFEST]))
    [names] = [path for path in payload if path.startswith("data/metadata/preservation/names-")]
    payload[names] = _put(vault, lines)
    tags[bag.MANIFEST] = _put(vault, _text(payload))
    forged = replace(record, tagmanifest=_put(vault, _text(tags)))
    (vault / record_key(record.uuid, 1)).write_bytes(forged.to_bytes())
    return forged


def _lines(vault: Path, digest: Digest) -> list[Line]:
    return [*manifest.parse((vault / blob_key(digest)).read_bytes().splitlines(keepends=True))]


def _text(files: dict[str, Digest]) -> bytes:
    return b"".join(manifest.format_line(Line(path, files[path])) for path in sorted(files))


def _put(vault: Path, data: bytes) -> Digest:
    path = vault / blob_key(digest := sha256(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return digest


def link(name: bytes, target: Path) -> bytes:
    return format_line(Named(kind=Kind.LINK, name=name, target=os.fsencode(target)))


def odd(name: bytes, kind: str) -> bytes:
    line = format_line(Named(kind=Kind.FOLDER, name=name, mode=0o777, mtime=10**18))
    return line.replace(b'"folder"', f'"{kind}"'.encode())


CASES: dict[str, Callable[[Path], Sequence[bytes]]] = {
    "a link through a link": lambda out: [link(b"a", out), link(b"a/evil", Path("/etc/passwd"))],
    "a link through a link, told later": lambda out: [link(b"a/evil", Path("/etc/passwd")), link(b"a", out)],
    "a mode through a link": lambda out: [link(b"a", out), odd(b"a/victim", "door")],
    "a folder through a link": lambda out: [link(b"a", out), odd(b"a/evil", "folder")],
    "a name above": lambda out: [odd(b"../evil", "folder")],
    "a name from the root": lambda out: [odd(os.fsencode(out / "evil"), "folder")],
    "no JSON": lambda out: [b"{\n"],
    "no object": lambda out: [b"[]\n"],
    "no text": lambda out: [b'{"kind": "file", "name": "YQ==", "path": 7}\n'],
    "a file that is not there": lambda out: [b'{"kind": "file", "name": "YQ==", "path": "data/none"}\n'],
    "nesting without end": lambda out: [b"[" * 100_000 + b"\n"],
}


@pytest.mark.parametrize("case", CASES)
def test_a_map_of_names_that_lies(tianyi: Tianyi, tmp_path: Path, case: str, tree: Any) -> None:
    archive, source, outside = tmp_path / "archive", tmp_path / "source", tmp_path / "outside"
    assert tianyi("init", archive).code == 0
    for folder in (source, outside):
        folder.mkdir()
    (source / "a.txt").write_text("a")
    (outside / "victim").write_text("as it is")
    (outside / "victim").chmod(0o600)
    aip = tianyi("ingest", source, at=archive).said["aip"]
    forge(archive / "vault", b"".join(CASES[case](outside)))
    before = tree(outside)
    assert tianyi("rebuild", at=archive).code == 3  # no copy has the record that the ledger knows
    exported = tianyi("export", aip, tmp_path / "dip", "--as", "folder", at=archive)
    assert (case, exported.said["code"]) == (case, "broken-record")  # the ledger knows another record
    restore = [sys.executable, "-I", str(archive / "vault" / "restore.py"), aip, str(tmp_path / "restored")]
    done = subprocess.run([*restore, "--as-received"], capture_output=True, text=True)
    assert (case, done.returncode, "Traceback" in done.stderr) == (case, 3, False)
    assert (case, tree(outside)) == (case, before)
    assert not (tmp_path / "evil").exists()


def test_a_link_through_a_link_that_a_policy_let_in(
    tianyi: Tianyi, repository: Path, tmp_path: Path, tree: Any
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository / "policies" / "ingest.yaml").write_text("findings: {error: accept}\n")
    with tarfile.open(tmp_path / "a.tar", "w") as packed:
        for name, target in (("a", str(outside)), ("a/evil", "/etc/passwd")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            packed.addfile(entry)
        packed.addfile(tarfile.TarInfo("file"))
    answer = tianyi("ingest", tmp_path / "a.tar", at=repository)
    assert answer.said["outcome"] == "accepted"
    assert [one["code"] for one in answer.said["findings"] if one["severity"] == "error"] == ["path-through-link"]
    assert tianyi("export", answer.said["aip"], tmp_path / "dip", "--as", "folder", at=repository).code != 0
    assert tree(outside) == {}
