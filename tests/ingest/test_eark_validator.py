"""What eark-validator says beside us: never an error, offline, of a skeleton."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from ingest.eark_skeleton import lay_out
from ingest.finding import Severity
from ingest.item import Item
from ingest.standards import Standards
from ingest.validation import validate
from ingest.worklist import Worklist
from policies.document import load
from storage.namemap import Kind
from storage.parallel import Inline
from tests.ingest.eark_package import REP, ROOT, made

Tianyi = Callable[..., Any]
PYTHON = Path(__file__).parents[2] / ".venv-validators" / "bin" / "python"
NEWEST, WITHOUT_VERSION = "E-ARK-SIP-v2-2-0.xml", "E-ARK-SIP.xml"


@pytest.fixture(scope="session")
def eark_validator() -> str:
    """The Python of `make validators`; eark-validator takes one release of lxml, which is never ours."""
    there = "import importlib.metadata as known; known.version('eark-validator')"
    if PYTHON.exists() and not subprocess.call([PYTHON, "-c", there], stderr=-3):
        return str(PYTHON)
    if os.environ.get("CI") == "true":
        pytest.fail("there is no eark-validator: run `make validators`")
    pytest.skip("there is no eark-validator: run `make validators`")


@pytest.fixture
def told(standards: Path) -> Callable[..., dict[str, list[Any]]]:
    """`told(package, python)`: the findings by code, with the folder of standards of the tests or another."""

    def ask(package: Path, python: str, folder: Path = standards) -> dict[str, list[Any]]:
        beside = Standards(folder, eark_validator=python)
        answer = validate(package, load(None).ingest, lambda files, size: nullcontext(Inline()), standards=beside)
        found: dict[str, list[Any]] = {}
        for one in answer.findings:
            found.setdefault(one.code, []).append(one)
        return found

    return ask


def theirs(found: dict[str, list[Any]]) -> dict[str, set[Severity]]:
    return {code: {one.severity for one in some} for code, some in found.items() if code.startswith("eark-validator-")}


def test_it_is_asked_only_where_it_is_named_and_what_hinders_is_told(
    tianyi: Tianyi, repository: Path, tmp_path: Path
) -> None:  # fmt: skip
    package, settings = made(tmp_path), repository / "tianyi.toml"
    assert not [f for f in tianyi("validate", package, at=repository).said["findings"] if f["code"].startswith("eark")]
    settings.write_text(settings.read_text() + '\n[standards]\neark_validator = "/nowhere/python"\n')
    answer = tianyi("validate", package, at=repository)
    [one] = [f for f in answer.said["findings"] if f["code"].startswith("eark")]
    assert (answer.said["valid"], one["code"], one["severity"]) == (True, "eark-unchecked", "info")
    assert one["message"] == "Not checked by eark-validator: it is not installed for /nowhere/python."


@pytest.mark.slow
def test_its_findings_stand_beside_ours_and_weigh_less(tmp_path: Path, told: Any, eark_validator: str) -> None:
    package = made(tmp_path)
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "package")
    found = told(package, eark_validator)
    assert theirs(found)["eark-validator-SIP2"] == {Severity.INFO}  # the profile's version is newer than its rules
    assert set().union(*theirs(found).values()) == {Severity.INFO}
    assert re.match(r"eark-validator 1\.\d+\.\d+, by E-ARK 2\.1\.0, has an error at mets/fileSec/fileGrp\[1\]: ",
                    found["eark-validator-CSIP63"][0].message)  # fmt: skip
    assert "eark-unchecked" not in found
    assert theirs(told(tmp_path / "packed.zip", eark_validator)) == theirs(found)
    (package / ROOT).write_text((package / ROOT).read_text("utf-8").replace(NEWEST, WITHOUT_VERSION), "utf-8")
    found = theirs(told(package, eark_validator))
    assert ("eark-validator-SIP2" in found, found["eark-validator-CSIP63"]) == (False, {Severity.WARNING})


@pytest.mark.slow
def test_what_it_misses_is_found_by_ours(tmp_path: Path, told: Any, eark_validator: str) -> None:
    package = made(tmp_path)
    before = theirs(told(package, eark_validator))
    (package / "representations/rep1/data/letter 1.txt").write_text("another", "utf-8")
    (package / REP).write_text((package / REP).read_text("utf-8").replace('TYPE="PHYSICAL"', 'TYPE="LOGICAL"'), "utf-8")
    found = told(package, eark_validator)
    assert theirs(found) == before
    assert {one.severity for code in ("CSIP71", "CSIP80") for one in found.get(code, ())} == {Severity.ERROR}


@pytest.mark.slow
def test_it_is_not_given_what_could_harm(tmp_path: Path, told: Any, eark_validator: str, standards: Path) -> None:
    """Entities that name files, archives among the representations, links; nothing is fetched."""
    package, secret = made(tmp_path), tmp_path / "secret"
    secret.write_text("the canary sings")
    shutil.make_archive(str(package / "representations" / "bomb"), "zip", package / "schemas")
    (package / "representations" / "linked").symlink_to(package / "representations" / "rep1")
    text = (package / ROOT).read_text("utf-8")
    declared = text.replace("<mets ", f'<!DOCTYPE mets [<!ENTITY s SYSTEM "{secret.as_uri()}">]><mets ', 1)
    (package / ROOT).write_text(declared.replace("<name>By hand", "<name>&s;", 1), "utf-8")
    found = told(package, eark_validator)
    assert [one.message.count("has a document type declaration") for one in found["eark-unchecked"]] == [1, 1]
    assert {one.path for one in found["eark-validator-CSIPSTR12"]} == {"representations/bomb.zip"}
    assert "canary" not in json.dumps([one.message for some in found.values() for one in some])
    (package / ROOT).write_text(text, "utf-8")
    [one] = told(package, eark_validator, tmp_path)["eark-unchecked"]
    assert one.message.endswith("(rules): CSIPVocabularyContentCategory.xml is not in the folder of standards.")


@pytest.mark.slow
def test_a_part_that_crashes_leaves_the_others(tmp_path: Path, told: Any, eark_validator: str) -> None:
    package = made(tmp_path)
    text = (package / ROOT).read_text("utf-8")
    (package / ROOT).write_text(re.sub(r' CHECKSUM="\w+"', "", text, count=1), "utf-8")
    found = told(package, eark_validator)
    [one] = found["eark-unchecked"]
    assert one.message == "Not checked by eark-validator (schema): it ended with 1: KeyError: 'CHECKSUM'."
    assert {"CSIP29", "eark-validator-CSIP29"} <= found.keys()


# Of the corpus, whether it has the code that the case is about. It takes each of the valid ones for invalid, by others.
CASES = {
    "CSIP100/valid/minimal_IP_with_1_representation": False,
    "CSIP100/invalid/fileGrp_Schemas_but_missing_structMap": True,
    "CSIP100/invalid/structMap_does_not_point_at_Schemas": False,
    "CSIP71/invalid/file_wrong_CHECKSUM_value": False,
    "CSIPSTR4/invalid/IP_18000_CSIPSTR4_1": True,
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_packages_of_the_corpus(corpus: Any, told: Any, eark_validator: str, case: str) -> None:
    """What it misses is found by ours; where both see it, both tell it."""
    found = told(corpus("eark") / "cases/corpus/CSIP" / case, eark_validator)
    code, expected, _ = case.split("/")
    assert (code in found, f"eark-validator-{code}" in found) == (expected == "invalid", CASES[case])
    assert theirs(found)


def test_a_skeleton_of_what_is_a_file_and_a_folder(tmp_path: Path) -> None:
    """As an archive may have it."""
    worklist = Worklist()
    for name in (b"metadata", b"representations"):
        worklist.add(Item(Kind.FILE, name))
        worklist.add(Item(Kind.FOLDER, name + b"/descriptive"))
    assert lay_out(worklist, b"", tmp_path / "package") == [b"descriptive"]
    assert (tmp_path / "package" / "metadata" / "descriptive").is_dir()
