"""OCFL given out and checked: what we write, the library finds valid too, and nothing of others' is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ocfl as library
import pytest
from ocfl.validator import Validator

from tests.strategies import HOSTILE

Tianyi = Callable[..., Any]
PICTURE = Path(__file__).parents[2] / "samples/accession/Pictures/BMP/seal.bmp"


@pytest.fixture
def aip(tianyi: Tianyi, repository: Path, tmp_path: Path) -> str:
    """An AIP of two versions, with names of every kind."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "seal.bmp").write_bytes(PICTURE.read_bytes())
    for number, name in enumerate(HOSTILE):
        with open(bytes(source) + b"/" + name, "wb") as file:
            file.write(b"%d" % (number // 2))
    answer = tianyi("ingest", source, at=repository)
    assert answer.said["outcome"] == "accepted"
    return str(answer.said["aip"])


def is_valid(root: Path) -> bool:
    """What the library says of a storage root and every object in it."""
    judged = library.StorageRoot(root=str(root))
    return bool(judged.validate()) and judged.num_objects == judged.good_objects > 0


def test_a_root_is_written_and_grows(tianyi: Tianyi, repository: Path, aip: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    first = tianyi("export", aip, root, "--as", "ocfl", at=repository).said
    place = Path(first["dip"])
    assert (first["form"], place.parent.parent.parent.parent) == ("ocfl", root)
    assert is_valid(root)
    assert tianyi("migrate", "run", at=repository).code == 0
    assert tianyi("export", aip, root, "--as", "ocfl", at=repository).said["files"] < first["files"]
    assert tianyi("export", aip, root, "--as", "ocfl", at=repository).said["files"] == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a").write_bytes(b"a")
    other = tianyi("ingest", tmp_path / "other", at=repository).said["aip"]
    assert tianyi("export", other, root, "--as", "ocfl", at=repository).code == 0
    assert is_valid(root)
    for package in (root, place):
        verdict = tianyi("validate", package)
        assert {found["code"] for found in verdict.said["findings"]} == {"W004", "W008"}
        assert (verdict.said["kind"], verdict.said["valid"], verdict.code) == ("ocfl", True, 0)
    files = {row["path"]: row["digest"] for row in tianyi("files", aip, at=repository).rows}
    [state] = [block["state"] for name, block in inventory(place)["versions"].items() if name == "v2"]
    logical = {path: f"sha256:{digest}" for digest, paths in state.items() for path in paths}
    assert files.items() <= logical.items()
    assert any(path.startswith("data/metadata/preservation/premis-v2") for path in logical)
    events = tianyi("events", aip, at=repository).rows
    assert [row["detail"]["form"] for row in events if row["type"] == "dissemination"] == ["ocfl"] * 3


def inventory(place: Path) -> Any:
    return json.loads((place / "inventory.json").read_bytes())


def test_an_earlier_state_is_given_out(tianyi: Tianyi, repository: Path, aip: str, tmp_path: Path) -> None:
    assert tianyi("migrate", "run", at=repository).code == 0
    made = tianyi("export", aip, tmp_path / "root", "--as", "ocfl", "--version", "1", at=repository).said
    assert list(inventory(Path(made["dip"]))["versions"]) == ["v1"]
    assert Validator().validate_object(made["dip"])


@pytest.mark.parametrize("spoil", ["content", "inventory", "layout", "declaration", "nothing of ours", "other object"])
def test_what_is_not_valid_is_not_added_to(
    tianyi: Tianyi, repository: Path, aip: str, tmp_path: Path, tree: Any, spoil: str
) -> None:
    root = tmp_path / "root"
    place = Path(tianyi("export", aip, root, "--as", "ocfl", at=repository).said["dip"])
    assert tianyi("migrate", "run", at=repository).code == 0
    if spoil == "content":
        (place / "v1" / "content" / "bagit.txt").write_bytes(b"")
    elif spoil == "inventory":
        (place / "inventory.json").write_bytes(b"{}")
    elif spoil == "layout":
        (root / "ocfl_layout.json").write_text('{"extension": "0006-flat-omit-prefix-storage-layout"}')
    elif spoil == "declaration":
        (root / "0=ocfl_1.1").write_text("ocfl_1.0\n")
    elif spoil == "nothing of ours":
        (root / "0=ocfl_1.1").unlink()
    else:
        (place / "inventory.json").write_text(json.dumps({**inventory(place), "id": "urn:other"}))
    before = tree(root)
    answer = tianyi("export", aip, root, "--as", "ocfl", at=repository)
    assert (answer.code, answer.said["code"]) == (5, "not-ocfl")
    assert tree(root) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "root", "second", "source"]


def test_a_damaged_copy_is_passed_over(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, tmp_path: Path
) -> None:
    blobs = sorted(path for path in (copies[0] / "blobs").rglob("*") if path.is_file())
    for blob in blobs:
        blob.chmod(0o644)
        blob.write_bytes(blob.read_bytes() + b"!")
    answer = tianyi("export", aip, tmp_path / "root", "--as", "ocfl", at=repository).said
    assert (answer["bad_copies"], is_valid(tmp_path / "root")) == (["first"], True)
    for blob in copies[1].rglob("blobs/**/*"):
        if blob.is_file():
            blob.chmod(0o644)
            blob.write_bytes(b"!")
    answer = tianyi("export", aip, tmp_path / "again", "--as", "ocfl", at=repository)
    assert (answer.code, (tmp_path / "again").exists()) == (3, False)
