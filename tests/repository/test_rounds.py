"""Rounds of real copies: they go on where they were killed, and say nothing of what they did not read."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from fixity.audit import Expected, Finding, check
from repository import Repository, inventory, strays
from repository.job import carry_out
from repository.status_page import page
from storage.aip import stamp
from storage.digest import Digest
from storage.durable import Disk
from storage.errors import Locked
from storage.layout import blob_key, record_key
from storage.local import Local
from storage.lock import locked
from tests.conftest import Tianyi
from tests.faulty import Faulty, broken_disk, full_disk

T0 = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)  # repositories are made now
DAY = timedelta(days=1)
FILES = 160
IN_PIECES = "limits: {files_per_second: 1_000_000}\n"  # read one by one, in pieces of fifty


class Cut(BaseException):
    """The process is killed."""


class Watcher:
    """Kills after so many pieces, or does something else between two."""

    def __init__(self, pieces: int, act: Callable[[], object]) -> None:
        self.pieces, self.act = pieces, act

    def begin(self, what: str, files: int, size: int) -> None: ...
    def end(self) -> None: ...

    def advance(self, files: int, size: int) -> None:
        self.pieces -= 1
        if self.pieces == 0:
            self.act()


def cut() -> None:
    raise Cut


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two copies, one AIP of many small files, and a policy under which little is read at a time."""
    (tmp_path / "delivery").mkdir()
    for number in range(FILES):
        (tmp_path / "delivery" / f"{number}.txt").write_text(f"file number {number}\n")
    with Repository.init(tmp_path / "archive", [str(tmp_path / "second")], agent="a") as made:
        made.now = lambda: T0
        made.ingest(tmp_path / "delivery", title="Letters", producer="Harbour Office")
    (tmp_path / "archive" / "policies" / "audit.yaml").write_text(IN_PIECES)
    return tmp_path / "archive"


def opened(archive: Path, at: datetime = T0, **others: Any) -> Repository:
    return Repository.open(archive, now=lambda: at, **others)


def audits(repository: Repository) -> list[dict[str, Any]]:
    rows = repository.catalogue.rows("select object, outcome, detail from events where type = 'audit' order by entry")
    return [{"copy": row["object"], "outcome": row["outcome"], **json.loads(row["detail"])} for row in rows]


def blob(archive: Path, number: int) -> Path:
    return sorted((archive / "vault" / "blobs").rglob("*/*/*"))[number]


def flip(path: Path) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


