"""While a policy file has a mistake, how things stand is shown by what was last in force, and the mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from repository import Repository
from tests.conftest import Answer, Tianyi
from tests.repository.test_copies import archive

__all__ = ["archive"]  # the fixture
IN_FORCE, MISTAKEN = "every: 30 days\njobs: {audit: {every: 2 hours}}\n", "every: 30 days\nevry: 3 days\n"
SHOWING = {"jobs": ("jobs",), "status": ("audit", "status"), "verify": ("ledger", "verify")}


def write(archive: Path, policy: str) -> None:
    (archive / "policies" / "audit.yaml").write_text(policy)


@pytest.fixture
def mistaken(archive: Path, tianyi: Tianyi) -> Path:
    """A repository whose promises are on record, and whose policy has a mistake since."""
    write(archive, IN_FORCE)
    with Repository.open(archive) as repository:
        repository.note_changes()
    assert tianyi("audit", at=archive).code == 0
    write(archive, MISTAKEN)
    return archive


def mistake(answer: Answer) -> dict[str, str]:
    """What a command's JSON tells of it: its last line, or a member of its one object."""
    told: dict[str, str] = answer.rows[-1].get("policy", answer.rows[-1])
    return told


@pytest.mark.parametrize("command", SHOWING)
def test_what_shows_how_things_stand_answers_and_tells_the_mistake(
    mistaken: Path, tianyi: Tianyi, command: str
) -> None:
    answer = tianyi(*SHOWING[command], at=mistaken)
    place = f"{mistaken / 'policies' / 'audit.yaml'}:2: evry"
    assert answer.code == 6
    assert (mistake(answer)["code"], mistake(answer)["message"].startswith(place)) == ("policy-invalid", True)
    assert mistake(answer)["next"]
    assert "last in force" in answer.errors
    assert place in answer.errors


def test_it_goes_by_the_policies_last_on_record(mistaken: Path, tianyi: Tianyi) -> None:
    [job] = [row for row in tianyi("jobs", at=mistaken).rows if row.get("name") == "audit"]
    assert job["every"] == 2 * 3_600
    [first, *_] = tianyi("audit", "status", at=mistaken).said["copies"]
    assert [promise["every"] for promise in first["promises"]] == [30 * 86_400]


def test_where_none_are_on_record_by_what_ships(archive: Path, tianyi: Tianyi) -> None:
    write(archive, MISTAKEN)
    jobs = tianyi("jobs", at=archive)
    assert (jobs.code, len(jobs.rows) > 5, mistake(jobs)["code"]) == (6, True, "policy-invalid")
    status = tianyi("audit", "status", at=archive)
    assert {promise["every"] for one in status.said["copies"] for promise in one["promises"]} == {90 * 86_400}


def test_damage_counts_for_more(mistaken: Path, tianyi: Tianyi) -> None:
    blob = next((mistaken / "vault").rglob("blobs/*/*/*"))
    blob.chmod(0o644)
    blob.write_bytes(b"not what it was")
    write(mistaken, IN_FORCE)
    assert tianyi("audit", at=mistaken).code == 3
    write(mistaken, MISTAKEN)
    assert tianyi("audit", "status", at=mistaken).code == 3
    repaired = tianyi("repair", at=mistaken)  # what is healed is told, whatever policies say
    assert (repaired.code, repaired.said["repaired"], mistake(repaired)["code"]) == (6, 1, "policy-invalid")


def test_what_decides_by_a_policy_stops_at_it(mistaken: Path, tianyi: Tianyi) -> None:
    for command in (("migrate", "plan"), ("sweep",), ("ledger", "publish")):
        answer = tianyi(*command, at=mistaken)
        assert (answer.code, answer.said["code"]) == (5, "policy-invalid")


def test_once_mended_nothing_is_told(mistaken: Path, tianyi: Tianyi) -> None:
    write(mistaken, IN_FORCE)
    assert [tianyi(*line, at=mistaken).code for line in SHOWING.values()] == [0, 0, 0]
    assert tianyi("audit", "status", at=mistaken).said["policy"] is None
