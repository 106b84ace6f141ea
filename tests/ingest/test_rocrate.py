"""RO-Crates as they come in: whole, broken, and such as want to do harm."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rocrate.rocrate import ROCrate

from ingest.rocrate_metadata import NotCrate, core, read
from tests.ingest.test_corpora import cases

Tianyi = Callable[..., Any]
NAME = "ro-crate-metadata.json"
DATA = b"a,b\n1,2\n"


def document(**root: Any) -> dict[str, Any]:
    """A valid metadata document of one file; `root` changes the root data entity, None removes."""
    said = {
        "@id": "./", "@type": "Dataset", "name": "Tides at Ningbo", "description": "Measured by hand",
        "datePublished": "2026-03-01", "license": {"@id": "https://spdx.org/licenses/CC0-1.0"},
        "author": [{"@id": "#fan"}], "keywords": ["tides", "harbour"], "hasPart": [{"@id": "data%20set.csv"}], **root,
    }  # fmt: skip
    return {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [
            {"@id": NAME, "@type": "CreativeWork", "about": {"@id": "./"},
             "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}},
            {key: value for key, value in said.items() if value is not None},
            {"@id": "data%20set.csv", "@type": "File", "contentSize": str(len(DATA)),
             "sha256": sha256(DATA).hexdigest()},
            {"@id": "#fan", "@type": "Person", "name": "Fan Qin"},
        ],
    }  # fmt: skip


def made(folder: Path, metadata: Any = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "data set.csv").write_bytes(DATA)
    data = metadata if isinstance(metadata, bytes) else json.dumps(metadata or document()).encode()
    (folder / NAME).write_bytes(data)
    return folder


def codes(answer: Any, *severities: str) -> set[str]:
    """Those of our own rules: others are not asked here, which is told each time."""
    found = (f for f in answer.said["findings"] if f["code"] != "rocrate-unchecked")
    return {f["code"] for f in found if not severities or f["severity"] in severities}


@pytest.mark.parametrize("packing", ["folder", "zip", "flat zip"])
def test_a_crate_comes_in_with_its_description(tianyi: Tianyi, repository: Path, tmp_path: Path, packing: str) -> None:
    source = crate = made(tmp_path / "here" / "crate")
    if packing != "folder":
        source = Path(shutil.make_archive(str(tmp_path / "c"), "zip", crate.parent if packing == "zip" else crate))
    answer = tianyi("ingest", source, at=repository)
    assert (answer.said["outcome"], answer.said["kind"]) == ("accepted", "rocrate")
    assert codes(answer, "error") == set()
    shown = tianyi("show", answer.said["aip"], at=repository).said
    assert (shown["title"], shown["producer"]) == ("Tides at Ningbo", "Fan Qin")
    assert len(tianyi("search", "harbour", at=repository).rows) == 1
    events = tianyi("events", answer.said["aip"], at=repository).rows
    assert any("RO-Crate 1.1" in str(event["detail"]) for event in events if event["type"] == "validation")
    out = tmp_path / "out"
    assert tianyi("export", answer.said["aip"], out, "--as", "folder", at=repository).code == 0
    assert next(out.rglob("data set.csv")).read_bytes() == DATA


def test_what_the_library_writes_is_valid(tianyi: Tianyi, tmp_path: Path) -> None:
    for version in ("1.1", "1.2"):
        crate = ROCrate(version=version)
        crate.name, crate.description, crate.license = "A crate", "Made by rocrate", "CC0-1.0"
        (tmp_path / "a file.txt").write_text("a")
        crate.add_file(tmp_path / "a file.txt", "in a folder/a file.txt")
        crate.write(tmp_path / version)
        answer = tianyi("validate", tmp_path / version)
        assert (answer.said["kind"], answer.said["valid"], codes(answer)) == ("rocrate", True, set())


@pytest.mark.parametrize(("change", "code"), [
    ({"name": None}, "rocrate-root"), ({"description": " "}, "rocrate-root"), ({"license": []}, "rocrate-root"),
    ({"datePublished": None}, "rocrate-root"), ({"datePublished": "soon"}, "rocrate-root"),
    ({"datePublished": "2026-02-30"}, "rocrate-root"), ({"@type": "File"}, "rocrate-root"),
    ({"@id": "./other/"}, "rocrate-root"), ({"author": {"@type": "Person", "name": "n"}}, "rocrate-entity"),
    ({"@type": None}, "rocrate-entity"), ({"hasPart": None}, "rocrate-unlinked"),
    ({"datePublished": ["2026-01-01", "2026-01-02"]}, "rocrate-root"),
])  # fmt: skip
def test_what_the_root_lacks_is_told(tianyi: Tianyi, tmp_path: Path, change: dict[str, Any], code: str) -> None:
    answer = tianyi("validate", made(tmp_path / "crate", document(**change)))
    assert (answer.said["valid"], code in codes(answer, "error")) == (False, True)


def test_a_year_alone_is_a_warning(tianyi: Tianyi, tmp_path: Path) -> None:
    answer = tianyi("validate", made(tmp_path / "crate", document(datePublished="2026")))
    assert (answer.said["valid"], codes(answer)) == (True, {"rocrate-root"})


def test_files_are_held_against_what_the_crate_says(tianyi: Tianyi, tmp_path: Path) -> None:
    crate = made(tmp_path / "crate")
    (crate / "extra.txt").write_text("nobody knows it")
    (crate / "data set.csv").write_bytes(b"a,b\n1,3\n\n")
    answer = tianyi("validate", crate)
    assert codes(answer, "error") == {"rocrate-altered"}
    assert (codes(answer, "warning"), codes(answer, "info")) == ({"rocrate-size"}, {"rocrate-undescribed"})
    (crate / "data set.csv").unlink()
    assert codes(tianyi("validate", crate), "error") == {"rocrate-missing"}
    wrong = (
        ("../outside.txt", "File"), ("/etc/passwd", "File"), ("%2e%2e/%2e%2e/etc", "Dataset"),
        ("https://example.org/a", "File"), ("file:///etc/passwd", "File"), ("#fragment", "File"), ("gone/", "Dataset"),
    )  # fmt: skip
    metadata = document(hasPart=[{"@id": name} for name, _ in (*wrong, ("data%20set.csv", ""))])
    metadata["@graph"] += [{"@id": name, "@type": kind} for name, kind in wrong]
    answer = tianyi("validate", made(tmp_path / "other", metadata))
    assert {f["path"]: f["code"] for f in answer.said["findings"] if f["severity"] == "error"} == {
        "../outside.txt": "rocrate-path", "/etc/passwd": "rocrate-path", "%2e%2e/%2e%2e/etc": "rocrate-path",
        "gone/": "rocrate-missing",
    }  # fmt: skip


HOSTILE = {
    "deep": b'{"@graph": ' + b"[" * 200_000, "a list": b"[]", "no graph": b"{}", "no bytes": b"",
    "not UTF-8": b'{"@graph": [], "a": "\xff"}', "half a character": b'{"@graph": ["\\ud800"]}',
    "graph of another kind": b'{"@graph": {"a": 1}}',
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_json_that_wants_to_do_harm_is_refused(tianyi: Tianyi, repository: Path, tmp_path: Path, what: str) -> None:
    answer = tianyi("ingest", made(tmp_path / "crate", HOSTILE[what]), at=repository)
    assert (answer.said["kind"], answer.said["outcome"]) == ("rocrate", "rejected")
    assert "rocrate-document" in codes(answer, "error")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["./", NAME, "Dataset", "File"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["@id", "@type", "name", "about", "@value", "conformsTo"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=6), VALUES)
def test_no_document_is_a_fault_of_ours(graph: list[Any], context: Any) -> None:
    whole = [*graph, *document()["@graph"][:1]]
    try:
        crate, findings = read(json.dumps({"@context": context, "@graph": whole}).encode(), NAME)
    except NotCrate:
        return
    assert isinstance(core(crate), dict)
    assert all(found.path == NAME for found in findings)


def test_crates_are_judged_as_far_as_we_go(tianyi: Tianyi, corpus: Any) -> None:
    """A valid crate breaks no rule but that its files are there: some were taken out of the cases to make them small.
    What must be so in every crate is told in those that are about it; their profiles are not looked at."""
    ours = (
        "0_file_descriptor", "1_file_descriptor", "2_root_data_entity_metadata/invalid_root", "entity_reachability",
        "relative-root-identifier", "required_datePublished", "invalid-date-published", "required_haspart",
    )  # fmt: skip
    for crate, expected in cases(corpus("rocrate")):
        answer = tianyi("validate", crate)
        assert (crate, answer.said["kind"]) == (crate, "rocrate")
        if expected == "valid":
            assert (crate, codes(answer, "error") - {"rocrate-missing"}) == (crate, set())
        elif expected == "invalid" and any(one in str(crate) for one in ours):
            assert (crate, answer.said["valid"]) == (crate, False)
