"""Newer signatures, what they would change, and what officers say that files are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.droid_files import CONTAINERS, FORMATS, signature_file, zipped

Tianyi = Callable[..., Any]
Files = tuple[Path, Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """DROID's files, of a version that knows a book in a zip, and what has "anywhere" in it."""
    return _written(tmp_path / "droid", signature_file())


def _written(folder: Path, signatures: bytes) -> Files:
    folder.mkdir()
    (folder / "DROID.xml").write_bytes(signatures)
    (folder / "CONTAINER.xml").write_text(CONTAINERS)
    return folder / "DROID.xml", folder / "CONTAINER.xml"


@pytest.fixture
def aip(tianyi: Tianyi, repository: Path, tmp_path: Path) -> str:
    source = tmp_path / "delivery"
    source.mkdir()
    (source / "a.book").write_bytes(zipped(mimetype=b"a book", content_xml=b""))
    (source / "b.pdf").write_bytes(b"%PDF-1.4\nanywhere\n%%EOF\n")
    (source / "c").write_bytes(b"%PDF-1.4\n%%EOF\n")
    answer = tianyi("ingest", source, at=repository)
    assert answer.said["outcome"] == "accepted"
    return str(answer.said["aip"])


def held(tianyi: Tianyi, repository: Path, aip: str) -> dict[str, tuple[list[str], str]]:
    rows = tianyi("files", aip, at=repository).rows
    return {row["path"].rpartition("/")[2]: (row["puids"], row["basis"]) for row in rows}


def drifted(tianyi: Tianyi, repository: Path, *options: object) -> dict[str, tuple[list[str], list[str]]]:
    answer = tianyi("signatures", "drift", *options, at=repository)
    assert answer.code == 0, answer
    return {row["file"].rpartition("/")[2]: (row["was"], row["would_be"]) for row in answer.rows}


def test_signatures_are_imported_named_and_used_from_then_on(
    tianyi: Tianyi, repository: Path, files: Files, aip: str, tmp_path: Path
) -> None:
    before = tianyi("signatures", "list", at=repository).said
    assert (before["version"][:10], before["puids"], before["imported"]) == ("fido 1.6.1", 2257, None)
    answer = tianyi("--agent", "ann", "signatures", "import", *files, at=repository)
    assert (answer.code, answer.said["version"], answer.said["puids"]) == (0, "v9, containers v7", 5)
    assert answer.said["signatures"] == 5
    assert [(one["id"], one["puid"]) for one in answer.said["unusable"]] == [
        ("3", "fmt/4"), ("4", "fmt/4"), ("4", "fmt/404"), ("5", "fmt/4"),
    ]  # fmt: skip
    assert held(tianyi, repository, aip)["b.pdf"] == (["fmt/18"], "signature")  # what is on record stays
    new = tmp_path / "new"
    new.mkdir()
    (new / "n").write_bytes(b"1234anywhere")
    assert tianyi("identify", new, at=repository).rows[0]["puids"] == ["fmt/5"]
    taken = tianyi("ingest", new, at=repository).said["aip"]
    assert held(tianyi, repository, taken)["n"] == (["fmt/5"], "signature")
    agents = [event["agent"] for event in tianyi("events", taken, at=repository).rows]
    assert any("pronom v9, containers v7" in agent for agent in agents)
    [entry] = [event for event in tianyi("events", at=repository).rows if event["type"] == "signatures"]
    assert (entry["agent"], entry["outcome"]) == ("ann", "imported")
    again = tianyi("signatures", "import", *files, at=repository)
    assert again.said["imported"] == entry["time"]  # the same files are no other signatures