class TestAWholeReading:
    def test_it_goes_on_where_it_was_killed(self, archive: Path) -> None:
        with pytest.raises(Cut), opened(archive, progress=Watcher(2, cut)) as repository:
            repository.audit("first")
        flip(blob(archive, 0))  # it was read already
        flip(blob(archive, -1))
        with opened(archive, T0 + DAY / 2) as repository:
            [result] = repository.audit("first")
            assert (result.counts["altered"], result.counts["intact"] > FILES) == (1, True)
            [noted] = audits(repository)
        assert (noted["scope"], noted["started"], noted["entries"][0]) == ("full", stamp(T0), 0)
        assert "last" not in noted

    @pytest.mark.parametrize(("after", "fresh"), [(2 * DAY, False), (DAY / 2, True)])
    def test_it_begins_anew_after_a_day_or_where_it_is_told_to(
        self, archive: Path, after: timedelta, fresh: bool
    ) -> None:
        with pytest.raises(Cut), opened(archive, progress=Watcher(2, cut)) as repository:
            repository.audit("first")
        with opened(archive, T0 + after) as repository:
            [result] = repository.audit("first", fresh=fresh)
            part, whole = audits(repository)
        assert (part["checked"], "last" in part, part["outcome"]) == (100, True, "pass")
        assert whole["checked"] == result.checked > FILES

    def test_a_copy_that_goes_away_in_the_middle_is_no_damage(self, archive: Path, tmp_path: Path) -> None:
        def unplug() -> None:
            (tmp_path / "second").rename(tmp_path / "unplugged")
            (tmp_path / "second").mkdir()  # the mount point is there

        with opened(archive, progress=Watcher(6, unplug)) as repository:
            first, second = repository.audit()
            assert (first.counts["not_checked"], first.counts["intact"] > FILES) == (0, True)
            assert second.counts["missing"] == second.counts["unreadable"] == 0
            assert (second.counts["intact"], second.counts["not_checked"] > 0) == (103, True)  # and the ledger's ends
            assert [found.outcome for found in second.findings] == ["not_checked"]
            noted = audits(repository)[1]
            assert (noted["outcome"], noted["intact"], "last" in noted) == ("not checked", 103, True)
            [first_promise, second_promise] = repository.coverage()
            assert first_promise.unread < second_promise.unread

    def test_what_comes_in_meanwhile_is_nothing_extra(self, archive: Path, tmp_path: Path) -> None:
        def take_in() -> None:
            (tmp_path / "delivery" / "0.txt").write_text("another\n")
            with opened(archive) as other:
                other.ingest(tmp_path / "delivery")

        with opened(archive, progress=Watcher(2, take_in)) as repository:
            [first] = repository.audit("first")
        assert (first.counts["extra"], first.counts["intact"] > FILES) == (0, True)

    def test_one_that_is_killed_for_good_loses_a_piece_at_most(self, archive: Path) -> None:
        script = (
            "import os, signal, sys; from pathlib import Path; from repository import Repository\n"
            "from tests.repository.test_rounds import Watcher\n"
            "die = lambda: os.kill(os.getpid(), signal.SIGKILL)\n"
            "Repository.open(Path(sys.argv[1]), progress=Watcher(2, die)).audit('first')"
        )
        done = subprocess.run([sys.executable, "-c", script, archive], cwd=Path(__file__).parents[2])
        assert done.returncode == -signal.SIGKILL
        with Repository.open(archive) as repository:
            repository.round("first")
            assert audits(repository)[0]["scope"] == "new"  # it could go on
        with Repository.open(archive, now=lambda: datetime.now(UTC) + 2 * DAY) as repository:
            repository.round("first")
            [settled] = [one for one in audits(repository) if one["scope"] == "full"]
            assert settled["checked"] == 100

    def test_two_at_once_are_one_too_many(self, archive: Path) -> None:
        lock = archive / "work" / "audit-first-full.lock"
        with locked(lock, "an audit"), opened(archive, patience=0) as repository, pytest.raises(Locked):
            repository.audit("first")


