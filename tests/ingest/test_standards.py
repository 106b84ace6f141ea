"""What schemas and other validators say beside us, by a folder of standards that the user names; never the network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from ingest.finding import Severity
from ingest.standards import Standards
from ingest.validation import validate
from policies.document import load
from storage.parallel import Inline
from tests.ingest.eark_package import ROOT, made
from tests.ingest.test_corpora import cases

Tianyi = Callable[..., Any]
HERE = Path(__file__).parents[2]
NOWHERE = "Not checked by roc-validator: "


def found(answer: Any, code: str) -> list[dict[str, Any]]:
    return [one for one in answer.said["findings"] if re.fullmatch(code, one["code"])]


@pytest.fixture(scope="session")
def roc_validator() -> str:
    """A Python that has it: that of `make validators`, else our own."""
    for python in (str(HERE / ".venv-validators" / "bin" / "python"), sys.executable):
        if Path(python).exists() and not subprocess.call([python, "-c", "import rocrate_validator"], stderr=-3):
            return python
    if os.environ.get("CI") == "true":
        pytest.fail("there is no roc-validator: run `make validators`")
    pytest.skip("there is no roc-validator: run `make validators`")


def test_without_a_folder_it_is_told_that_nobody_asked_the_schemas(tianyi: Tianyi, tmp_path: Path) -> None:
    answer = tianyi("validate", made(tmp_path))
    [mets], [premis] = found(answer, "mets-unchecked"), found(answer, "premis-unchecked")
    assert (answer.said["valid"], mets["severity"], premis["severity"]) == (True, "info", "info")
    assert all(name in mets["message"] for name in ("mets.xsd", "xlink.xsd", "DILCISExtensionMETS.xsd"))


def test_mets_and_premis_are_held_against_their_schemas(tianyi: Tianyi, tmp_path: Path, standards: Path) -> None:
    package = made(tmp_path)
    answer = tianyi("validate", package, "--standards", standards)
    assert (answer.said["valid"], found(answer, "mets-.*|premis-unchecked")) == (True, [])
    assert {one["severity"] for one in found(answer, "premis-schema")} == {"warning"}  # it has no object
    text = (package / ROOT).read_text("utf-8")
    (package / ROOT).write_text(text.replace("<dmdSec", "<dmdSek/><dmdSec", 1), "utf-8")
    line = text[: text.index("<dmdSec")].count("\n") + 1
    answer = tianyi("validate", package, "--standards", standards)
    [told] = found(answer, "mets-schema")
    assert (told["severity"], told["path"], told["message"].startswith(f"Line {line}: ")) == ("error", ROOT, True)
    assert "dmdSek" in told["message"]


def test_the_folder_may_be_named_from_where_one_is(
    tianyi: Tianyi, tmp_path: Path, standards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = made(tmp_path)
    named = tianyi("validate", package, "--standards", standards)
    monkeypatch.chdir(tmp_path)
    answer = tianyi("validate", package, "--standards", os.path.relpath(standards))
    assert answer.said == named.said
    assert Standards(Path(os.path.relpath(standards))).addresses == Standards(standards).addresses


def test_documents_in_an_archive_are_held_against_their_schemas_too(
    tianyi: Tianyi, tmp_path: Path, standards: Path
) -> None:  # fmt: skip
    package = made(tmp_path)
    folder = tianyi("validate", package, "--standards", standards)
    archive = shutil.make_archive(f"{tmp_path}/a", "zip", tmp_path, "package")
    packed = tianyi("validate", archive, "--standards", standards)
    assert found(packed, "mets-.*|premis-.*") == found(folder, "mets-.*|premis-.*") != []


def test_a_document_with_a_thousand_errors_is_told_of_shortly(
    tianyi: Tianyi, tmp_path: Path, standards: Path
) -> None:  # fmt: skip
    package = made(tmp_path)
    text = (
        (package / ROOT)
        .read_text("utf-8")
        .replace("<fileGrp ", "".join(f"<x{n}/>\n" for n in range(1_000)) + "<fileGrp ", 1)
    )
    (package / ROOT).write_text(text.replace("<file ", '<file WRONG="1" ').replace("<div ", '<div WRONG="1" '), "utf-8")
    told = found(tianyi("validate", package, "--standards", standards), "mets-schema")
    assert 1 < len(told) <= 100


def test_only_the_folder_is_asked_for_what_a_schema_imports(tianyi: Tianyi, tmp_path: Path, standards: Path) -> None:
    folder = tmp_path / "standards"
    shutil.copytree(standards / "schemas", folder)
    (folder / "xlink.xsd").write_text("<none/>")
    answer = tianyi("validate", made(tmp_path), "--standards", folder)
    assert (answer.said["valid"], len(found(answer, "mets-unchecked"))) == (True, 1)
    assert "XMLSchemaParseError" in found(answer, "mets-unchecked")[0]["message"]


def test_what_a_document_would_take_in_from_elsewhere_is_not(tianyi: Tianyi, tmp_path: Path, standards: Path) -> None:
    package, secret = made(tmp_path), tmp_path / "secret"
    secret.write_text("the canary sings")
    premis = package / "metadata/preservation/premis.xml"
    premis.write_text(
        f'<!DOCTYPE premis [<!ENTITY s SYSTEM "{secret.as_uri()}">]><premis xmlns="http://www.loc.gov/premis/v3">&s;</premis>'
    )
    answer = tianyi("validate", package, "--standards", standards)
    assert "document type" in found(answer, "premis-schema")[0]["message"]
    assert "canary" not in json.dumps(answer.said)


def test_a_repository_names_its_folder(tianyi: Tianyi, repository: Path, tmp_path: Path, standards: Path) -> None:
    settings, package = repository / "tianyi.toml", made(tmp_path)
    before = settings.read_text()
    settings.write_text(before + f'\n[standards]\nfolder = "{standards}"\n')
    assert found(tianyi("validate", package, at=repository), "mets-unchecked") == []
    settings.write_text(before + '\n[standards]\nfolders = "x"\n')
    answer = tianyi("validate", package, at=repository)
    assert (answer.code, answer.said["code"], "'folders'" in answer.said["message"]) == (5, "config-invalid", True)


def test_an_ingest_asks_the_schemas_that_the_repository_names(
    tianyi: Tianyi, repository: Path, tmp_path: Path, standards: Path
) -> None:  # fmt: skip
    package = made(tmp_path)
    assert found(tianyi("ingest", package, at=repository), "mets-.*") == []
    settings = repository / "tianyi.toml"
    settings.write_text(settings.read_text() + f'\n[standards]\nfolder = "{standards}"\n')
    answer = tianyi("ingest", package, at=repository)
    assert (answer.said["outcome"], {one["severity"] for one in found(answer, "premis-schema")}) == (
        "accepted",
        {"warning"},
    )
    text = (package / ROOT).read_text("utf-8")
    (package / ROOT).write_text(text.replace("<dmdSec", "<dmdSek/><dmdSec", 1), "utf-8")
    answer = tianyi("ingest", package, at=repository)
    assert (answer.said["outcome"], len(found(answer, "mets-schema"))) == ("rejected", 1)


def crate(folder: Path, **root: Any) -> Path:
    """A crate that says little; the context is RO-Crate's own unless `context` names more."""
    contexts = ["https://w3id.org/ro/crate/1.1/context", *root.pop("context", ())]
    graph = [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
         "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}},
        {"@id": "./", "@type": "Dataset", "name": "N", "description": "D", "datePublished": "2026-01-01",
         "license": {"@id": "https://example.org/l"}, **root},
        {"@id": "https://example.org/l", "@type": "CreativeWork", "name": "L", "description": "D"},
    ]  # fmt: skip
    folder.mkdir()
    (folder / "ro-crate-metadata.json").write_text(json.dumps({"@context": contexts, "@graph": graph}))
    return folder


