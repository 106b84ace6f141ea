"""Deletion from the first request to the sweep: who may, when, what goes and what stays, and what is known after it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixity.audit import is_damaged
from repository import Repository
from repository.disposal import NEXT, Request
from repository.errors import (
    AlreadyRequested,
    BadRequest,
    BadStep,
    NotYourAgent,
    RepositoryError,
    SameApprover,
    UndeclaredAgent,
    UnknownHold,
    UnknownRequest,
)  # fmt: skip
from storage.aip import parse_aip
from storage.digest import Digest
from storage.errors import Deleted, NotFound, SweepStopped
from storage.layout import blob_key, record_key, tombstone_key

Tianyi = Callable[..., Any]
Act = Callable[..., Repository]
START = datetime.now(UTC).replace(microsecond=0)
AGENTS = """
[[agents]]
name = "ann"
user = "uid-1"
[[agents]]
name = "ben"
user = "uid-2"
[[agents]]
name = "ann-at-night"
user = "uid-1"
"""


class Archive:
    """Two AIPs that share a file; whoever acts is a system's user of their own, at a day counted from now."""

    def __init__(self, folder: Path, copies: tuple[Path, Path]) -> None:
        self.folder, self.copies = folder, copies
        self.gone, self.stays = "", ""

    def at(self, day: float = 0, agent: str = "ann", user: str = "") -> Repository:
        user = user or {"ann": "uid-1", "ben": "uid-2"}.get(agent, "uid-9")
        return Repository.open(self.folder, agent=agent, user=user, now=lambda: START + timedelta(days=day))

    def requested(self) -> Request:
        with self.at() as repository:
            return repository.delete(self.gone, "a duplicate")

    def approved(self) -> Request:
        self.requested()
        with self.at(agent="ben") as repository:
            return repository.approve(f"D-{START.year}-0001")

    def state(self, day: float = 0) -> str:
        with self.at(day) as repository:
            [request] = repository.requests()
            return request.seen(repository.now())

    def answers(self) -> list[object]:
        """All that can be asked after a deletion."""
        with self.at(40) as repository:
            told = [list(repository.aips()), list(repository.requests()), repository.holds(), list(repository.events())]
            told += [list(repository.events(self.gone)), list(repository.catalogue.rows("select * from accessions"))]
            return [*told, list(repository.catalogue.rows("select * from deleted"))]


@pytest.fixture
def archive(tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], tmp_path: Path) -> Archive:
    made = Archive(repository, copies)
    for name, own in (("gone", "mine alone"), ("stays", "not yours")):
        source = tmp_path / name
        source.mkdir()
        (source / "shared.txt").write_text("in both\n")
        (source / "own.txt").write_text(f"{own}\n")
        setattr(made, name, tianyi("ingest", source, at=repository).said["aip"])
    config = repository / "tianyi.toml"
    config.write_text(config.read_text() + AGENTS)
    return made


def test_the_life_of_a_deletion(archive: Archive, tianyi: Tianyi) -> None:
    with archive.at() as repository:
        shared = {file.digest for file in repository.files(archive.stays, everything=True)}
        own = {file.digest for file in repository.files(archive.gone, everything=True)} - shared
        plan = repository.deletion_plan(archive.gone)
    assert (plan.blobs, plan.shared_blobs > 0, plan.shared_with) == (len(own), True, (archive.stays,))
    request = archive.approved()
    assert (request.state, request.due) == ("approved", f"{START + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}")
    assert [archive.state(day) for day in (0, 29.9, 30, -400)] == ["approved", "approved", "due", "approved"]
    with archive.at(29) as repository:
        done, swept = repository.sweep()
        assert (done, swept.removed, len(list(repository.aips()))) == ([], 0, 2)
    with archive.at(31, agent="anybody") as repository:
        [done], swept = repository.sweep()
    assert (done.aip, done.behind) == (archive.gone, frozenset())
    assert (swept.removed, swept.size, swept.kept) == (2 * plan.blobs, 2 * plan.bytes, 0)
    for copy in archive.copies:
        assert (copy / tombstone_key(parse_aip(archive.gone))).is_file()
        assert not [digest for digest in own if (copy / blob_key(Digest.parse(digest))).exists()]
        assert not [digest for digest in shared if not (copy / blob_key(Digest.parse(digest))).exists()]
    _is_gone(archive, tianyi)


