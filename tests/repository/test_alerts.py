"""Alerts: once a fault, again after a while, an all-clear; sent by apprise to a server that is really there."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from fixity.schedule import Coverage
from policies.document import load
from policies.jobs import Job as Rule
from repository import Repository, alert_memory, config
from repository.alerting import look
from repository.alerts import NEWS, Fault, Message, changes, full_in
from repository.config import Config
from repository.faults import faults
from repository.health import CopyHealth, Disk, Health, Latest, gather
from repository.job import carry_out
from repository.jobs import PAUSED, Job
from repository.notify import send

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = datetime.now(UTC)  # of repositories that are made for a test
WEEK, DAY = timedelta(days=7), timedelta(days=1)
AWAY = Fault("away", "copy-2", "Copy copy-2 is away.", "See that its disk is mounted.")
POLICY = load(None).alerts


class TestWhatIsSent:
    def test_a_fault_is_told_once_again_after_a_while_and_when_it_is_gone(self) -> None:
        [first], known = changes({}, [AWAY], NOW, WEEK)
        assert (first.title, first.why) == ("copy copy-2 is away", "new")
        assert first.text == "Copy copy-2 is away.\n→ See that its disk is mounted."
        assert changes(known, [AWAY], NOW + 6 * DAY, WEEK) == ([], known)
        [again], later = changes(known, [AWAY], NOW + WEEK, WEEK)
        assert (again.title, again.why) == ("Still: copy copy-2 is away", "still")
        assert again.text.endswith("Since 2026-03-02.")
        [clear], nothing = changes(later, [], NOW + 8 * DAY, WEEK)
        assert (clear.title, clear.why, nothing) == ("All clear: copy copy-2 is away", "clear", {})

    def test_words_that_change_do_not_make_it_another_fault(self) -> None:
        _, known = changes({}, [AWAY], NOW, WEEK)
        messages, after = changes(known, [Fault("away", "copy-2", "It does not answer.", "")], NOW + DAY, WEEK)
        assert (messages, after[AWAY.key].fault.message) == ([], "It does not answer.")

    def test_what_was_told_in_the_future_is_told_again(self) -> None:
        _, known = changes({}, [AWAY], NOW + 365 * DAY, WEEK)
        assert len(changes(known, [AWAY], NOW, WEEK)[0]) == 1


def health(**known: Any) -> Health:
    nothing: dict[str, Any] = {
        "vault": "v", "copies": [], "disks": [], "jobs": [], "coverage": [], "aips": 0, "versions": 0, "files": 0,
        "bytes": 0, "entries": 0, "infected": 0,
    }  # fmt: skip
    return Health(**nothing | known)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, []),
        ({"copies": [CopyHealth("first", "", 0)]}, []),
        ({"copies": [CopyHealth("first", "", 3)]}, ["damage:first"]),
        ({"copies": [CopyHealth("first", "it is silent", 0)]}, ["away:first"]),
        ({"disks": [Disk(("first",), 1000, 100)]}, []),
        ({"disks": [Disk(("first", "work"), 1000, 99)]}, ["disk:first, work"]),
        ({"disks": [Disk(("filling",), 1000, 500)]}, ["disk:filling"]),
        ({"infected": 1}, ["infected:v"]),
        ({"wrong": "audit.yaml:1: no"}, ["policy:policies"]),
        ({"aside": "/catalogue-of-9-entries.db"}, ["ledger:v"]),
        ({"changed": "it has 5 entries, and had 7."}, ["ledger:v"]),
        ({"changed": "it has 5 entries, and had 7.", "aside": "/catalogue-of-7-entries.db"}, ["ledger:v"]),
        ({"unsigned": "Its key is not there."}, ["ledger:key"]),
        ({"contradicted": ["library"]}, ["ledger:witness library"]),
        ({"latest": Latest(7, NOW + DAY / 48, None)}, []),
        ({"latest": Latest(7, NOW + 365 * DAY, None)}, ["clock:clock"]),
        ({"latest": Latest(7, NOW + 365 * DAY, NOW - 6 * DAY)}, ["clock:clock"]),
        ({"latest": Latest(7, NOW + 365 * DAY, NOW + DAY)}, ["clock:clock"]),
        ({"latest": Latest(7, NOW + 365 * DAY, NOW - 8 * DAY)}, []),
        ({"coverage": [Coverage("first", "", 90 * DAY, NOW, 0, 9, "kept", None, "")]}, []),
        ({"coverage": [Coverage("tape", "", None, None, 9, 9, "attested", None, "the provider")]}, []),
        ({"coverage": [Coverage("first", "maps", DAY, NOW, 0, 9, "at risk", NOW, "read faster")]},
         ["promise:first (maps)"]),
        ({"coverage": [Coverage("first", "", DAY, NOW, 0, 9, "broken", NOW, "")]}, ["promise:first"]),
        ({"jobs": [Job("repair", Rule(every=DAY), NOW, NOW, "limit")]}, ["repair:repair"]),
        ({"jobs": [Job("drill", Rule(every=DAY), NOW, NOW, "fail", failures=3)]}, []),  # it is tried again
        ({"jobs": [Job("drill", Rule(every=DAY), NOW, NOW, "fail", failures=4)]}, ["job:drill"]),
        ({"jobs": [Job("drill", Rule(every=DAY), NOW, NOW, "fail", failures=4, state=PAUSED)]}, []),
    ],
)  # fmt: skip
def test_what_is_wrong(known: dict[str, Any], expected: list[str]) -> None:
    samples = {"filling": [(NOW - 10 * DAY, 700), (NOW - 5 * DAY, 600)]}
    assert [fault.key for fault in faults(health(**known), POLICY, samples, NOW)] == expected


def test_a_disk_is_full_when_it_goes_on_so() -> None:
    assert full_in([(NOW - 10 * DAY, 700)], 500, NOW) == 25 * DAY
    assert full_in([(NOW - 2 * DAY, 700)], 500, NOW) is None  # too short a time
    assert full_in([(NOW - 10 * DAY, 400)], 500, NOW) is None  # it empties
    assert full_in([], 500, NOW) is None


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook: its URL for apprise, and what it was sent."""
    came: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"json://127.0.0.1:{server.server_port}/hook", came
        server.shutdown()
        thread.join()


