"""The commands of deletion as others rely on them: keys, states and exit codes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from repository.cli.running import run
from tests.conftest import Tianyi

POLICY = "approver_is_another_user: false\nwaiting: 1 second\ngrace: 1 second\n"


@pytest.fixture
def aip(tianyi: Tianyi, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.txt").write_text("a")
    config = repository / "tianyi.toml"
    config.write_text(config.read_text() + '[[agents]]\nname = "ann"\n[[agents]]\nname = "ben"\n')
    (repository / "policies" / "retention.yaml").write_text(POLICY)
    monkeypatch.setenv("TIANYI_AGENT", "ann")
    return str(tianyi("ingest", tmp_path / "source", at=repository).said["aip"])


def test_a_deletion_and_its_answers(
    tianyi: Tianyi, repository: Path, aip: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dry = tianyi("delete", aip, "--dry-run", at=repository)
    assert (dry.code, dry.said["state"], dry.said["plan"]["blobs"] > 0) == (0, "planned", True)
    asked = tianyi("delete", aip, "--reason", "a duplicate", at=repository)
    name = asked.said["request"]
    assert (asked.code, asked.said["state"], asked.said["due"]) == (0, "requested", None)
    assert asked.said["plan"] == dry.said["plan"]
    assert (tianyi("approve", name, at=repository).code, tianyi("approve", "D-1-1", at=repository).code) == (5, 4)
    monkeypatch.setenv("TIANYI_AGENT", "ben")
    approved = tianyi("approve", name, at=repository)
    assert (approved.code, approved.said["request"], bool(approved.said["due"])) == (0, name, True)
    held = tianyi("hold", aip, "--reason", "a lawsuit", at=repository).said
    assert (held["request"], held["state"], held["due"]) == (name, "held", approved.said["due"])
    assert [row["hold"] for row in tianyi("holds", at=repository).rows] == [held["hold"]]
    time.sleep(2.1)
    planned = tianyi("sweep", "--dry-run", at=repository).said
    assert (planned["due"], [one["request"] for one in planned["blocked"]]) == ([], [name])
    assert planned["blocked"][0]["holds"] == [held["hold"]]
    carried = tianyi("sweep", at=repository)
    assert (carried.code, carried.said["deleted"], carried.said["blocked"]) == (0, [], planned["blocked"])
    for more in (["--dry-run"], []):
        assert run(["-C", str(repository), "sweep", *more]) == 0
        assert f"({name}): on hold by {held['hold']}" in capsys.readouterr().out
    released = tianyi("release", held["hold"], "--reason", "settled", at=repository).said
    assert (released["request"], released["state"]) == (name, "due")
    planned = tianyi("sweep", "--dry-run", at=repository)
    assert (planned.code, [plan["aip"] for plan in planned.said["due"]]) == (0, [aip])
    swept = tianyi("sweep", at=repository)
    assert (swept.code, swept.said["removed"], swept.said["kept"]) == (0, 2 * dry.said["plan"]["blobs"], 0)
    assert swept.said["deleted"] == [{"request": name, "aip": aip, "behind": []}]
    assert [row["state"] for row in tianyi("deletions", at=repository).rows] == ["deleted"]
    assert (tianyi("show", aip, at=repository).code, tianyi("show", aip, at=repository).said["code"]) == (4, "deleted")
    assert (tianyi("events", aip, at=repository).code, tianyi("list", at=repository).rows) == (0, [])
    ended = tianyi("accessions", at=repository).said
    assert (ended["state"], ended["aip"], ended["next"]) == ("deleted", aip, None)


def test_refusals(tianyi: Tianyi, repository: Path, aip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "usage": tianyi("delete", aip, at=repository),
        "no-such-hold": tianyi("release", aip, "--reason", "none", at=repository),
    }
    monkeypatch.delenv("TIANYI_AGENT")
    told["agent-undeclared"] = tianyi("delete", aip, "--reason", "x", at=repository)
    assert {code: (answer.said["code"], bool(answer.said["next"])) for code, answer in told.items()} == {
        code: (code, True) for code in told
    }


def test_a_decision_says_which_copies_do_not_know_of_it(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], aip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies[1].rename(copies[1].with_name("unplugged"))
    told = [asked := tianyi("delete", aip, "--reason", "a duplicate", at=repository)]
    told.append(held := tianyi("hold", aip, "--reason", "a lawsuit", at=repository))
    told.append(tianyi("release", held.said["hold"], "--reason", "settled", at=repository))
    monkeypatch.setenv("TIANYI_AGENT", "ben")
    told.append(tianyi("approve", asked.said["request"], at=repository))
    told.append(tianyi("withdraw", asked.said["request"], "--reason", "kept", at=repository))
    assert {(one.code, one.said["copies"], *one.said["behind"]) for one in told} == {(6, "behind", "copy-2")}
    assert all("tianyi replicate" in one.errors for one in told)
    copies[1].with_name("unplugged").rename(copies[1])
    assert tianyi("replicate", at=repository).code == 0
    asked = tianyi("delete", aip, "--reason", "a duplicate", at=repository)
    assert (asked.code, asked.said["copies"], asked.said["behind"]) == (0, "complete", [])
