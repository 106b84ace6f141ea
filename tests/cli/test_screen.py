"""What people see, and what a pipe or a full disk does to it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from repository.cli.app import app
from repository.cli.running import run
from repository.cli.screen import Screen

Tianyi = Callable[..., Any]
LINE = [sys.executable, "-c", "from repository.cli import main; main()"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two files alike, and one of a format that nobody knows."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("dues.txt", "dues again.txt"):
        (folder / name).write_text("twelve junks\n")
    (folder / "unknown").write_bytes(b"\x00\xff\x00")
    return folder


@pytest.fixture
def shown(repository: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """`shown("audit")` is the exit code of a command, and what it printed for people."""

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(["-C", str(repository), *arguments])
        return code, "".join(capsys.readouterr())

    return call


def blob(copy: Path, digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    return copy / "blobs" / "sha256" / name[:3] / name


def test_damage_is_told_by_the_names_of_files(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], source: Path, shown: Callable[..., tuple[int, str]]
) -> None:
    taken = tianyi("ingest", source, at=repository).said
    files = tianyi("files", taken["aip"], at=repository).rows
    [row] = [row for row in files if row["original_name"] == "dues.txt"]
    damaged = blob(copies[1], row["digest"])
    damaged.chmod(0o644)
    damaged.write_text("thirteen")
    [found] = (answer := tianyi("audit", at=repository).said)["findings"]
    alike = [{"aip": taken["aip"], "path": one["path"]} for one in files if one["digest"] == row["digest"]]
    assert (found["aips"], found["files"]) == ([taken["aip"]], alike)
    code, text = shown("audit")
    name = f"{taken['accession']} dues again.txt and 1 more (blobs/sha256/"
    assert (code, f"  altered  {name}" in text, str(Path(answer["report"]).parent) in text) == (3, True, True)
    assert f"repairable {name}" in shown("repair", "--dry-run")[1]
    repaired = tianyi("repair", at=repository)
    assert (repaired.code, repaired.said["findings"][0]["files"]) == (0, alike)


@pytest.mark.parametrize(("number", "what_next"), [(0, "Nothing of it is left to repair."), (1, "tianyi repair")])
def test_what_the_audits_own_entry_writes_anew_is_kept_and_told(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], source: Path, shown: Callable[..., tuple[int, str]],
    number: int, what_next: str,
) -> None:  # fmt: skip
    """The first copy's last bundle is healed as the entry is written; in the other copies it is damage until then."""
    tianyi("ingest", source, at=repository)
    [bundle] = [path for path in (copies[number] / "log" / "tile" / "entries").rglob("*") if path.is_file()]
    bundle.chmod(0o644)
    bundle.write_bytes(bundle.read_bytes()[:-1])
    code, text = shown("audit")
    told = f"{bundle.relative_to(copies[number])}; kept as work/quarantine/"
    assert (code, told in text, "was put into quarantine before" in text) == (3, True, True)
    assert f"→ {what_next}" in text
    for command in (["repair", "--dry-run"], ["repair"]):
        code, text = shown(*command)
        assert (code, "past log/tile/entries/" in text, "No damage is on record" in text) == (0, number, not number)


def test_a_mode_that_the_audits_own_entry_set_right_is_told_so(
    copies: tuple[Path, Path], shown: Callable[..., tuple[int, str]]
) -> None:
    (copies[1] / "log" / "checkpoint").chmod(0o666)
    assert "1 mode" in shown("audit")[1]
    code, text = shown("repair")
    assert (code, "repaired log/checkpoint in copy-2 has the right mode by now" in text) == (0, True)


def test_what_is_read_in_other_hours_is_not_told_as_not_due(
    repository: Path, shown: Callable[..., tuple[int, str]]
) -> None:
    later = (datetime.now(UTC) + timedelta(hours=5)).replace(minute=0, second=0, microsecond=0)
    hours = f"{later:%H:%M}-{later + timedelta(hours=1):%H:%M}"
    (repository / "policies" / "audit.yaml").write_text(f'limits: {{hours: ["{hours}"]}}\n')
    code, text = shown("audit", "--due")
    assert (code, "Nothing is due" in text) == (0, False)
    assert f"copy first is outside the hours of policies/audit.yaml; they begin at {later:%Y-%m-%dT%H:%M}" in text


def test_a_copy_that_was_not_checked_is_not_passed_over(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], source: Path, shown: Callable[..., tuple[int, str]]
) -> None:
    tianyi("ingest", source, at=repository)
    away = copies[1].rename(copies[1].with_name("away"))
    code, text = shown("audit")
    assert (code, len([line for line in text.splitlines() if "not checked" in line])) == (6, 1)
    repaired = tianyi("repair", at=repository)
    assert (repaired.code, repaired.said["beyond_repair"], repaired.said["not_checked"] > 5) == (6, 0, True)
    code, text = shown("repair")
    assert (code, "not checked copy copy-2" in text, "No damage" in text) == (6, True, False)
    away.rename(copies[1])
    tianyi("audit", at=repository)
    assert tianyi("repair", at=repository).code == 0
    assert tianyi("audit", at=repository).code == 0
    assert tianyi("repair", at=repository).said["not_checked"] == 0