def test_the_vault_has_the_files_so_that_the_folder_and_the_catalogue_may_go(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], files: Files
) -> None:
    known = tianyi("signatures", "import", *files, at=repository).said
    [laid_out] = (repository / "signatures").iterdir()
    (laid_out / "signatures.xml").unlink()
    (laid_out / "containers.xml").chmod(0o644)
    (laid_out / "containers.xml").write_text("something else")
    for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm"):
        (repository / name).unlink(missing_ok=True)
    assert tianyi("signatures", "list", at=repository).said == known
    assert [(laid_out / name).read_bytes() for name in ("signatures.xml", "containers.xml")] == [
        file.read_bytes() for file in files
    ]
    told = tianyi("audit", at=repository).said  # they are evidence, in each copy
    assert (told["altered"], told["missing"], told["extra"]) == (0, 0, 0)
    assert tianyi("sweep", at=repository).code == 0
    assert all(any(b"FFSignatureFile" in path.read_bytes() for path in copy.rglob("blobs/*/*/*")) for copy in copies)


def test_drift_tells_what_would_change_before_anything_does(
    tianyi: Tianyi, repository: Path, files: Files, aip: str, tree: Any
) -> None:
    before = held(tianyi, repository, aip)
    assert drifted(tianyi, repository) == {}
    trial = ("--droid", files[0], "--containers", files[1])
    vault = tree(repository / "vault")
    changes = drifted(tianyi, repository, *trial)
    assert changes == {
        "a.book": (["x-fmt/263"], ["fmt/2"]), "b.pdf": (["fmt/18"], ["fmt/5"]), "c": (["fmt/18"], []),
    }  # fmt: skip
    assert tree(repository / "vault") == vault
    assert tianyi("signatures", "list", at=repository).said["imported"] is None
    assert tianyi("signatures", "import", *files, at=repository).code == 0
    assert drifted(tianyi, repository) == changes
    assert held(tianyi, repository, aip) == before
    assert not list((repository / "work" / "staging").iterdir())


def test_drift_says_what_it_could_not_read(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str
) -> None:
    digest = next(row["digest"] for row in tianyi("files", aip, at=repository).rows if row["path"].endswith("/c"))
    blobs = [next(copy.rglob(digest.partition(":")[2])) for copy in copies]
    blobs[0].unlink()
    assert drifted(tianyi, repository, "--all")["c"] == (["fmt/18"], ["fmt/18"])  # another copy has it
    blobs[1].unlink()
    answer = tianyi("signatures", "drift", at=repository)
    assert (answer.code, [row["file"].rpartition("/")[2] for row in answer.rows]) == (6, ["c"])
    assert "not in" in answer.rows[0]["error"]


def test_what_an_officer_says_wins_after_a_rebuild_a_new_version_and_over_drift(
    tianyi: Tianyi, repository: Path, files: Files, aip: str
) -> None:
    answer = tianyi(
        "--agent", "ann", "identify", "--set", "fmt/95", "--aip", aip, "--reason", "read by hand", "c", at=repository
    )  # fmt: skip
    assert answer.code == 0, answer
    assert [(row["puid"], row["was"]) for row in answer.rows] == [("fmt/95", ["fmt/18"])]
    assert held(tianyi, repository, aip)["c"] == (["fmt/95"], "officer")
    [shown] = tianyi("show", aip, at=repository).said["corrections"]
    assert (shown["agent"], shown["reason"], shown["was"]) == ("ann", "read by hand", ["fmt/18"])
    events = tianyi("events", aip, at=repository).rows
    [entry] = [event["detail"] for event in events if event["outcome"] == "corrected"]
    assert entry["why"] == "read by hand"
    assert not any(str(value).startswith("sha256:") for value in entry.values())  # it keeps no blob from a deletion
    catalogue = _tables(tianyi, repository, aip)
    assert tianyi("rebuild", at=repository).code == 0
    assert _tables(tianyi, repository, aip) == catalogue
    assert tianyi("signatures", "import", *files, at=repository).code == 0
    assert drifted(tianyi, repository, "--all")["c"] == (["fmt/95"], ["fmt/95"])
    digest = next(row["digest"] for row in tianyi("files", aip, at=repository).rows if row["path"].endswith("/c"))
    assert tianyi("identify", "--set", "fmt/5", "--reason", "a mistake", digest, at=repository).code == 0
    assert held(tianyi, repository, aip)["c"] == (["fmt/5"], "officer")