class TestSending:
    MESSAGE = Message("a test", "a text", NEWS)

    def test_it_arrives(self, hook: tuple[str, list[dict[str, Any]]]) -> None:
        url, came = hook
        assert send([url], [self.MESSAGE]) == []
        assert [(one["title"], one["message"], one["type"]) for one in came] == [("Tianyi: a test", "a text", "info")]

    def test_a_secret_stays_in_the_environment(self, hook: tuple[str, list[dict[str, Any]]]) -> None:
        url, came = hook
        assert send(["env:HOOKS"], [self.MESSAGE], {"HOOKS": f"{url} {url}"}) == []
        assert len(came) == 2
        [why] = send(["env:HOOKS"], [self.MESSAGE], {})
        assert why == "Destination 1 of [alerts] (env:HOOKS) is not set in this process's environment."

    def test_who_does_not_take_it_is_told_without_the_secret(self) -> None:
        told = send(["json://user:secret@127.0.0.1:9/", "no-such-kind://secret"], [self.MESSAGE])
        assert [one.rpartition(")")[2] for one in told] == [
            " did not take every message.", " is no URL that apprise understands.",
        ]  # fmt: skip
        assert "secret" not in "".join(told)


class TestALook:
    @pytest.fixture
    def settings(self, repository: Path) -> Config:
        return config.load(repository)

    def sent(self, settings: Config, at: datetime = TODAY, *, fails: bool = False) -> list[str]:
        """The titles that a look sends."""
        came: list[str] = []

        def take(to: Sequence[str], messages: Sequence[Message]) -> list[str]:
            came.extend(message.title for message in messages)
            return ["it did not"] if fails else []

        with_somebody = settings.folder / config.FILE
        if "[alerts]" not in (text := with_somebody.read_text()):
            with_somebody.write_text(f'{text}\n[alerts]\nto = ["json://127.0.0.1:9/"]\n')
        look(settings, lambda: at, take)
        return [title for title in came if "disk" not in title]  # this machine's may be full

    def test_a_copy_that_is_away_and_comes_back(self, settings: Config, copies: tuple[Path, Path]) -> None:
        assert self.sent(settings) == []
        copies[1].rename(copies[1].with_name("unplugged"))
        assert self.sent(settings) == ["copy copy-2 is away"]
        assert self.sent(settings, TODAY + DAY / 3) == []
        copies[1].with_name("unplugged").rename(copies[1])
        assert self.sent(settings, TODAY + DAY / 2) == ["All clear: copy copy-2 is away"]

    def test_what_nobody_took_is_sent_again(self, settings: Config, copies: tuple[Path, Path]) -> None:
        shutil.rmtree(copies[1])
        assert self.sent(settings, fails=True) == self.sent(settings) == ["copy copy-2 is away"]

    def test_while_nobody_can_look_what_was_wrong_still_is(self, settings: Config, copies: tuple[Path, Path]) -> None:
        (copies[1] / "README.txt").unlink()
        carry_out(settings.folder, "audit")
        assert self.sent(settings) == ["damage in copy copy-2"]
        copies[0].rename(copies[0].with_name("unplugged"))
        assert self.sent(settings) == ["the repository cannot be opened"]
        copies[0].with_name("unplugged").rename(copies[0])
        assert self.sent(settings) == ["All clear: the repository cannot be opened"]

    def test_an_older_ledger_in_every_copy_is_told_until_the_newest_is_back(
        self, settings: Config, copies: tuple[Path, Path]
    ) -> None:
        older, newer = ([root.with_name(f"{root.name} {when}") for root in copies] for when in ("older", "newer"))
        for root, kept in zip(copies, older, strict=True):
            shutil.copytree(root / "log", kept)
        carry_out(settings.folder, "retention")
        for root, kept, put in zip(copies, newer, older, strict=True):
            (root / "log").rename(kept)
            put.rename(root / "log")
        assert self.sent(settings) == ["the ledger is not the one that was known"]
        assert self.sent(settings) == []
        for root, kept in zip(copies, newer, strict=True):
            shutil.rmtree(root / "log")
            kept.rename(root / "log")
        assert self.sent(settings) == ["All clear: the ledger is not the one that was known"]

    def test_a_key_that_is_lost_and_comes_back(self, settings: Config) -> None:
        key = settings.keys / "ledger.key"
        key.rename(key.with_suffix(".away"))
        assert self.sent(settings) == ["nothing signs the ledger"]
        key.with_suffix(".away").rename(key)
        assert self.sent(settings) == ["All clear: nothing signs the ledger"]

    def test_a_policy_with_a_mistake_and_mended(self, settings: Config) -> None:
        policy = settings.policies / "audit.yaml"
        policy.write_text("evry: 3 days\n")
        assert self.sent(settings) == ["a policy cannot be used"]
        policy.unlink()
        assert self.sent(settings) == ["All clear: a policy cannot be used"]

    def test_a_job_that_goes_on_failing(self, settings: Config) -> None:
        for failures in range(1, 6):
            with Repository.open(settings.folder, now=lambda: TODAY) as repository:
                repository.note_job("replicate", "fail", {"code": "system", "message": "no", "seconds": 1})
            assert self.sent(settings) == (["the job replicate fails"] if failures == 4 else [])

    def test_the_alert_about_a_job_gives_the_last_reason(self, settings: Config) -> None:
        with Repository.open(settings.folder, now=lambda: TODAY) as repository:
            for message in ("The disk is full.", "The scanner does not answer."):
                for _ in range(4):
                    repository.note_job("drill", "fail", {"code": "x", "message": message, "seconds": 1})
            found = faults(gather(repository), POLICY, {}, TODAY)
        [told] = [one.message for one in found if one.kind == "job"]
        assert told == "The job drill failed 8 times in a row. The last time: The scanner does not answer."

    def test_a_memory_that_is_lost_or_broken_is_begun_anew(self, settings: Config, copies: tuple[Path, Path]) -> None:
        shutil.rmtree(copies[1])
        self.sent(settings)
        remembered = alert_memory.read(settings.work)
        assert [one.fault.kind for one in remembered.told.values()] == ["away"]
        (settings.work / "alerts.json").write_text('{"told": [3]}')
        assert self.sent(settings) == ["copy copy-2 is away"]
        assert alert_memory.read(settings.work).told == remembered.told


