"""Proofs of real holdings: by themselves, in DIPs, against what a DIP holds, and where nothing is signed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fixity.verify_proof import Options
from tests.conftest import Tianyi, tree_of
from tests.fixity.test_proof import failure

SAMPLE = Path(__file__).parents[2] / "samples" / "accession"


@pytest.fixture
def archive(repository: Path, tianyi: Tianyi) -> Path:
    assert tianyi("ingest", SAMPLE, at=repository).code == 0
    return repository


def key(archive: Path) -> str:
    return (archive / "keys" / "ledger.pub").read_text().splitlines()[0]


def test_a_proof_of_an_aip(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    said = tianyi("ledger", "prove", "1", "--to", tmp_path, at=archive)
    assert said.code != 0
    [aip] = tianyi("list", at=archive).rows
    said = tianyi("ledger", "prove", aip["accession"], "--to", tmp_path / "out", at=archive)
    assert (said.code, said.said["versions"], said.said["unsigned"]) == (0, [1], [])
    proof = Path(said.said["proof"])
    assert proof == tmp_path / "out" / f"proof-{aip['accession']}.json"
    assert (tmp_path / "out" / "verify_proof.py").is_file()
    assert failure(proof.read_bytes(), Options(key=key(archive))) == ""


def test_whoever_knows_an_older_key_is_led_to_the_newer(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    [aip] = tianyi("list", at=archive).rows
    first = key(archive)
    for _ in range(2):
        assert tianyi("ledger", "rotate-key", at=archive).code == 0
        said = tianyi("ledger", "prove", aip["aip"], "--to", tmp_path, at=archive).said
        proof = Path(said["proof"]).read_bytes()
        assert key(archive) != first
        assert failure(proof, Options(key=first)) == failure(proof, Options(key=key(archive))) == ""
    (archive / "keys" / "ledger.key").unlink()
    assert tianyi("ledger", "replace-lost-key", "--reason", "burnt", at=archive).code == 0
    said = tianyi("ledger", "prove", aip["aip"], "--to", tmp_path, at=archive).said
    proof = Path(said["proof"]).read_bytes()
    assert "given up as lost" in failure(proof, Options(key=first))
    assert failure(proof, Options(key=key(archive))) == ""


@pytest.mark.parametrize("names", ["portable", "rfc"])
def test_a_bag_is_held_against_its_proof(archive: Path, tmp_path: Path, tianyi: Tianyi, names: str) -> None:
    [aip] = tianyi("list", at=archive).rows
    bag = tmp_path / "bag"
    said = tianyi("export", aip["aip"], bag, "--names", names, at=archive).said
    proof = Path(said["proof"])
    assert (bag in proof.parents) == (names == "portable")
    assert tianyi("validate", bag).code == 0
    held = Options(bag=str(bag), key=key(archive))
    assert failure(proof.read_bytes(), held) == ""
    victim = next(path for path in sorted((bag / "data" / "representations").rglob("*")) if path.is_file())
    content = victim.read_bytes()
    victim.write_bytes(content + b"!")
    assert "is not what the manifest says" in failure(proof.read_bytes(), held)
    victim.unlink()
    assert "cannot be read" in failure(proof.read_bytes(), held)
    victim.write_bytes(content)
    (bag / "data" / "more").write_bytes(b"")
    assert "does not list" in failure(proof.read_bytes(), held)
    (bag / "data" / "more").unlink()
    (bag / "bag-info.txt").write_bytes(b"Source-Organization: somebody else\n")
    assert "not what was logged" in failure(proof.read_bytes(), held)


@pytest.mark.parametrize("form", ["folder", "rocrate"])
def test_plain_files_are_held_against_their_proof(archive: Path, tmp_path: Path, tianyi: Tianyi, form: str) -> None:
    [aip] = tianyi("list", at=archive).rows
    dip = tmp_path / "dip"
    proof = Path(tianyi("export", aip["aip"], dip, "--as", form, at=archive).said["proof"])
    folder = dip if form == "folder" else dip / "data"
    held = Options(files=str(folder), beside=str(proof.parent))
    assert failure(proof.read_bytes(), held) == ""
    if form == "folder":
        assert tree_of(dip).keys() == tree_of(SAMPLE).keys()
    else:
        known = {one["@id"] for one in json.loads((dip / "ro-crate-metadata.json").read_text("utf-8"))["@graph"]}
        assert {f"proof/{path.name}" for path in proof.parent.iterdir()} <= known
    (folder / "more.txt").write_bytes(b"not of the archive")
    assert "is no file of version 1" in failure(proof.read_bytes(), held)


def test_a_folder_is_not_given_out_over_an_older_proof(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    [aip] = tianyi("list", at=archive).rows
    (tmp_path / "dip.proof").mkdir()
    (tmp_path / "dip.proof" / "mine").write_bytes(b"")
    assert tianyi("export", aip["aip"], tmp_path / "dip", "--as", "folder", at=archive).said["code"] == "not-empty"
    assert not (tmp_path / "dip").exists()
    (tmp_path / "dip.proof" / "mine").unlink()
    for _ in range(2):  # the second time it replaces its own
        assert tianyi("export", aip["aip"], tmp_path / "dip", "--as", "folder", at=archive).code == 0
        shutil.rmtree(tmp_path / "dip")


def test_a_version_s_dip_proves_that_version(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    assert tianyi("migrate", "run", at=archive).code == 0
    [aip] = tianyi("list", at=archive).rows
    assert aip["versions"] == 2
    for version in (1, 2):
        said = tianyi("export", aip["aip"], tmp_path / f"v{version}", "--version", version, at=archive).said
        proof = json.loads(Path(said["proof"]).read_bytes())
        assert [record["version"] for record in proof["records"]] == [version]
    both = tianyi("ledger", "prove", aip["aip"], "--to", tmp_path, at=archive).said
    assert both["versions"] == [1, 2]
    held = Options(bag=str(tmp_path / "v1"))
    assert failure(Path(both["proof"]).read_bytes(), held) == ""


def test_where_nothing_is_signed_dips_go_out_without(archive: Path, copies: tuple[Path, Path], tmp_path: Path,
                                                     tianyi: Tianyi) -> None:  # fmt: skip
    [aip] = tianyi("list", at=archive).rows
    for copy in copies:
        (copy / "log" / "checkpoint").unlink()
    said = tianyi("export", aip["aip"], tmp_path / "bag", at=archive)
    assert (said.code, said.said["proof"]) == (0, None)
    assert tianyi("validate", tmp_path / "bag").code == 0
