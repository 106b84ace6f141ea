"""Scanning what is held again: with what was learnt since, from a copy that is whole, and as the policy asks for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from repository import Repository
from repository.job import carry_out
from storage.digest import sha256
from storage.layout import blob_key
from tests.conftest import Tianyi
from tests.ingest.test_scan import configure
from tests.servers.clamd import Running

LETTER = b"what nobody knew to be a virus: turn it round"


@pytest.fixture
def aip(repository: Path, tmp_path: Path, clamd: Running, tianyi: Tianyi) -> str:
    """An accession that was clean when it came, of which clamd has learnt better since."""
    configure(repository, clamd.address)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "letter").write_bytes(LETTER)
    (tmp_path / "source" / "other").write_bytes(b"other")
    taken: str = tianyi("ingest", tmp_path / "source", at=repository).said["aip"]
    clamd.stop()
    clamd.learn("Late", LETTER[:30])
    clamd.start()
    return taken


def counts(said: dict[str, Any]) -> tuple[int, int, int]:
    return said["scanned"], said["infected"], said["not_scanned"]


def test_what_was_clean_is_found_later(repository: Path, aip: str, tianyi: Tianyi) -> None:
    answer = tianyi("scan", at=repository)
    assert (answer.code, counts(answer.said)) == (6, (2, 1, 0))
    [found] = answer.said["findings"]
    assert (found["outcome"], found["aips"], found["why"]) == ("infected", [aip], "Late.UNOFFICIAL")
    assert found["files"][0]["path"].endswith("/letter")
    [event] = [row for row in tianyi("events", at=repository).rows if row["type"] == "virus check"]
    assert (event["outcome"], event["detail"]["infected"]) == ("fail", 1)
    assert tianyi("audit", at=repository).code == 0  # its list is evidence in both copies


def test_one_aip_alone(repository: Path, aip: str, tmp_path: Path, tianyi: Tianyi) -> None:
    (tmp_path / "source" / "letter").unlink()
    second = tianyi("ingest", tmp_path / "source", at=repository).said["aip"]
    assert counts(tianyi("scan", "--aip", second, at=repository).said) == (1, 0, 0)
    assert tianyi("scan", "--aip", "2020-0001", at=repository).code == 4


def test_the_job_scans_what_is_due(repository: Path, aip: str, clamd: Running) -> None:
    """A delivery that was clean counts as scanned; what was not scanned is due again; a rebuild knows the same."""
    with Repository.open(repository) as opened:
        later, half = opened.now() + timedelta(days=91), opened.now() + timedelta(days=50)
    assert carry_out(repository, "rescan").detail["scanned"] == 0
    (repository / "policies" / "audit.yaml").write_text("scan: 90 days\njobs: {rescan: {every: 1 day}}\n")
    with Repository.open(repository, now=lambda: later) as opened:
        done = opened.scan(every=timedelta(days=90))
        assert (done.scanned, done.infected) == (2, 1)
        before = list(opened.catalogue.rows("select * from scans order by digest"))
        assert [row["outcome"] for row in before].count("infected") == 1
        opened.rebuild()
        assert list(opened.catalogue.rows("select * from scans order by digest")) == before
        assert opened.scan(every=timedelta(days=90)).scanned == 0
    with Repository.open(repository, now=lambda: half) as opened:
        assert opened.scan(every=timedelta(days=90)).scanned == 2  # scanned in the future: a clock was wrong
    run = carry_out(repository, "rescan")
    assert (run.outcome, run.detail["scanned"]) == ("infected", 2)


def test_a_damaged_copy_is_not_what_is_scanned(
    repository: Path, copies: tuple[Path, Path], aip: str, tianyi: Tianyi
) -> None:
    key = blob_key(sha256(LETTER))
    for copy, expected in zip(copies, ((2, 1, 0), (1, 0, 1)), strict=True):
        (copy / key).chmod(0o644)
        (copy / key).write_bytes(b"rotten")
        answer = tianyi("scan", at=repository)
        assert counts(answer.said) == expected
    assert "no copy has it whole" in answer.said["findings"][0]["why"]
    with Repository.open(repository) as opened:
        later = opened.now() + timedelta(days=91)
    with Repository.open(repository, now=lambda: later) as opened:
        done = [opened.scan(every=timedelta(days=90)) for _ in range(2)]
        assert [(one.scanned, one.not_scanned) for one in done] == [(1, 1), (0, 1)]  # due until it was scanned


def test_without_a_scanner_it_says_so(repository: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    answer = tianyi("scan", at=repository)
    assert (answer.code, answer.said["code"]) == (4, "no-scanner")
    configure(repository, f"unix:{tmp_path}/nowhere")
    answer = tianyi("scan", at=repository)
    assert (answer.code, answer.said["code"]) == (6, "scanner-away")
    assert carry_out(repository, "rescan").outcome == "fail"


def test_what_a_clamd_that_hides_its_limits_calls_clean_is_due_again(
    repository: Path, tmp_path: Path, mute: Running, tianyi: Tianyi
) -> None:
    configure(repository, mute.address)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "letter").write_bytes(LETTER)
    assert tianyi("ingest", tmp_path / "source", at=repository).code == 0
    for _ in range(2):
        run = carry_out(repository, "rescan")
        assert (run.outcome, run.detail["scanned"]) == ("incomplete", 1)