def test_what_is_to_be_done_about_a_copy_is_told_for_what_is_wrong_with_it(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], tmp_path: Path, shown: Callable[..., tuple[int, str]]
) -> None:
    copies[1].rename(tmp_path / "unplugged")
    code, text = shown("copies")
    assert (code, "no such folder. See that its disk is mounted; one that is lost can be retired" in text) == (6, True)
    assert tianyi("init", tmp_path / "other").code == 0
    (tmp_path / "other" / "vault").rename(copies[1])
    code, text = shown("copies")
    assert (code, "another vault" in text, "disk" in text, "Correct tianyi.toml." in text) == (6, True, False, True)


def test_a_copy_that_only_lacks_files_is_filled(
    tianyi: Tianyi, repository: Path, source: Path, tmp_path: Path, shown: Callable[..., tuple[int, str]]
) -> None:
    tianyi("ingest", source, at=repository)
    tianyi("copies", "add", "third", tmp_path / "third", at=repository)
    code, text = shown("audit")
    assert (code, "→ tianyi replicate, then tianyi repair" in text) == (3, True)
    assert (shown("replicate")[0], shown("repair")[0], shown("audit")[0]) == (0, 0, 0)


def test_what_no_copy_has_is_not_to_be_replicated(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], source: Path, shown: Callable[..., tuple[int, str]]
) -> None:
    taken = tianyi("ingest", source, at=repository).said
    files = tianyi("files", taken["aip"], at=repository).rows
    one, other = [row["digest"] for row in files if row["original_name"] in ("dues.txt", "unknown")]
    for copy in copies:
        blob(copy, one).unlink()
    code, text = shown("audit")
    assert (code, "1 file in no copy any more  → tianyi repair says whom to ask" in text) == (3, True)
    assert "replicate" not in text
    blob(copies[1], other).unlink()
    text = shown("audit")[1]
    assert "1 file in no copy any more" in text
    assert "→ tianyi replicate, then tianyi repair" in text


@pytest.mark.parametrize("form", ["bag", "rocrate", "folder", "ocfl"])
def test_an_export_of_a_lost_file_names_it(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], source: Path, tmp_path: Path, form: str
) -> None:
    taken = tianyi("ingest", source, at=repository).said
    [row] = [row for row in tianyi("files", taken["aip"], at=repository).rows if row["original_name"] == "unknown"]
    for copy in copies:
        blob(copy, row["digest"]).unlink()
    answer = tianyi("export", taken["aip"], tmp_path / "dip", "--as", form, at=repository)
    assert answer.code == 3
    assert f"unknown of {taken['accession']} (blobs/sha256/" in answer.said["message"]


@pytest.mark.parametrize(("word", "outcome"), [("reject", "rejected"), ("hold", "held")])
def test_an_accession_without_an_aip_can_be_asked_about(
    tianyi: Tianyi, repository: Path, source: Path, shown: Callable[..., tuple[int, str]], word: str, outcome: str
) -> None:
    (repository / "policies" / "ingest.yaml").write_text(f"findings:\n  codes:\n    format-unknown: {word}\n")
    number = tianyi("ingest", source, at=repository).said["accession"]
    rows = tianyi("events", number, at=repository).rows
    assert [row["outcome"] for row in rows] == ["received", outcome]
    assert "format-unknown" in rows[1]["detail"]["because"][0]
    assert "format-unknown" in shown("events", number)[1]
    answer = tianyi("show", number, at=repository)
    assert (answer.code, answer.said["code"], f"tianyi events {number}" in answer.said["next"]) == (4, "not-kept", True)
    assert outcome in answer.said["message"]
    assert "format-unknown" in answer.said["message"]
    assert tianyi("events", "1999-0001", at=repository).code == 4


def test_the_detail_of_an_event_is_an_object(tianyi: Tianyi, repository: Path, source: Path) -> None:
    aip = tianyi("ingest", source, at=repository).said["aip"]
    rows = tianyi("events", aip, at=repository).rows
    assert all(isinstance(row["detail"], dict) for row in rows)
    assert all(set(row["detail"]) == {"note"} for row in rows if row["source"] == "premis")


