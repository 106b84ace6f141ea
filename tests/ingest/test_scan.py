"""The virus scan of an ingest: what is infected is held, what was not scanned is told, what came of it is on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from repository import Repository
from tests.conftest import Tianyi
from tests.servers.clamd import INFECTED, NAME, STREAM_MAX, Running
from tests.servers.pretender import pretending, silent

CODES = ("infected", "not-scanned", "scan-limits")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "letter.txt").write_text("a letter\n")
    (folder / "empty").touch()
    return folder


def configure(repository: Path, address: str, seconds: int = 30) -> None:
    with (repository / "tianyi.toml").open("a") as file:
        file.write(f'\n[scan]\nclamd = "{address}"\nseconds = {seconds}\n')


def findings(said: dict[str, object]) -> list[tuple[str, str, str]]:
    found = said["findings"]
    assert isinstance(found, list)
    return [(one["code"], one["path"], one["message"]) for one in found if one["code"] in CODES]


def check(repository: Path, aip: str) -> tuple[str, str, str]:
    """Outcome, note and agents of the virus check."""
    with Repository.open(repository) as opened:
        [event] = [one for one in opened.events(aip) if one.type == "virus check"]
        return event.outcome, str(event.detail["note"]), event.agent


def blobs(vault: Path) -> set[bytes]:
    return {path.read_bytes() for path in (vault / "blobs").rglob("*") if path.is_file()}


def test_clean_files_are_accepted_and_premis_names_the_scanner(
    repository: Path, source: Path, clamd: Running, tianyi: Tianyi
) -> None:
    configure(repository, clamd.address)
    said = tianyi("ingest", source, at=repository).said
    assert (said["outcome"], findings(said)) == ("accepted", [])
    outcome, note, agent = check(repository, said["aip"])
    assert (outcome, note) == ("pass", "2 clean files")
    assert agent.startswith("ClamAV 1.")
    [commit] = [row for row in tianyi("events", at=repository).rows if "record" in row["detail"]]
    assert commit["detail"]["scan"] == "pass"


def test_without_a_scanner_it_is_said_that_none_was_asked(repository: Path, source: Path, tianyi: Tianyi) -> None:
    said = tianyi("ingest", source, at=repository).said
    assert findings(said) == []
    assert check(repository, said["aip"])[:2] == ("not checked", "no virus scanner is configured")


def test_what_is_infected_is_held_and_nothing_of_it_is_in_the_vault(
    repository: Path, source: Path, copies: tuple[Path, Path], clamd: Running, tianyi: Tianyi
) -> None:
    configure(repository, clamd.tcp)
    (source / "game.exe").write_bytes(INFECTED)
    answer = tianyi("ingest", source, at=repository)
    assert (answer.code, answer.said["outcome"]) == (6, "held")
    assert findings(answer.said) == [("infected", "game.exe", f"The virus scanner found {NAME}.")]
    assert not any(INFECTED in blobs(copy) for copy in copies)
    [refusal] = [row for row in tianyi("events", at=repository).rows if row["outcome"] == "held"]
    assert refusal["detail"]["scan"] == "fail"


def test_what_is_infected_can_be_accepted_by_a_person(
    repository: Path, source: Path, copies: tuple[Path, Path], clamd: Running, tianyi: Tianyi
) -> None:
    configure(repository, clamd.address)
    (source / "sample").write_bytes(INFECTED)
    said = tianyi("ingest", source, "--accept-held", "It is a sample for the study of viruses.", at=repository).said
    assert said["outcome"] == "accepted"
    assert all(INFECTED in blobs(copy) for copy in copies)
    assert check(repository, said["aip"])[:2] == ("fail", "2 clean, 1 infected files")
    assert tianyi("audit", at=repository).code == 0


def test_an_infected_file_never_gets_a_name_though_batches_settle_before(
    repository: Path, source: Path, copies: tuple[Path, Path], clamd: Running, monkeypatch: pytest.MonkeyPatch,
    tianyi: Tianyi,
) -> None:  # fmt: skip
    monkeypatch.setattr("ingest.intake.BATCH_FILES", 1)
    configure(repository, clamd.address)
    (source / "game.exe").write_bytes(INFECTED)
    assert tianyi("ingest", source, at=repository).said["outcome"] == "held"
    assert b"a letter\n" in blobs(copies[0])  # left over: the sweep removes it
    assert INFECTED not in blobs(copies[0])


def test_what_was_not_scanned_is_told_and_the_policy_decides(
    repository: Path, source: Path, clamd: Running, tianyi: Tianyi
) -> None:
    configure(repository, clamd.address)
    with (source / "film").open("wb") as film:
        film.truncate(5 * STREAM_MAX)
    said = tianyi("ingest", source, at=repository).said
    told = "It was not scanned for viruses: clamd says INSTREAM size limit exceeded."
    assert (said["outcome"], findings(said)) == ("accepted", [("not-scanned", "film", told)])
    assert check(repository, said["aip"])[:2] == ("not checked", "2 clean, 1 not scanned files")
    (repository / "policies" / "ingest.yaml").write_text("findings: {codes: {not-scanned: hold}}\n")
    assert tianyi("ingest", source, at=repository).said["outcome"] == "held"


def test_a_clamd_that_hides_its_limits_is_told(repository: Path, source: Path, mute: Running, tianyi: Tianyi) -> None:
    configure(repository, mute.address)
    said = tianyi("ingest", source, at=repository).said
    assert [code for code, _, _ in findings(said)] == ["scan-limits"]
    outcome, note, _ = check(repository, said["aip"])
    assert outcome == "not checked"
    assert "AlertExceedsMax" in note


def test_a_clamd_that_is_not_there_or_hangs_stops_nothing(
    repository: Path, source: Path, tmp_path: Path, tianyi: Tianyi
) -> None:
    configure(repository, f"unix:{tmp_path}/nowhere", seconds=1)
    said = tianyi("ingest", source, at=repository).said
    assert said["outcome"] == "accepted"
    assert [(code, path) for code, path, _ in findings(said)] == [
        ("not-scanned", "empty"),
        ("not-scanned", "letter.txt"),
    ]
    with pretending(tmp_path / "nowhere", silent):
        said = tianyi("ingest", source, at=repository).said
    assert [path for _, path, _ in findings(said)] == ["empty", "letter.txt"]
    assert check(repository, said["aip"])[0] == "not checked"


def test_workers_scan_too(repository: Path, source: Path, clamd: Running, tianyi: Tianyi) -> None:
    configure(repository, clamd.address)
    for number in range(600):
        (source / f"{number}").write_bytes(INFECTED if number == 321 else b"%d" % number)
    said = tianyi("ingest", source, at=repository).said
    assert [(code, path) for code, path, _ in findings(said)] == [("infected", "321")]


@pytest.mark.parametrize(
    "table", ["clamd = 'clamd.ctl'", "seconds = 5", "clamd = 'unix:/s'\nseconds = 0", "clamd = 'unix:/s'\nsocket = 'x'"]
)
def test_a_scanner_that_cannot_be_meant_is_refused(repository: Path, table: str, tianyi: Tianyi) -> None:
    with (repository / "tianyi.toml").open("a") as file:
        file.write(f"\n[scan]\n{table}\n")
    answer = tianyi("list", at=repository)
    assert (answer.code, answer.said["code"]) == (5, "config-invalid")