def test_a_file_that_is_migrated_is_what_an_officer_says(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    """A new version is taken into the catalogue, and a rebuild begins with the first: what was said stays."""
    source = tmp_path / "pictures"
    source.mkdir()
    picture = next((Path(__file__).parents[2] / "samples/accession/Pictures/BMP").glob("*.bmp"))
    (source / "a.bmp").write_bytes(picture.read_bytes())
    (source / "note").write_bytes(b"1234anywhere")
    aip = tianyi("ingest", source, at=repository).said["aip"]
    said = ("--aip", aip, "--reason", "known", "note")
    assert tianyi("identify", "--set", "x-fmt/111", *said, at=repository).code == 0
    assert tianyi("migrate", "run", at=repository).code == 0
    assert tianyi("show", aip, at=repository).said["versions"] == 2
    assert held(tianyi, repository, aip)["note"] == (["x-fmt/111"], "officer")
    assert tianyi("rebuild", at=repository).code == 0
    assert held(tianyi, repository, aip)["note"] == (["x-fmt/111"], "officer")


def _tables(tianyi: Tianyi, repository: Path, aip: str) -> list[str]:
    answers = (tianyi(command, aip, at=repository).rows for command in ("show", "files", "events"))
    return [json.dumps(rows, sort_keys=True) for rows in answers]


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("--set", "fmt/99999", "--reason", "so", "--aip", "2026-0001", "c"), "no-such-format", 4),
        (("--set", "fmt/18", "--aip", "AIP", "c"), "usage", 2),  # no reason
        (("--set", "fmt/18", "--reason", "so", "c"), "usage", 2),  # no AIP
        (("--set", "fmt/18", "--reason", "so", "--aip", "AIP", "c", "nothing"), "not-found", 4),
        (("--set", "fmt/18", "--reason", "so", f"sha256:{'0' * 64}"), "not-found", 4),
        (("--reason", "so", "."), "usage", 2),
    ],
)
def test_a_correction_that_cannot_be_meant_says_nothing(
    tianyi: Tianyi, repository: Path, aip: str, arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    before = tianyi("events", at=repository).rows
    answer = tianyi("identify", *(aip if one == "AIP" else one for one in arguments), at=repository)
    assert (answer.code, answer.said["code"]) == (exit_code, code)
    assert answer.said["next"]
    assert tianyi("events", at=repository).rows == before


def test_files_that_are_no_signatures_change_nothing(tianyi: Tianyi, repository: Path, files: Files) -> None:
    before = tianyi("events", at=repository).rows
    for pair, code in (
        ((files[1], files[0]), "signatures-invalid"), ((files[0], files[0]), "signatures-invalid"),
        ((files[0], files[0].with_name("none")), "no-such-package"),
    ):  # fmt: skip
        answer = tianyi("signatures", "import", *pair, at=repository)
        assert (answer.said["code"], bool(answer.said["next"])) == (code, True)
    one = tianyi("signatures", "drift", "--droid", files[0], at=repository)
    assert (one.code, one.said["code"]) == (2, "usage")
    assert tianyi("events", at=repository).rows == before
    assert not (repository / "signatures").exists()


def test_the_last_import_counts(tianyi: Tianyi, repository: Path, files: Files, tmp_path: Path) -> None:
    newer = _written(tmp_path / "newer", signature_file(FORMATS).replace(b'Version="9"', b'Version="10"'))
    for pair, version in ((newer, "v10"), (files, "v9"), (newer, "v10")):
        assert tianyi("signatures", "import", *pair, at=repository).code == 0
        assert tianyi("signatures", "list", at=repository).said["version"] == f"{version}, containers v7"
