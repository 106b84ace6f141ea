"""What the smaller jobs do: backups, the digest, drills, the review of retention; and what is changed by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from policies.jobs import JobName
from repository import Repository
from repository.job import _WORK, carry_out
from storage.digest import Digest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ELSEWHERE = {"sample", "checkpoint"}  # jobs whose bodies come with what they do


@pytest.fixture
def held(repository: Path, tmp_path: Path, tianyi: Any) -> Path:
    """A repository with an AIP."""
    (tmp_path / "delivery").mkdir()
    (tmp_path / "delivery" / "letter.txt").write_text("dear archive")
    assert tianyi("ingest", tmp_path / "delivery", at=repository).code == 0
    return repository


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def test_every_job_of_the_policy_has_a_body() -> None:
    assert set(_WORK) | ELSEWHERE == set(get_args(JobName))


def test_a_backup_is_a_catalogue_that_answers(held: Path) -> None:
    for day in range(9):
        done = carry_out(held, "backup", now=at(NOON + timedelta(days=day)))
        assert done.outcome == "success"
    kept = sorted(path.name for path in (held / "work" / "backups").iterdir())
    assert (len(kept), kept[-1]) == (7, "2026-01-09T120000Z")
    with closing(sqlite3.connect(held / "work" / "backups" / kept[-1] / "catalogue.db")) as db:
        assert db.execute("select count(*) from aips").fetchone() == (1,)


def test_what_is_no_database_is_told_and_no_fault(held: Path) -> None:
    (held / "work" / "state.db").write_bytes(bytes(range(256)) * 20)
    done = carry_out(held, "backup")
    assert (done.outcome, done.detail["code"]) == ("fail", "backup-failed")
    assert "state.db" in str(done.detail["message"])


def test_a_backup_goes_where_the_policy_says_and_never_into_a_copy(held: Path, tmp_path: Path) -> None:
    policy = held / "policies" / "audit.yaml"
    policy.write_text(f"backup: {{folder: {tmp_path / 'elsewhere'}, keep: 1}}\n")
    assert carry_out(held, "backup").outcome == "success"
    [made] = (tmp_path / "elsewhere").iterdir()
    assert sorted(path.name for path in made.iterdir()) == ["catalogue.db", "state.db"]
    policy.write_text("backup: {folder: vault/backups}\n")
    assert carry_out(held, "backup").outcome == "fail"
    assert not (held / "vault" / "backups").exists()


def test_the_digest_tells_of_the_time_since_the_last_one(held: Path) -> None:
    now = datetime.now(UTC)
    assert carry_out(held, "audit").outcome == "success"
    assert carry_out(held, "digest", now=at(now + timedelta(minutes=1))).outcome == "success"
    [file] = (held / "work" / "digests").iterdir()
    text = file.read_text()
    assert "Taken in: 1 AIP;" in text
    assert "0 files found altered, missing or unreadable" in text
    assert "- audit: 1 run\n" in text
    file.unlink()
    assert carry_out(held, "digest", now=at(now + timedelta(days=7))).outcome == "success"
    [file] = (held / "work" / "digests").iterdir()
    assert "Taken in: 0 AIPs;" in file.read_text()


def test_a_drill_by_schedule_restores(held: Path) -> None:
    run = carry_out(held, "drill")
    assert (run.outcome, run.detail["aips"], run.detail["different"]) == ("success", 1, 0)


def test_the_review_counts_what_waits(held: Path, tianyi: Any) -> None:
    settings = held / "tianyi.toml"
    settings.write_text(f'{settings.read_text()}\n[[agents]]\nname = "chen"\n')
    with Repository.open(held, agent="chen") as opened:
        [aip] = opened.aips()
        opened.delete(aip.aip, "not ours")
    run = carry_out(held, "retention")
    assert (run.outcome, run.detail["requested"], run.detail["holds"]) == ("success", 1, 0)


class TestWhatPeopleChangeByHand:
    def noted(self, archive: Path) -> list[tuple[str, str]]:
        with Repository.open(archive) as opened:
            kinds = ("policy", "configuration")
            return [(event.type, event.outcome) for event in opened.events() if event.type in kinds]

    def test_a_policy_that_is_edited_is_an_entry_once_with_its_text(self, held: Path, tianyi: Any) -> None:
        assert self.noted(held) == []  # as it ships
        (held / "policies" / "audit.yaml").write_text("every: 30 days\n")
        for _ in range(2):
            assert tianyi("replicate", at=held).code == 0
        assert self.noted(held) == [("policy", "changed")]
        with Repository.open(held) as opened:
            [event] = [event for event in opened.events() if event.type == "policy"]
            with opened.vault.open(Digest.parse(event.detail["policy"])) as stream:
                assert stream.read() == opened.policies().to_bytes()

    def test_so_are_the_settings_whose_text_is_not_kept(self, held: Path, tianyi: Any) -> None:
        settings = held / "tianyi.toml"
        settings.write_text(f'{settings.read_text()}\n[alerts]\nto = ["json://user:secret@example.org"]\n')
        for _ in range(2):
            assert tianyi("replicate", at=held).code == 0
        assert self.noted(held) == [("configuration", "changed")]
        vault = b"".join(path.read_bytes() for path in (held / "vault").rglob("*") if path.is_file())
        assert b"secret" not in vault

    def test_what_a_command_changes_is_told_by_its_own_entry(self, held: Path, tmp_path: Path, tianyi: Any) -> None:
        assert tianyi("copies", "add", "third", tmp_path / "third", at=held).code == 0
        assert tianyi("replicate", at=held).code == 0
        assert tianyi("copies", "promote", "third", at=held).code == 0
        assert tianyi("replicate", at=held).code == 0
        assert self.noted(held) == [("configuration", "added"), ("configuration", "promoted")]