def _is_gone(archive: Archive, tianyi: Tianyi) -> None:
    """What is told of the deleted AIP, before and after a rebuild; nothing is damaged, nothing is left over."""
    before = archive.answers()
    for path in archive.folder.glob("catalogue.db*"):
        path.unlink()
    assert archive.answers() == before
    with archive.at(40) as repository:
        audits = repository.audit()
        assert not any(map(is_damaged, audits))
        assert [audit.counts["extra"] for audit in audits] == [0, 0]
        assert (repository.sweep()[1].removed, list(repository.search("gone"))) == (0, [])
        for ask in (repository.show, repository.files, lambda aip: repository.export(aip, Path("no"), "bag")):
            with pytest.raises(Deleted, match="because: a duplicate"):
                ask(archive.gone)
    assert tianyi("show", archive.gone, at=archive.folder).code == 4
    restore = [sys.executable, archive.copies[1] / "restore.py"]
    listed = subprocess.run(restore, capture_output=True, text=True, check=True)
    assert (archive.stays in listed.stdout, archive.gone in listed.stdout) == (True, False)
    asked = subprocess.run([*restore, "1999-0001", "no"], capture_output=True, text=True)
    assert (asked.returncode, "Without arguments" in asked.stderr) == (4, True)


def test_who_may_decide(archive: Archive) -> None:
    refused: list[tuple[type[RepositoryError], str, str]] = [
        (UndeclaredAgent, "uid-1", "uid-1"), (UndeclaredAgent, "", "uid-1"), (NotYourAgent, "ann", "uid-2"),
    ]  # fmt: skip
    for error, agent, user in refused:
        with archive.at(agent=agent, user=user) as repository, pytest.raises(error):
            repository.delete(archive.gone, "a duplicate")
    name = archive.requested().request
    for agent, user in (("ann", "uid-1"), ("ann-at-night", "uid-1")):
        with archive.at(agent=agent, user=user) as repository, pytest.raises(SameApprover):
            repository.approve(name)
    (archive.folder / "policies" / "retention.yaml").write_text("approver_is_another_user: false\n")
    with archive.at(agent="ann", user="uid-1") as repository, pytest.raises(SameApprover):
        repository.approve(name)
    with archive.at(agent="ann-at-night", user="uid-1") as repository:
        assert repository.approve(name).approved_by == "ann-at-night"
        decided = [event for event in repository.events(archive.gone) if event.type.startswith("deletion-")]
    assert [(event.agent, event.detail["user"]) for event in decided] == [("ann", "uid-1"), ("ann-at-night", "uid-1")]


def test_a_hold_blocks_and_several_hold_each(archive: Archive) -> None:
    archive.approved()
    with archive.at(agent="ben") as repository:
        first, second = repository.hold(archive.gone, "a lawsuit"), repository.hold(archive.gone, "another")
        with pytest.raises(UnknownHold, match="does not name one"):
            repository.release(archive.gone, "which?")
        repository.release(first.hold, "over")
    assert archive.state(31) == "held"
    with archive.at(31) as repository:
        assert repository.sweep()[0] == []
        assert repository.release(archive.gone, "over too").hold == second.hold
    assert archive.state(31) == "due"
    with archive.at(31) as repository:
        assert [done.aip for done in repository.sweep()[0]] == [archive.gone]
        with pytest.raises(Deleted):
            repository.hold(archive.gone, "too late")