def test_why_roc_validator_was_not_asked(
    tianyi: Tianyi, repository: Path, tmp_path: Path, standards: Path
) -> None:  # fmt: skip
    package = crate(tmp_path / "crate")
    [told] = found(tianyi("validate", package), "rocrate-unchecked")
    assert (told["severity"], told["message"].startswith(NOWHERE + "there is no context")) == ("info", True)
    answer = tianyi("validate", package, at=told_of(repository, standards, f"{tmp_path}/none"))
    [told] = found(answer, "rocrate-unchecked")
    assert (answer.said["valid"], "it is not installed" in told["message"]) == (True, True)


def told_of(repository: Path, standards: Path, roc_validator: str) -> Path:
    """The repository, with both in its settings."""
    table = f'\n[standards]\nfolder = "{standards}"\nroc_validator = "{roc_validator}"\n'
    (repository / "tianyi.toml").write_text((repository / "tianyi.toml").read_text() + table)
    return repository


@pytest.mark.slow
def test_roc_validator_s_findings_stand_beside_ours(
    tianyi: Tianyi, repository: Path, tmp_path: Path, standards: Path, roc_validator: str
) -> None:
    told_of(repository, standards, roc_validator)
    answer = tianyi("validate", crate(tmp_path / "bad", name=None), at=repository)
    theirs = found(answer, r"ro-crate-1\.1_.*")
    assert (answer.code, {one["severity"] for one in theirs}) == (5, {"warning", "error"})
    assert {"author", "name"} <= {word for one in theirs for word in re.findall(r"`(\w+)`", one["message"])}
    assert {one["path"] for one in theirs} == {"./"}


