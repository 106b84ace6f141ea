"""OCFL as it comes in: objects with their versions, storage roots, and inventories that want to do harm."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ocfl_inventory import examine
from tests.ingest.test_corpora import cases

Tianyi = Callable[..., Any]
DIGEST = sha512(b"a").hexdigest()


def inventory(**other: Any) -> dict[str, Any]:
    """A valid one, of an object with the file a."""
    version = {"created": "2026-03-01T12:00:00Z", "message": "first", "state": {DIGEST: ["a"]},
               "user": {"name": "Alice", "address": "mailto:alice@example.org"}}  # fmt: skip
    return {
        "id": "urn:example:1", "type": "https://ocfl.io/1.1/spec/#inventory", "digestAlgorithm": "sha512",
        "head": "v1", "manifest": {DIGEST: ["v1/content/a"]}, "versions": {"v1": version}, **other,
    }  # fmt: skip


def made(folder: Path, members: dict[str, Any]) -> Path:
    """An object with that inventory."""
    (folder / "v1" / "content").mkdir(parents=True)
    (folder / "v1" / "content" / "a").write_bytes(b"a")
    (folder / "0=ocfl_object_1.1").write_text("ocfl_object_1.1\n")
    data = json.dumps(members).encode()
    for place in (folder, folder / "v1"):
        (place / "inventory.json").write_bytes(data)
        (place / "inventory.json.sha512").write_text(f"{sha512(data).hexdigest()} inventory.json\n")
    return folder


def codes(answer: Any) -> set[str]:
    return {found["code"] for found in answer.said["findings"]}


def test_an_object_comes_in_with_its_versions(
    tianyi: Tianyi, repository: Path, corpus: Any, tmp_path: Path, tree: Any
) -> None:
    for source, expected in cases(corpus("ocfl")):
        if expected.startswith("bad") or source.parts[-3] == "1.0":
            continue
        told = json.loads((source / "inventory.json").read_bytes())
        answer = tianyi("ingest", source, at=repository).said
        assert (answer["outcome"], answer["version"]) == ("accepted", len(told["versions"]))
        for number, name in enumerate(sorted(told["versions"], key=lambda name: int(name[1:])), start=1):
            state = {path: digest for digest, paths in told["versions"][name]["state"].items() for path in paths}
            dip = tmp_path / "dip" / source.name / name
            assert tianyi("export", answer["aip"], dip, "--as", "folder", "--version", number, at=repository).code == 0
            files = {path.relative_to(dip).as_posix(): path for path in dip.rglob("*") if path.is_file()}
            assert files.keys() == state.keys()
            for path, file in files.items():
                assert file.read_bytes() == (source / told["manifest"][state[path]][0]).read_bytes()
            restored = tmp_path / "restored" / source.name / name
            restore = [sys.executable, "-I", str(repository / "vault" / "restore.py"), answer["aip"], str(restored)]
            restored.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([*restore, "--as-received", "--version", str(number)], check=True, capture_output=True)
            assert tree(restored).keys() == tree(dip).keys()


def test_what_a_version_says_of_itself_is_kept(tianyi: Tianyi, repository: Path, corpus: Any) -> None:
    source = corpus("ocfl") / "cases/1.1/good-objects/spec-ex-full"
    aip = tianyi("ingest", source, at=repository).said["aip"]
    events = tianyi("events", aip, at=repository).rows
    assert [(e["time"], e["type"], e["agent"]) for e in events if "tianyi" not in e["agent"]][:3] == [
        ("2018-01-01T01:01:01Z", "creation", "Alice"),
        ("2018-02-02T02:02:02Z", "modification", "Bob"),
        ("2018-03-03T03:03:03Z", "modification", "Cecilia"),
    ]
    evidence = [row["path"] for row in tianyi("files", aip, "--all", at=repository).rows]
    assert "data/submission/v2/inventory.json" in evidence
    before = [tianyi(*asked, aip, at=repository).rows for asked in (["files"], ["show"], ["events"])]
    assert tianyi("rebuild", at=repository).code == 0
    assert [tianyi(*asked, aip, at=repository).rows for asked in (["files"], ["show"], ["events"])] == before
    assert tianyi("audit", at=repository).said["intact"] > 0


def test_what_is_damaged_is_the_policy_s_to_judge(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    source = made(tmp_path / "object", inventory())
    (source / "v1" / "content" / "a").write_bytes(b"b")
    answer = tianyi("ingest", source, at=repository)
    assert (answer.said["outcome"], answer.code, codes(answer) >= {"E092"}) == ("rejected", 5, True)
    (repository / "policies" / "ingest.yaml").write_text("findings: {codes: {E092: hold}}\n")
    answer = tianyi("ingest", source, "--accept-held", "the file is right", at=repository)
    assert (answer.said["outcome"], answer.said["version"]) == ("accepted", 1)
    shutil.rmtree(source / "v1" / "content")
    answer = tianyi("ingest", source, "--accept-held", "what is left", at=repository)
    assert (answer.said["outcome"], answer.said["files"]) == ("accepted", 5)
    files = tianyi("files", answer.said["aip"], at=repository).rows
    assert "inventory.json" in {row["original_name"] for row in files}  # no version is whole: taken as a folder


def test_each_object_of_a_root_is_an_accession(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("one", "two"):
        made(root / "objects" / name, inventory(id=f"urn:example:{name}"))
    (root / "0=ocfl_1.1").write_text("ocfl_1.1\n")
    answer = tianyi("ingest", root, "--producer", "P", at=repository)
    assert (answer.code, [row["outcome"] for row in answer.rows]) == (0, ["accepted"] * 2)
    assert len({row["accession"] for row in answer.rows}) == len({row["aip"] for row in answer.rows}) == 2
    assert [row["title"] for row in tianyi("list", at=repository).rows] == ["one", "two"]
    (root / "objects" / "stray.txt").write_text("would not come in")
    answer = tianyi("ingest", root, at=repository)
    assert (answer.code, answer.said["code"], "E072" in answer.said["message"]) == (5, "unknown-package", True)
    packed = shutil.make_archive(str(tmp_path / "root"), "zip", root)
    answer = tianyi("ingest", packed, at=repository)
    assert (answer.said["outcome"], codes(answer) >= {"ocfl-root"}) == ("rejected", True)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda root: (root / "0=ocfl_1.1").write_text("ocfl_1.0\n"), "E080"),
        (lambda root: (root / "0=ocfl_1.0").write_text("ocfl_1.0\n"), "E076"),
        (lambda root: (root / "0=ocfl_1.1").rename(root / "0=ocfl_2.0"), "E079"),
        (lambda root: (root / "objects" / "stray").write_text(""), "E072"),
        (lambda root: (root / "objects" / "none").mkdir(), "E073"),
        (lambda root: (root / "objects" / "link").symlink_to("one"), "E090"),
        (lambda root: (root / "objects" / "one" / "v1" / "content" / "link").symlink_to("a"), "E090"),
        (lambda root: (root / "objects" / "one" / "v1" / "content" / "none").mkdir(), "E024"),
        (lambda root: (root / "ocfl_layout.json").write_text("{}"), "E070"),
        (lambda root: (root / "ocfl_layout.json").write_text('{"extension": "new", "description": ""}'), "E071"),
        (lambda root: (root / "ocfl_layout.json").write_text(
            '{"extension": "0004-hashed-n-tuple-storage-layout", "description": ""}'), "E083"),
        (lambda root: (root / "extensions").mkdir() or (root / "extensions" / "file").write_text(""), "E112"),
        (lambda root: (root / "extensions" / "ours").mkdir(parents=True), "W016"),
        (lambda root: (root / "objects" / "one" / "0=ocfl_object_1.1").unlink(), "E072"),
    ],
)  # fmt: skip
def test_a_root_is_checked_too(tianyi: Tianyi, tmp_path: Path, spoil: Callable[[Path], object], code: str) -> None:
    root = tmp_path / "root"
    made(root / "objects" / "one", inventory())
    made(root / "objects" / "two", inventory(id="urn:example:2"))
    (root / "0=ocfl_1.1").write_text("ocfl_1.1\n")
    assert (tianyi("validate", root).code, codes(tianyi("validate", root))) == (0, set())
    spoil(root)
    assert code in codes(tianyi("validate", root))


WRONG = [
    ({"versions": {"v1": 7}}, "E047"), ({"versions": []}, "E044"), ({"manifest": {DIGEST: [7]}}, "E098"),
    ({"manifest": {DIGEST: ["v1/content/\ud800"]}}, "E098"), ({"manifest": {DIGEST: ["../../etc/passwd"]}}, "E042"),
    ({"manifest": {DIGEST: ["v1/content/../../a"]}}, "E099"), ({"manifest": {DIGEST: ["/etc/passwd"]}}, "E100"),
    ({"manifest": {DIGEST: ["v1/content/a", "v1/content/a/b/c"]}}, "E101"), ({"fixity": {"md5": {"0": [[]]}}}, "E057"),
    ({"contentDirectory": ".."}, "E018"), ({"id": None}, "E037"), ({"head": ["v1"]}, "E040"),
    ({"type": {}}, "E038"), ({"digestAlgorithm": ["sha512"]}, "E025"), ({"fixity": {"sha512-spec-ex": {}}}, "E056"),
    ({"digestAlgorithm": "\ud800"}, "E025"), ({"head": "\ud800"}, "E040"), ({"contentDirectory": "\ud800"}, "E017"),
    ({"manifest": {"\ud800": ["v1/content/a"]}}, "E025"), ({"fixity": {"md5": {"\ud800": ["v1/content/a"]}}}, "E057"),
]  # fmt: skip


@pytest.mark.parametrize(("members", "code"), WRONG)
def test_what_an_inventory_must_not_say(tianyi: Tianyi, tmp_path: Path, members: dict[str, Any], code: str) -> None:
    answer = tianyi("validate", made(tmp_path / "object", inventory(**members)))
    assert (answer.code, code in codes(answer)) == (5, True)


def test_half_a_character_that_is_quoted_goes_as_its_escape(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    told = {**inventory()["versions"]["v1"], "message": "\ud800 \0", "user": {"name": "\udcff"}}
    source = made(tmp_path / "object", inventory(id="\ud800\0", versions={"v1": told}))
    answer = tianyi("ingest", source, at=repository)
    quoted = {found["message"] for found in answer.said["findings"] if found["code"] == "W005"}
    assert (answer.code, ["\\ud800" in message for message in quoted]) == (0, [True])
    assert tianyi("events", answer.said["aip"], at=repository).code == 0
    assert tianyi("export", answer.said["aip"], tmp_path / "out", at=repository).code == 0


def test_what_an_inventory_must_have(tianyi: Tianyi, tmp_path: Path) -> None:
    codes_by_member = {"id": "E036", "type": "E036", "digestAlgorithm": "E036", "head": "E036", "manifest": "E041",
                       "versions": "E041"}  # fmt: skip
    for number, (member, code) in enumerate(codes_by_member.items()):
        members = {name: value for name, value in inventory().items() if name != member}
        answer = tianyi("validate", made(tmp_path / str(number), members))
        assert (member, answer.code, codes(answer) >= {code}) == (member, 5, True)


def test_names_twice_and_nesting_without_end_are_no_inventory(tianyi: Tianyi, tmp_path: Path) -> None:
    source = made(tmp_path / "object", inventory())
    for text in ('{"id": "a", "id": "b"}', '{"a":' * 100_000, "[]", "\x00", "{", '"\\ud800"'):
        (source / "inventory.json").write_text(text)
        assert codes(tianyi("validate", source)) >= {"E033"}


def test_a_line_feed_in_a_name_is_right(tianyi: Tianyi, tmp_path: Path) -> None:
    """ocfl-py takes a content path with LF for one that is not in a content folder."""
    source = made(tmp_path / "object", inventory(manifest={DIGEST: ["v1/content/two\nlines"]}))
    (source / "v1" / "content" / "a").rename(source / "v1" / "content" / "two\nlines")
    assert tianyi("validate", source).said["findings"] == []


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([DIGEST, "v1", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([DIGEST, "v1", "md5", "state", ""]), inner)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted([*inventory(), "fixity", "contentDirectory"])), anything)
def test_no_inventory_breaks_the_check(name: str, value: Any) -> None:
    """Whatever one of its members is: it is judged, and what is sound can be gone by."""
    read, findings = examine(json.dumps(inventory(**{name: value})).encode(), "1.1", "inventory.json")
    assert read.sound is not any(found.severity == "error" for found in findings)