class TestASlice:
    def test_what_is_new_is_read_once_and_then_nothing_is_due(self, archive: Path) -> None:
        with opened(archive, T0 + DAY / 24) as repository:
            assert [(one.copy, one.counts["intact"] > FILES) for one in repository.round()] == [
                ("first", True), ("copy-2", True),
            ]  # fmt: skip
            assert repository.round() == []
            assert [(one.state, one.unread) for one in repository.coverage()] == [("kept", 0), ("kept", 0)]

    def test_the_hand_reads_a_little_each_day_and_all_in_time(self, archive: Path) -> None:
        (archive / "policies" / "audit.yaml").write_text("every: 10 days\n")
        for day in range(9):
            with opened(archive, T0 + day * DAY + DAY / 24) as repository:
                repository.round("first")
                read = [one for one in audits(repository) if one["scope"] == "due"]
                whole = inventory.amount(repository.catalogue)[1]  # a few files are most of it, wherever they lie
                assert all(one["bytes"] < whole for one in read)
        with opened(archive, T0 + 9 * DAY) as repository:
            [first, _] = repository.coverage()
            assert first.state == "kept"
            assert first.oldest
            assert first.oldest > T0 + DAY / 24
            before = repository.coverage()
            repository.rebuild()
            assert repository.coverage() == before

    @pytest.mark.parametrize(
        ("policy", "told"),
        [
            ("every: 3 days\n", ""),
            ("every: 3 days\njobs: {audit: {every: 30 days}}\n", "raise `every` to 60 days"),
            ("every: 3 days\nlimits: {days: [sat]}\n", "it may be 145 hours: let"),
            ("every: 30 days\nlimits: {days: [sat]}\n", ""),
            ("jobs: {audit: {every: 1, hours: '22:00-06:00'}}\nlimits: {hours: ['08:00-18:00']}\n", "never the same"),
        ],
    )  # fmt: skip
    def test_the_forecast_sees_that_rounds_come_too_seldom(self, archive: Path, policy: str, told: str) -> None:
        (archive / "policies" / "audit.yaml").write_text(policy)
        with opened(archive) as repository:
            found = repository.coverage()
        assert {one.state for one in found} == {"at risk" if told else "kept"}
        assert all(told in one.advice for one in found)

    def test_the_forecast_sees_that_the_job_is_paused(self, archive: Path) -> None:
        with opened(archive) as repository:
            repository.pause_job("audit", "")
            assert {(one.state, "jobs resume audit" in one.advice) for one in repository.coverage()} == {
                ("at risk", True)
            }
            repository.resume_job("audit", "")
            assert {one.state for one in repository.coverage()} == {"kept"}

    def test_damage_is_found_where_it_reads_and_kept_where_it_does_not(self, archive: Path) -> None:
        (archive / "policies" / "audit.yaml").write_text("every: 10 days\n")
        with opened(archive, T0 + DAY / 24) as repository:
            repository.round()
        for path in (blob(archive, 0), blob(archive, -1)):
            flip(path)
        with opened(archive, T0 + DAY / 12) as repository:
            repository.audit("first")
        with opened(archive, T0 + 2 * DAY) as repository:
            assert repository.round("first")[0].size < inventory.amount(repository.catalogue)[1]
            damaged = repository.catalogue.rows("select key from damage where outcome = 'altered' order by key")
            assert len(list(damaged)) == 2

    def test_hours_and_who_attests_are_kept_to(self, archive: Path) -> None:
        (archive / "policies" / "audit.yaml").write_text(
            'copies: {copy-2: {attested: "the provider, by contract"}}\nlimits: {hours: ["22:00-06:00"]}\n'
        )
        noon = T0.replace(hour=12) + DAY
        with opened(archive, noon) as repository:
            assert repository.round() == []
        with opened(archive, noon + DAY / 2) as repository:
            assert [one.copy for one in repository.round()] == ["first"]
            assert [one.state for one in repository.coverage()] == ["kept", "attested"]
            assert [one.copy for one in repository.sample()] == ["first"]

    def test_outside_the_hours_it_says_when_they_begin(self, archive: Path, tianyi: Tianyi) -> None:
        policy = archive / "policies" / "audit.yaml"
        policy.write_text('limits: {hours: ["22:00-06:00"]}\ncopies: {copy-2: {limits: {hours: ["01:00-02:00"]}}}\n')
        noon = T0.replace(hour=12, minute=0, second=0, microsecond=0) + DAY
        with opened(archive, noon) as repository:
            assert repository.closed() == {"first": noon + DAY / 24 * 10, "copy-2": noon + DAY / 24 * 13}
            assert repository.closed("first").keys() == {"first"}
        with opened(archive, noon + DAY / 2) as repository:
            assert repository.closed().keys() == {"copy-2"}
        today = datetime.now(UTC).weekday()
        policy.write_text(f"limits: {{days: [{['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'][(today + 3) % 7]}]}}\n")
        answer = tianyi("audit", "--due", at=archive)
        assert (answer.code, set(answer.said["closed"])) == (0, {"first", "copy-2"})

    def test_a_promise_about_no_copy_is_a_mistake(self, archive: Path, tianyi: Tianyi) -> None:
        (archive / "policies" / "audit.yaml").write_text("copies: {copy-3: {every: 5 days}}\n")
        answer = tianyi("audit", "--due", at=archive)
        assert answer.said["code"] == "policy-invalid"
        assert "copy-3" in answer.said["message"]

    def test_a_collection_is_read_more_often_and_alone(self, archive: Path, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "plan.txt").write_text("a plan\n")
        (archive / "policies" / "audit.yaml").write_text(
            "collections: {maps: {producers: [Land Registry], every: 5 days}}\n"
        )
        with opened(archive) as repository:
            repository.ingest(tmp_path / "other", title="Plans", producer="Land Registry")
            repository.round("first")
        for day in range(1, 6):
            with opened(archive, T0 + day * DAY) as repository:
                repository.round("first")
        with opened(archive, T0 + 6 * DAY) as repository:
            read = [one for one in audits(repository) if one["scope"] == "collection"]
            assert read
            assert all(one["collection"].startswith("sha256:") for one in read)
            assert "Land Registry" not in json.dumps(audits(repository))
            named = {(one.copy, one.collection): one for one in repository.coverage()}
            assert named["first", "maps"].size < named["first", ""].size
            assert named["first", "maps"].state == "kept"
            assert named["copy-2", "maps"].state == "broken"

    def test_a_copy_that_is_away_is_told_of_once(self, archive: Path, tmp_path: Path) -> None:
        (tmp_path / "second").rename(tmp_path / "unplugged")
        with opened(archive) as repository:
            assert [one.counts["not_checked"] > 0 for one in repository.round("copy-2")] == [True]
            assert repository.round("copy-2") == []
            repository.round()
            assert len(audits(repository)) == 2
        (tmp_path / "unplugged").rename(tmp_path / "second")
        with opened(archive) as repository:
            assert repository.round("copy-2")[0].counts["intact"] > FILES

    def test_a_clock_set_back_reads_again(self, archive: Path) -> None:
        with opened(archive, T0 + 400 * DAY) as repository:
            repository.round()
        with opened(archive, T0 + DAY) as repository:
            assert [one.unread > 0 for one in repository.coverage()] == [True, True]
            assert len(repository.round()) == 2
            assert [one.unread for one in repository.coverage()] == [0, 0]


