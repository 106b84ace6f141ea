"""Versions whose entries the ledger lost: told until a person says that they count, and then entered for good."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from repository import Repository, digest_text
from storage import layout
from storage.aip import Record, parse_record
from tests.conftest import Tianyi
from tests.repository.test_copies import answers, archive, take_in
from tests.repository.test_ledger import COPIES, root_of

__all__ = ["archive"]  # the fixture
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
RECOVER = ("ledger", "recover", "--reason", "the disk that had them broke")


@pytest.fixture
def lost(archive: Path, tmp_path: Path, tianyi: Tianyi) -> Path:
    """A delivery and another version of it came in after what all ledgers have; a person gave their entries up."""
    old = {copy: Path(shutil.copytree(root_of(archive, copy) / "log", tmp_path / f"log-{copy}")) for copy in COPIES}
    aip = take_in(tianyi, archive, "newer")
    take_in_again(tianyi, archive, aip, "a second version")
    for copy, log in old.items():
        shutil.rmtree(root_of(archive, copy) / "log")
        shutil.copytree(log, root_of(archive, copy) / "log")
    assert tianyi("audit", at=archive).said["code"] == "ledger-changed"
    assert tianyi(*RECOVER, at=archive).said["code"] == "ledger-changed"
    assert tianyi("copies", "promote", "first", at=archive).code == 0
    return archive


def take_in_again(tianyi: Tianyi, archive: Path, aip: str, text: str) -> None:
    delivery = archive.parent / "deliveries" / text
    delivery.mkdir(parents=True)
    (delivery / f"{text}.txt").write_text(text)
    assert tianyi("ingest", delivery, "--into", aip, "--add", at=archive).code == 0


def untold(tianyi: Tianyi, archive: Path) -> list[int]:
    return [one["version"] for one in tianyi("audit", at=archive).said["untold"]]


def alerts(tianyi: Tianyi, archive: Path) -> set[str]:
    return {one["about"] for one in tianyi("alerts", at=archive).rows if one["kind"] == "ledger"}


def commits(archive: Path) -> Iterator[dict[str, Any]]:
    with Repository.open(archive) as repository:
        for _, raw, event in repository.vault.ledger.read():
            if event.type == "commit":
                yield json.loads(raw)


def test_nothing_enters_them_by_itself(lost: Path, tianyi: Tianyi) -> None:
    for command in (("repair",), ("replicate",), ("rebuild",), ("audit",)):
        tianyi(*command, at=lost)
    assert untold(tianyi, lost) == [1, 2]
    [alert] = [one for one in tianyi("alerts", at=lost).rows if one["kind"] == "ledger"]
    assert (alert["about"], "ledger recover" in alert["next"]) == ("records", True)
    assert len(list(commits(lost))) == 2


def test_a_person_says_so_and_it_is_told_for_ever(lost: Path, tianyi: Tianyi) -> None:
    told = tianyi(*RECOVER, at=lost)
    assert (told.code, [one["version"] for one in told.said["entered"]], told.said["left"]) == (0, [1, 2], [])
    for entry in list(commits(lost))[2:]:
        assert (entry["detail"]["recovered"], entry["detail"]["why"]) == (True, RECOVER[-1])
    assert (untold(tianyi, lost), alerts(tianyi, lost)) == ([], set())
    verified = tianyi("ledger", "verify", at=lost)
    assert verified.code == 0
    assert "versions-recovered" in {one["code"] for one in verified.said["findings"]}
    assert tianyi("ledger", "prove", told.said["entered"][0]["aip"], "--to", lost.parent / "proof", at=lost).code == 0
    again = tianyi(*RECOVER, at=lost)
    assert (again.code, again.said["code"]) == (2, "usage")


def test_the_catalogue_made_again_says_the_same(lost: Path, tianyi: Tianyi) -> None:
    before = answers(tianyi, lost)[:3]
    assert tianyi(*RECOVER, at=lost).code == 0
    after, accessions = answers(tianyi, lost), tianyi("accessions", at=lost).rows
    assert after[:3] == before
    assert tianyi("rebuild", at=lost).code == 0
    assert (answers(tianyi, lost), tianyi("accessions", at=lost).rows) == (after, accessions)


def test_a_version_that_came_after_those_stays_the_newest(lost: Path, tianyi: Tianyi) -> None:
    [aip] = [row["aip"] for row in tianyi("list", at=lost).rows if row["versions"] == 2]
    take_in_again(tianyi, lost, aip, "a third")
    shown = tianyi("show", aip, at=lost).said, tianyi("files", aip, at=lost).rows
    assert tianyi("rebuild", at=lost).code == 0
    assert (tianyi("show", aip, at=lost).said, tianyi("files", aip, at=lost).rows) == shown
    assert tianyi(*RECOVER, at=lost).code == 0
    assert (tianyi("show", aip, at=lost).said, tianyi("files", aip, at=lost).rows) == shown
    assert tianyi("rebuild", at=lost).code == 0
    assert (tianyi("show", aip, at=lost).said, tianyi("files", aip, at=lost).rows) == shown


def test_two_records_that_differ_are_for_a_person(lost: Path, tianyi: Tianyi) -> None:
    [aip] = [row["aip"] for row in tianyi("list", at=lost).rows if row["versions"] == 2]
    path = next(root_of(lost, "copy-2").rglob(f"{aip.removeprefix('urn:uuid:')}/v2.json"))
    record = parse_record(path.read_bytes(), layout.AIPS)
    path.unlink()
    path.write_bytes(_by_somebody_else(record).to_bytes())
    told = tianyi(*RECOVER, at=lost)
    assert (told.code, [one["version"] for one in told.said["entered"]]) == (6, [1])
    assert [(one["version"], "differ" in one["why"]) for one in told.said["left"]] == [(2, True)]
    assert alerts(tianyi, lost) == {"records"}


def _by_somebody_else(record: Record) -> Record:
    members = {name: getattr(record, name) for name in Record.__dataclass_fields__}
    return Record(**{**members, "agent": "somebody else"})


def test_a_digest_does_not_call_them_new(lost: Path, tianyi: Tianyi) -> None:
    with Repository.open(lost) as repository:
        before = digest_text.of_ledger(repository.catalogue, _LONG_AGO, repository.now())
    assert tianyi(*RECOVER, at=lost).code == 0
    with Repository.open(lost) as repository:
        after = digest_text.of_ledger(repository.catalogue, _LONG_AGO, repository.now())
    assert (after.ingested, after.versions, after.recovered) == (before.ingested, before.versions, 2)