COMMANDS = (["events", "--json"], ["events"], ["migrate", "plan", "--json"], ["audit", "--json"], ["--help"])


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_reader_that_goes_away(repository: Path, arguments: list[str]) -> None:
    """Before anything was said; whatever is printed then meets a broken pipe."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run([*LINE, "-C", str(repository), *arguments], stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", [*COMMANDS[:2], *COMMANDS[3:]])
def test_output_that_has_no_room(repository: Path, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*LINE, "-C", str(repository), *arguments], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 6
    assert "no room left" in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["migrate"]])
def test_nothing_was_asked(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Usage: tianyi")
    assert "Error" not in said.err
    assert said.out == ""


def test_what_was_misspelt(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "2026-0001", "dip", "--as", "bags"]) == 2
    told = capsys.readouterr().err
    assert "'bags' is not one of 'bag', 'rocrate', 'folder'" in told
    assert "Value error" not in told
    assert "tianyi export --help" in told


@pytest.mark.parametrize(
    "arguments", [["ingest", "x", "--accept-held"], ["audit", "--copy"], ["audit", "status", "--html"]]
)
def test_an_option_without_its_value(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    told = capsys.readouterr().err
    assert f"Option '{arguments[-1]}' requires an argument." in told
    assert f"`tianyi {arguments[0]}" in told
    assert "--help` tells its options." in told


@pytest.mark.parametrize(
    "command", ["identify", "ingest", "validate", "export", "search", "events", "scheduler", "init"]
)
def test_help_names_values_plainly(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert not [sign for sign in ("{", "<str>", "<path>", "<int", "list[") if sign in text]


def test_a_copy_s_folder_is_kept_plainly(tianyi: Tianyi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    made = tianyi("init", "archive", "--copy", "../there/./b").said
    assert made["copies"][1]["url"] == str(tmp_path / "there" / "b")


def test_a_run_of_nothing_says_so(repository: Path, shown: Callable[..., tuple[int, str]]) -> None:
    code, text = shown("scheduler", "--once")
    assert (code, "migrate success  nothing due" in text, "Ctrl-C" in text) == (0, True, False)
    assert "Nothing is due." in shown("scheduler", "--once")[1]
    assert not [line for line in shown("jobs")[1].splitlines() if line.endswith(" ")]


def test_a_scheduler_that_somebody_stops_has_not_failed(
    shown: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repository.scheduler.serve", lambda *_, **__: signal.SIGINT)
    code, text = shown("scheduler")
    assert (code, text.splitlines()[-1], "Error" in text) == (130, "Stopped.", False)


def test_a_bar_goes_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """However that ends: what is told next has a line of its own, and the cursor is seen again."""
    monkeypatch.setattr("repository.cli.bar.PATIENCE", -1.0)
    screen, out = Screen(json=False), io.StringIO()
    screen.errors = Console(file=out, force_terminal=True)
    with typer.Context(typer.main.get_command(app)) as context:
        bar = screen.progress(context)
        bar.begin("Restoring", 0, 0)
        bar.advance(1200, 0)
    assert "1,200 files" in out.getvalue()
    assert out.getvalue().rfind("\x1b[?25h") > out.getvalue().rfind("\x1b[?25l")


def test_a_shell_is_offered_numbers_with_titles(tianyi: Tianyi, repository: Path, source: Path, tmp_path: Path) -> None:
    assert tianyi("ingest", source, "--title", "Dues", at=repository).code == 0

    def offered(words: str) -> str:
        asked = {**os.environ, "_TIANYI_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": words}
        program = [sys.executable, "-c", "import sys; sys.argv[0] = 'tianyi'; from repository.cli import main; main()"]
        return subprocess.run(program, env=asked, capture_output=True, text=True, check=True).stdout

    assert '"2026-0001":"Dues"' in offered(f"tianyi -C {repository} show 20")
    assert '"2026-0001":"accepted"' in offered(f"tianyi -C {repository} return 20")
    assert "2026" not in offered(f"tianyi -C {tmp_path} show 20").replace(str(tmp_path), "")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_what_is_to_be_done_crushes_no_number(
    tianyi: Tianyi, repository: Path, source: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    title = "Dues of [the] guild of junks, with what was paid, and what was not"
    tianyi("ingest", source, "--title", title, at=repository)
    (repository / "policies" / "ingest.yaml").write_text("findings:\n  codes:\n    format-unknown: hold\n")
    number = tianyi("ingest", source, "--title", title, at=repository).said["accession"]
    [_, held] = tianyi("accessions", at=repository).rows
    out = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", out)
        patch.setattr("repository.cli.screen._console", lambda: Console(
            file=out, force_terminal=True, color_system=None, width=width, highlight=False, soft_wrap=True
        ))  # fmt: skip
        assert run(["-C", str(repository), "accessions"]) == 0
    lines = out.getvalue().splitlines()
    assert [line.split()[:2] for line in lines if line[0] != " "] == [
        ["accession", "state"], ["2026-0001".replace("2026", number[:4]), "accepted"], [number, "held"],
    ]  # fmt: skip
    assert lines[-1] == f"  → {held['next']}"
    assert [line for line in lines if "→" in line] == lines[-1:]
