"""The demo plays, leaves what it was asked to leave, and nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import demo.__main__ as program
from demo.screen import Screen, tidied
from demo.stage import Broken, Stage
from demo.story import STORY, Step

ROOT = Path(__file__).resolve().parents[1]


def environment(**more: str) -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("TIANYI_", "DEMO_"))}
    return known | {"PYTHONUTF8": "1"} | more


def play(**more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo"]
    return subprocess.run(command, cwd=ROOT, env=environment(**more), capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_story_comes_true(tmp_path: Path) -> None:
    folder = tmp_path / "to look at"
    played = play(DEMO_DIR=str(folder))
    assert played.returncode == 0, played.stdout + played.stderr
    for number, step in enumerate(STORY, start=1):
        assert f"{number}  {step.title} ─" in played.stdout
    assert re.search(r"^  copy copy-2 not intact: \d+ intact, 1 altered", played.stdout, re.MULTILINE)
    assert re.search(rf"{len(STORY)} steps, \d+ claims checked, all of them true", played.stdout)
    assert {"archive", "second-copy", "for-a-reader", "restored"} <= {path.name for path in folder.iterdir()}


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a letter").write_text("mine")
    played = play(DEMO_DIR=str(tmp_path))
    assert played.returncode == program.REFUSED
    assert "name an empty folder" in " ".join(played.stdout.split())
    assert [path.name for path in tmp_path.iterdir()] == ["a letter"]


def test_a_claim_that_is_not_so_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "STORY", [Step("A lie", "…", lambda stage: stage.claim("Pigs fly", so=False))])
    monkeypatch.setattr(sys, "argv", ["demo"])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("DEMO_DIR", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert program.main() == program.BROKE
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "it is not so that pigs fly" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Screen())
    with pytest.raises(Broken, match="exit code 0 instead of 3"):
        stage.run("tianyi --version", code=3)
    with pytest.raises(Broken, match="no-repository"):
        stage.ask("tianyi list")


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(TMPDIR=str(tmp_path)), stdout=subprocess.DEVNULL) as demo:
        while not list(tmp_path.glob("*/samples")) and demo.poll() is None:
            time.sleep(0.02)
        demo.send_signal(signal.SIGTERM)
    assert demo.returncode == program.INTERRUPTED
    assert not list(tmp_path.iterdir())


def test_a_picture_knows_how_wide_chinese_is_and_fetches_nothing() -> None:
    svg = (
        '<svg x="1">@font-face { src: url("https://example.org/font"); }<text textLength="5" y="2">天&#160;&amp;</text>'
    )
    assert tidied(svg) == '<svg xml:space="preserve" x="1"><text textLength="48.8" y="2">天 &amp;</text>'