@pytest.mark.slow
def test_contexts_of_others_are_found_where_their_address_says(
    tianyi: Tianyi, repository: Path, tmp_path: Path, standards: Path, roc_validator: str
) -> None:
    told_of(repository, standards, roc_validator)
    package = crate(tmp_path / "crate", context=["https://example.org/terms/context"])
    [told] = found(tianyi("validate", package, at=repository), "rocrate-unchecked")
    assert "https://example.org/terms/context, which the crate relies on" in told["message"]
    mirror = tmp_path / "mirror"
    (mirror / "example.org" / "terms").mkdir(parents=True)
    (mirror / "example.org" / "terms" / "context").write_text('{"@context": {}}')
    shutil.copytree(standards / "rocrate", mirror / "rocrate")
    answer = tianyi("validate", package, "--standards", mirror, at=repository)
    assert (answer.said["valid"], found(answer, "rocrate-unchecked")) == (True, [])
    assert {one["severity"] for one in found(answer, r"ro-crate-1\.1_.*")} == {"warning"}


# Cases that roc-validator judges otherwise than their folder says, and why.
OTHERWISE = {"valid/rocrate-with-at-base-set": "its context sets @base, by which the root's @id no longer ends in /"}
UNCHECKED = 62  # cases whose JSON-LD contexts are not at hand


@pytest.mark.slow
@pytest.mark.parametrize("third", [0, *(pytest.param(number, marks=pytest.mark.exhaustive) for number in (1, 2))])
def test_crates_are_judged_by_roc_validator_as_its_authors_judge_them(
    corpus: Any, standards: Path, roc_validator: str, third: int
) -> None:  # fmt: skip
    """An invalid case has an error or a warning of it, a valid one no error; or a context is not at hand. Every third
    case, as each takes a second; the others by `make test-every`."""
    some = cases(corpus("rocrate"))[third::3]
    known = OTHERWISE.keys() & {"/".join(package.parts[-2:]) for package, _ in some}
    beside, policy = Standards(standards, roc_validator), load(None).ingest

    def judged(case: tuple[Path, str]) -> str:
        """ "" where it is judged as expected, "unchecked", or the case."""
        package, expected = case
        findings = validate(package, policy, lambda files, size: nullcontext(Inline()), standards=beside).findings
        if told := [one.message for one in findings if one.code == "rocrate-unchecked"]:
            assert (package, "which the crate relies on" in told[0]) == (package, True)
            return "unchecked"
        theirs = {one.severity for one in findings if re.fullmatch(r"[a-z-]+-[0-9.]+_[0-9.]+", one.code)}
        broken = theirs if expected == "invalid" else {one for one in theirs if one is Severity.ERROR}
        right = expected not in ("valid", "invalid") or bool(broken) is (expected == "invalid")
        return "" if right else "/".join(package.parts[-2:])

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        verdicts = Counter(threads.map(judged, some))
    assert verdicts.keys() - {"", "unchecked"} == known
    assert verdicts["unchecked"] <= UNCHECKED
