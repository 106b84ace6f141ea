"""Officers' folders over what ships: what merges, what replaces, what is refused."""

from __future__ import annotations

import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.document import load, overlay
from policies.errors import PolicyFileError

MAPPINGS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers() | st.lists(st.integers(), max_size=2), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def test_members_merge_and_lists_replace(tmp_path: Path) -> None:
    text = "limits: {container: {ratio: 50}}\ndigests: [md5, sha512]\nfindings: {codes: {zip-damaged: hold}}\n"
    policies, shipped = load(write(tmp_path, ingest=text)), load(None)
    container = shipped.ingest.limits.container.model_copy(update={"ratio": 50})
    assert policies.ingest.limits == shipped.ingest.limits.model_copy(update={"container": container})
    assert policies.ingest.digests == ("md5", "sha512")
    assert policies.ingest.findings.error == "reject"
    assert policies.ingest.findings.codes == {**shipped.ingest.findings.codes, "zip-damaged": "hold"}
    assert (policies.formats, policies.migration, policies.audit) == (shipped.formats, shipped.migration, shipped.audit)


def test_a_list_of_rules_replaces_those_that_ship(tmp_path: Path) -> None:
    assert load(write(tmp_path, migration="rules: []")).migration.rules == ()


def test_a_format_is_one_fact_with_its_source(tmp_path: Path) -> None:
    fact = "risks:\n  fmt/3: {name: GIF 87a, risk: high, reason: ours, source: us}\n"
    formats = load(write(tmp_path, formats=fact)).formats
    assert formats.risks["fmt/3"].reason == "ours"
    assert formats.risk_of("fmt/4") == "moderate"
    with pytest.raises(PolicyFileError, match=r"fmt/3\.source: this field is missing"):
        load(write(tmp_path, formats="risks:\n  fmt/3: {risk: high}\n"))


@pytest.mark.parametrize(
    ("written", "every"),
    [("90 days", timedelta(days=90)), ("12 hours", timedelta(hours=12)), ("30", timedelta(days=30)),
     ("1 week", timedelta(weeks=1)), ("1 second", timedelta(seconds=1)), ("P2DT3H", timedelta(days=2, hours=3))],
)  # fmt: skip
def test_spans_of_time(tmp_path: Path, written: str, every: timedelta) -> None:
    audit = load(write(tmp_path, audit=f"every: {written}\njobs: {{audit: {{every: {written}}}}}")).audit
    assert (audit.every, audit.jobs["audit"].every, audit.jobs["migrate"].every) == (every, every, timedelta(days=7))


@pytest.mark.parametrize(("written", "size"), [("1", 1), ("512 B", 512), ("3KiB", 3072), ("2 PiB", 2 << 50)])
def test_sizes(tmp_path: Path, written: str, size: int) -> None:
    assert load(write(tmp_path, ingest=f"limits: {{bytes: {written}}}")).ingest.limits.bytes == size


def test_an_empty_folder_and_empty_files_mean_what_ships(tmp_path: Path) -> None:
    assert load(tmp_path) == load(None)
    assert load(write(tmp_path, ingest="", audit="# every: 1 day\n", formats="\ufeff")) == load(None)


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("README.md", "ingest.yaml~", ".ingest.yaml", ".#audit.yaml"):
        (tmp_path / name).write_text("not: ours")
    assert load(tmp_path) == load(None)


@pytest.mark.parametrize("name", ["ingset.yaml", "ingest.yml", "Ingest.yaml", "audit.YAML"])
def test_a_file_that_no_policy_reads_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("every: 1 day")
    with pytest.raises(PolicyFileError, match="no policy has this file name") as caught:
        load(tmp_path)
    assert "ingest.yaml, formats.yaml, migration.yaml, audit.yaml" in caught.value.next
    assert (caught.value.file, caught.value.line) == (str(tmp_path / name), 0)


def test_a_folder_that_is_not_there_never_means_the_defaults(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match="cannot be read"):
        load(tmp_path / "gone")


def test_what_cannot_be_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "audit.yaml").write_bytes(b"every: 1 day\n# caf\xe9\n")
    with pytest.raises(PolicyFileError, match=r"audit\.yaml:2: not UTF-8"):
        load(tmp_path)
    (tmp_path / "audit.yaml").unlink()
    os.mkfifo(tmp_path / "audit.yaml")
    with pytest.raises(PolicyFileError, match="not a file"):
        load(tmp_path)


def test_a_name_of_any_bytes_can_be_told(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.yaml")).touch()
    with pytest.raises(PolicyFileError) as caught:
        load(tmp_path)
    assert r"caf\udce9.yaml" in str(caught.value)


def test_what_openssl_cannot_compute_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path, ingest="digests: [md5, sm3]\n")
    monkeypatch.setattr("hashlib.new", lambda name, **_: sha256())
    assert load(folder).ingest.digests == ("md5", "sm3")
    monkeypatch.setattr("hashlib.new", new_without_sm3)
    with pytest.raises(PolicyFileError, match="OpenSSL of this machine has no sm3"):
        load(folder)


def new_without_sm3(name: str, **_: object) -> object:
    if name == "sm3":
        raise ValueError("unsupported hash type sm3")
    return sha256()


@given(MAPPINGS)
def test_overlaying_nothing_or_itself_changes_nothing(values: dict[str, object]) -> None:
    assert overlay(values, {}) == overlay({}, values) == overlay(values, values) == values


@given(MAPPINGS, MAPPINGS)
def test_an_overlay_wins_and_keeps_every_name(base: dict[str, object], over: dict[str, object]) -> None:
    merged = overlay(base, over)
    assert merged.keys() == base.keys() | over.keys()
    assert overlay(merged, over) == merged


def test_a_code_that_names_a_section_of_a_standard_can_be_set(tmp_path: Path) -> None:
    write(tmp_path, ingest="findings: {codes: {rfc8493-2.1.3-asterisk: hold}}")
    assert load(tmp_path).ingest.findings.codes["rfc8493-2.1.3-asterisk"] == "hold"


def test_a_code_that_no_finding_has_is_told_with_the_other_mistakes(tmp_path: Path) -> None:
    text = "limits:\n  depht: 3\nfindings:\n  codes:\n    zip-damagd: hold\n    zip-damaged: hold\n    Bad Code: hold\n"
    with pytest.raises(PolicyFileError) as caught:
        load(write(tmp_path, ingest=text), {"zip-damaged"})
    assert [(mistake.line, mistake.field) for mistake in caught.value.mistakes] == [
        (2, "limits.depht"), (5, "findings.codes.zip-damagd"), (7, "findings.codes.Bad Code"),
    ]  # fmt: skip
    assert "did you mean zip-damaged?" in caught.value.mistakes[1].wrong
    alone = write(tmp_path, ingest="findings:\n  codes:\n    zip-damagd: hold\n")
    with pytest.raises(PolicyFileError, match=r"ingest\.yaml:3: "):
        load(alone, {"zip-damaged"})
    assert load(alone).ingest.findings.codes["zip-damagd"] == "hold"  # where nobody says which there are