class TestTheCommand:
    def test_it_lists_what_is_wrong(self, repository: Path, copies: tuple[Path, Path], tianyi: Any) -> None:
        shutil.rmtree(copies[1])
        answer = tianyi("alerts", at=repository)
        [row] = [row for row in answer.rows if row["kind"] != "disk"]
        assert (answer.code, row["about"], row["next"]) == (
            6,
            "copy-2",
            "See that its disk is mounted, or its store answers.",
        )

    def test_a_test_is_sent(self, repository: Path, tianyi: Any, hook: tuple[str, list[dict[str, Any]]]) -> None:
        assert tianyi("alerts", "--test", at=repository).said["code"] == "no-destination"
        url, came = hook
        settings = repository / "tianyi.toml"
        settings.write_text(f'{settings.read_text()}\n[alerts]\nto = ["{url}"]\n')
        assert tianyi("alerts", "--test", at=repository).said == {"sent": 1}
        assert came[0]["title"] == "Tianyi: a test"
        settings.write_text(settings.read_text().replace(url, "json://127.0.0.1:9/"))
        assert tianyi("alerts", "--test", at=repository).said["code"] == "not-sent"

    @pytest.mark.parametrize("wrong", ['to = "json://a"', "to = [3]", 'to = ["nobody"]', 'too = ["json://a"]'])
    def test_a_mistake_in_the_settings_is_told(self, repository: Path, tianyi: Any, wrong: str) -> None:
        settings = repository / "tianyi.toml"
        settings.write_text(f"{settings.read_text()}\n[alerts]\n{wrong}\n")
        assert tianyi("jobs", at=repository).said["code"] == "config-invalid"
