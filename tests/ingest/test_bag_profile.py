"""BagIt Profiles 1.4: what each field asks, where the profile is found, and what is told when it is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bagit
import pytest

from ingest.bag_profile import NotProfile, Shape, check, parse

Tianyi = Callable[..., Any]
URI = "https://example.org/profiles/letters-v1.json"
INFO = {"BagIt-Profile-Identifier": URI, "Source-Organization": "L", "External-Description": "D", "Version": "1"}
GOOD = Shape(
    version="1.0", tags=[("BagIt-Profile-Identifier", URI), ("Source-Organization", "York"), ("Contact-Name", "Ann")],
    manifests=frozenset({"sha256"}), tag_manifests=frozenset({"sha256"}), mime=frozenset(),
    files=[("bag-info.txt", 9), ("bagit.txt", 9), ("data/letters/a.txt", 1), ("metadata/dc.xml", 5),
           ("manifest-sha256.txt", 9), ("tagmanifest-sha256.txt", 9)],
)  # fmt: skip


def broken(fields: dict[str, Any], shape: Shape = GOOD) -> list[tuple[str, str]]:
    """The fields that the bag breaks, with paths."""
    profile = parse(json.dumps({"BagIt-Profile-Info": INFO, **fields}).encode())
    return [(found.code.removeprefix("bagit-profile-"), found.path) for found in check(profile, shape)]


KEPT = {
    "Bag-Info": {"source-organization": {"required": True, "values": ["York", "Simon Fraser"]}, "Other": {}},
    "Manifests-Required": ["SHA-256"], "Manifests-Allowed": ["sha256", "md5"], "Tag-Manifests-Required": ["sha256"],
    "Serialization": "optional", "Accept-Serialization": ["application/zip"], "Accept-BagIt-Version": ["0.97", "1.0"],
    "Tag-Files-Required": ["metadata/dc.xml"], "Tag-Files-Allowed": ["metadata/*"], "Allow-Fetch.txt": False,
    "Payload-Files-Required": ["data/letters/"], "Payload-Files-Allowed": ["data/letters/*"], "Of-Our-Own": 7,
}  # fmt: skip


def test_a_bag_that_keeps_to_its_profile_has_nothing_to_be_told() -> None:
    assert broken(KEPT) == []
    assert broken({}) == []


@pytest.mark.parametrize(("fields", "told"), [
    ({"Bag-Info": {"Bagging-Date": {"required": True}}}, [("bag-info", "bag-info.txt")]),
    ({"Bag-Info": {"Source-Organization": {"values": ["Simon Fraser"]}}}, [("bag-info", "bag-info.txt")]),
    ({"Manifests-Required": ["md5", "sha256"]}, [("manifests-required", "")]),
    ({"Manifests-Allowed": ["md5"]}, [("manifests-allowed", "")]),
    ({"Tag-Manifests-Required": ["sha512"]}, [("tag-manifests-required", "")]),
    ({"Tag-Manifests-Allowed": []}, [("tag-manifests-allowed", "")]),
    ({"Fetch.txt-Required": True}, [("fetch.txt-required", "fetch.txt")]),
    ({"Data-Empty": True}, [("data-empty", "data")]),
    ({"Tag-Files-Required": ["a.txt"]}, [("tag-files-required", "a.txt")]),
    ({"Tag-Files-Allowed": ["*.txt"]}, [("tag-files-allowed", "metadata/dc.xml")]),
    ({"Payload-Files-Required": ["data/photographs/"]}, [("payload-files-required", "data/photographs/")]),
    ({"Payload-Files-Allowed": ["data/*.pdf"]}, [("payload-files-allowed", "data/letters/a.txt")]),
    ({"Serialization": "required"}, [("serialization", "")]),
    ({"Accept-BagIt-Version": ["0.97"], "Manifests-Required": ["md5"]}, [("accept-bagit-version", "")]),
])  # fmt: skip
def test_each_field_has_its_code(fields: dict[str, Any], told: list[tuple[str, str]]) -> None:
    assert broken(fields) == told


def test_archives_fetch_txt_and_labels_that_come_twice() -> None:
    packed = replace(GOOD, mime=frozenset({"application/x-tar", "application/tar"}))
    assert broken({"Serialization": "forbidden"}, packed) == [("serialization", "")]
    assert broken({"Accept-Serialization": ["application/zip"]}, packed) == [("accept-serialization", "")]
    assert broken({"Accept-Serialization": ["application/tar"]}, packed) == []
    fetched = replace(GOOD, files=[*GOOD.files, ("fetch.txt", 3)])
    assert broken({"Allow-Fetch.txt": False}, fetched) == [("allow-fetch.txt", "fetch.txt")]
    assert broken({"Fetch.txt-Required": True, "Tag-Files-Allowed": ["metadata/*"]}, fetched) == []
    twice = replace(GOOD, tags=[*GOOD.tags, ("contact-name", "Ben")])
    assert broken({"Bag-Info": {"Contact-Name": {"repeatable": False}}}, twice) == [("bag-info", "bag-info.txt")]
    assert broken({}, replace(GOOD, tags=[])) == [("identifier", "bag-info.txt")]


def test_what_is_no_profile_is_refused() -> None:
    for data in (b"", b"[]", b"{}", b'{"BagIt-Profile-Info": {}}', b"[" * 100_000, b"\xff",
                 json.dumps({"BagIt-Profile-Info": INFO, "Manifests-Required": "md5"}).encode(),
                 json.dumps({"BagIt-Profile-Info": INFO, "Serialization": "maybe"}).encode()):  # fmt: skip
        with pytest.raises(NotProfile):
            parse(data)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    folder = tmp_path / "bag"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    bagit.make_bag(str(folder), {"BagIt-Profile-Identifier": URI}, checksums=["sha256"])
    return folder


def codes(answer: Any) -> dict[str, str]:
    return {found["code"]: found["severity"] for found in answer.said["findings"]}


def test_a_profile_is_given_or_found_by_its_identifier(tianyi: Tianyi, bag: Path, tmp_path: Path) -> None:
    fields = {"BagIt-Profile-Info": INFO, "Accept-BagIt-Version": ["0.97"], "Manifests-Required": ["sha512"]}
    profile, standards = tmp_path / "ours.json", tmp_path / "standards"
    profile.write_text(json.dumps(fields))
    answer = tianyi("validate", bag)
    assert (answer.said["valid"], codes(answer)) == (True, {"profile-unchecked": "info"})
    answer = tianyi("validate", bag, "--profile", profile)
    assert (answer.code, codes(answer)) == (5, {"bagit-profile-manifests-required": "error"})
    standards.mkdir()
    shutil.copy(profile, standards / "any name.json")
    assert codes(tianyi("validate", bag, "--standards", standards)) == codes(answer)
    (standards / "any name.json").unlink()
    (standards / "example.org" / "profiles").mkdir(parents=True)
    shutil.copy(profile, standards / "example.org" / "profiles" / "letters-v1.json")
    assert codes(tianyi("validate", bag, "--standards", standards)) == codes(answer)
    packed = shutil.make_archive(str(tmp_path / "packed"), "gztar", tmp_path, "bag")
    profile.write_text(json.dumps({**fields, "Accept-Serialization": ["application/zip"]}))
    assert set(codes(tianyi("validate", packed, "--profile", profile))) == {"bagit-profile-accept-serialization"}
    profile.write_text("[]")
    answer = tianyi("validate", bag, "--profile", profile)
    assert (answer.code, answer.said["code"]) == (5, "profile-invalid")
    answer = tianyi("validate", bag, "--profile", tmp_path / "none")
    assert (answer.code, answer.said["code"]) == (5, "profile-invalid")


def test_an_ingest_holds_bags_against_the_profiles_that_the_repository_has(
    tianyi: Tianyi, repository: Path, bag: Path
) -> None:  # fmt: skip
    settings, standards = repository / "tianyi.toml", repository / "standards"
    settings.write_text(settings.read_text() + '\n[standards]\nfolder = "standards"\n')
    answer = tianyi("ingest", bag, at=repository)
    assert (answer.said["outcome"], codes(answer)["profile-unchecked"]) == ("accepted", "info")
    standards.mkdir()
    (standards / "p.json").write_text(json.dumps({"BagIt-Profile-Info": INFO, "Tag-Manifests-Required": ["sha512"]}))
    answer = tianyi("ingest", bag, at=repository)
    assert answer.said["outcome"] == "rejected"
    assert codes(answer)["bagit-profile-tag-manifests-required"] == "error"