class TestWhatIsRead:
    def test_a_sample_vouches_for_nothing_else(self, archive: Path) -> None:
        run = carry_out(archive, "sample")
        assert (run.outcome, run.detail["copies"]) == ("success", 2)
        with opened(archive) as repository:
            assert all(one.unread for one in repository.coverage())
        for path in (archive / "vault" / "blobs").rglob("*/*/*"):
            flip(path)
        with opened(archive) as repository:
            [first] = repository.sample("first", files=5, seed=1)
            assert 0 < first.counts["altered"] == first.checked <= 5

    def test_a_wrong_mode_is_told_and_is_no_damage(self, archive: Path, tianyi: Tianyi) -> None:
        blob(archive, 3).chmod(0o666)
        answer = tianyi("audit", at=archive)
        assert (answer.code, answer.said["mode"], answer.said["altered"]) == (0, 1, 0)
        [found] = [one for one in answer.said["findings"] if one["outcome"] == "mode"]
        assert re.fullmatch(r"0666 instead of 04[04]{2}", found["why"])

    def test_where_no_mode_can_be_told_the_bytes_are_what_counts(self, archive: Path) -> None:
        """As in a full or read-only disk whose file system gives every file a mode of its own."""
        good, bad = blob(archive, 5), blob(archive, 6)
        for place in (good, bad):
            place.chmod(0o755)
        bad.write_bytes(b"spoilt")
        with opened(archive) as repository:
            first = repository.vault.first
            assert isinstance(first, Local)
            for fault in (broken_disk, full_disk):
                with Faulty(Disk()) as first.disk:
                    first.disk.on("create", call=1, do=fault, onwards=True)
                    wanted = [Digest("sha256", place.name) for place in (good, bad)]
                    found = [check(first, Expected(blob_key(one), one, 0), modes=True) for one in wanted]
                assert [outcome.word for outcome in found] == ["intact", "altered"]

    def test_a_stray_record_that_has_gone_meanwhile_is_nothing(self, archive: Path) -> None:
        key = record_key(UUID(int=7), 1)
        with opened(archive) as repository:
            extra = Finding("extra", "first", key)
            assert strays.judged(repository.vault.first, extra) is None

    def test_what_a_disk_cannot_read_stays_so_until_it_can(self, archive: Path) -> None:
        place = blob(archive, 5)
        place.unlink()
        place.mkdir()
        with opened(archive) as repository:
            [first] = repository.audit("first")
            assert (first.counts["unreadable"], first.counts["intact"] > FILES) == (1, True)
            repository.round("first")
            query = "select outcome from damage where copy = 'first' and outcome != 'extra'"
            assert [row["outcome"] for row in repository.catalogue.rows(query)] == ["unreadable"]