def test_what_cannot_be_meant(archive: Archive) -> None:
    name = archive.requested().request
    with archive.at() as repository:
        for error, ask in (
            (BadRequest, lambda: repository.delete(archive.stays, " \n")),
            (AlreadyRequested, lambda: repository.delete(archive.gone, "again")),
            (NotFound, lambda: repository.delete("urn:uuid:00000000-0000-7000-8000-000000000000", "x")),
            (NotFound, lambda: repository.delete("1999-0001", "x")),
            (UnknownRequest, lambda: repository.approve("D-1999-0001")),
            (UnknownHold, lambda: repository.release("H-1999-0001", "x")),
            (UnknownHold, lambda: repository.release(archive.gone, "x")),
        ):
            with pytest.raises(error):
                ask()
        assert repository.withdraw(name.lower(), "we keep it").state == "withdrawn"
        assert repository.delete(archive.gone, "after all").request == f"D-{START.year}-0002"
    with archive.at(agent="ben") as repository:
        for act in (repository.approve, lambda name: repository.withdraw(name, "x")):
            with pytest.raises(BadStep):
                act(name)
        repository.approve(f"D-{START.year}-0002")
        with pytest.raises(BadStep):
            repository.approve(f"D-{START.year}-0002")
    assert set(NEXT.values()) == {"approved", "withdrawn", "deleted"}


def test_a_copy_that_was_away_learns_of_the_deletion(archive: Archive) -> None:
    archive.approved()
    away = archive.copies[1].rename(archive.copies[1].with_name("unplugged"))
    with archive.at(31) as repository:
        [done], swept = repository.sweep()
    assert (done.behind, list(swept.copies)) == (frozenset({"copy-2"}), ["copy-2"])
    away.rename(archive.copies[1])
    with archive.at(32) as repository:
        with pytest.raises(Deleted):
            repository.vault.records(parse_aip(archive.gone))
        assert [record.aip for record in repository.vault.all_records()] == [archive.stays]
        repository.sweep()
        audits = repository.audit()
        assert [audit.counts["missing"] for audit in audits] == [0, 1]  # the sweep's list, which repair brings
        assert [audit.counts["extra"] for audit in audits] == [0, 0]
    assert (archive.copies[1] / tombstone_key(parse_aip(archive.gone))).is_file()


def test_a_damaged_tombstone_is_found_and_healed(archive: Archive) -> None:
    archive.approved()
    with archive.at(31) as repository:
        repository.sweep()
    key = tombstone_key(parse_aip(archive.gone))
    path = archive.copies[0] / key
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"duplicate", b"duplicity"))
    with archive.at(32) as repository:
        assert [finding.key for audit in repository.audit() for finding in audit.findings] == [key]
        assert [mend.damage.expected.key for mend in repository.repair().healed] == [key]
        assert not any(map(is_damaged, repository.audit()))


def test_what_was_damaged_or_lost_is_deleted_like_the_rest(archive: Archive) -> None:
    """A record and a blob that no copy has any more: the AIP can be deleted, and its damage is forgotten with it."""
    with archive.at() as repository:
        digest = next(file.digest for file in repository.files(archive.gone) if file.original_name == "own.txt")
        for copy in archive.copies:
            (copy / record_key(parse_aip(archive.gone), 1)).unlink()
            (copy / blob_key(Digest.parse(digest))).unlink()
        assert [audit.counts["missing"] for audit in repository.audit()] == [2, 2]
    archive.approved()
    with archive.at(31) as repository:
        with pytest.raises(SweepStopped):
            repository.sweep_plan()
        assert [done.aip for done in repository.sweep()[0]] == [archive.gone]
        assert [state.state for state in repository.copy_states()] == ["complete", "complete"]
        assert not any(map(is_damaged, repository.audit()))


def test_damage_to_what_stays_is_still_known(archive: Archive) -> None:
    with archive.at() as repository:
        digest = next(file.digest for file in repository.files(archive.stays) if file.original_name == "own.txt")
        key = blob_key(Digest.parse(digest))
        (archive.copies[1] / key).unlink()
        assert [audit.counts["missing"] for audit in repository.audit()] == [0, 1]
    archive.approved()
    with archive.at(31) as repository:
        assert [done.aip for done in repository.sweep()[0]] == [archive.gone]
        assert key in [mend.damage.expected.key for mend in repository.repair().healed]


def test_the_ledger_s_loss_does_not_bring_it_back(archive: Archive) -> None:
    archive.approved()
    with archive.at(31) as repository:
        repository.sweep()
    for copy in archive.copies:
        for path in (copy / "log" / "tile" / "entries" / "000.p").iterdir():
            path.unlink()
    with archive.at(40) as repository:
        assert [aip.aip for aip in repository.aips()] == [archive.stays]
        with pytest.raises(Deleted):
            repository.show(archive.gone)