class TestStatus:
    def test_json_says_all_of_it(self, archive: Path, tianyi: Tianyi) -> None:
        assert tianyi("audit", at=archive).code == 0
        said = tianyi("audit", "status", at=archive).said
        first = said["copies"][0]
        assert [one["state"] for one in first["promises"]] == ["kept"]
        assert first["promises"][0]["every"] == 90 * 86_400
        assert sum(day["files"] for day in first["days"]) > FILES
        assert (len(first["months"]), first["damaged"]) == (12, 0)

    def test_the_page_needs_nothing_and_believes_nobody(self, archive: Path, tianyi: Tianyi, tmp_path: Path) -> None:
        (archive / "policies" / "audit.yaml").write_text('copies: {copy-2: {attested: "<script>alert(1)</script>"}}\n')
        assert tianyi("audit", "status", "--html", tmp_path / "status.html", at=archive).code == 0
        text = (tmp_path / "status.html").read_text()
        assert "<script" not in text
        assert "&lt;script&gt;" in text
        assert not re.search(r"""(src|href)=|url\(|https?://""", text)
        assert text.count('role="img"') == 2
        folder = tianyi("audit", "status", "--html", tmp_path, at=archive)
        assert (folder.said["code"], folder.said["message"]) == ("usage", f"{tmp_path} is a folder, and no page.")
        inside = tianyi("audit", "status", "--html", archive / "vault" / "status.html", at=archive)
        assert inside.code == 2

    def test_a_limit_of_files_is_forecast_too(self, archive: Path, tianyi: Tianyi) -> None:
        tianyi("audit", at=archive)
        slow = 'every: 1 day\nlimits: {files_per_second: 1, hours: ["03:00-03:01"]}\n'
        (archive / "policies" / "audit.yaml").write_text(slow)
        status = tianyi("audit", "status", at=archive)
        promises = [promise for copy in status.said["copies"] for promise in copy["promises"]]
        assert (status.code, {promise["state"] for promise in promises}) == (6, {"at risk"})
        assert all("Raise `files_per_second` to " in promise["advice"] for promise in promises)

    def test_damage_and_repairs_are_drawn(self, archive: Path) -> None:
        flip(blob(archive, 2))
        with opened(archive) as repository:
            repository.audit()
            repository.repair()
            text = page(repository.audit_status(), "<vault>", T0)
        assert "1 finding of damage, 1 repair in" in text
        assert "&lt;vault&gt;" in text


def test_what_was_missed_and_is_brought_back_counts_only_when_it_is_read(archive: Path, tmp_path: Path) -> None:
    lost = sorted((tmp_path / "second").rglob("blobs/*/*/*"))[:3]
    for blob in lost:
        blob.unlink()
    with opened(archive) as repository:
        assert repository.audit()[1].counts["missing"] == 3
    with opened(archive, T0 + timedelta(hours=1)) as repository:
        [_, second] = repository.replicate()
        assert (second.copied, dict(second.behind), repository.is_damaged()) == (3, {}, False)
        last = audits(repository)[-1]
        assert (last["copy"], last["scope"], last["intact"], last["outcome"]) == ("copy-2", "restored", 3, "pass")
        repository.rebuild()
        assert not repository.is_damaged()
