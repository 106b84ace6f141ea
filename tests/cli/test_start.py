"""A command brings along what it needs and nothing else: people wait for each start."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from repository import Repository, workers

PROGRAM = """
import sys
from repository.cli.running import run
code = run(sys.argv[1:])
print(code, *sys.modules, file=sys.stderr)
"""
HEAVY = {
    "ingest.sip", "ingest.pipeline", "ingest.droid", "lxml.etree", "PIL", "apprise", "apscheduler", "obstore",
    "rocrate", "tomlkit", "storage.premis", "repository.doctor", "repository.migrate", "repository.publishing",
    "repository.cli.scheduler",
}  # fmt: skip


@pytest.mark.parametrize("command", [("list",), ("events",), ("audit", "--cached"), ("audit", "status"), ("jobs",)])
def test_a_command_waits_for_nothing_of_others(command: tuple[str, ...], tmp_path: Path) -> None:
    Repository.init(tmp_path / "repository").close()
    line = [sys.executable, "-c", PROGRAM, "-C", str(tmp_path / "repository"), *command]
    code, *modules = subprocess.run(line, capture_output=True, text=True, check=True).stderr.splitlines()[-1].split()
    assert code == "0"
    assert HEAVY.intersection(modules) == set()


@pytest.mark.parametrize("purpose", [workers.CARRYING, workers.GIVING, workers.READING, workers.EXAMINING])
def test_what_workers_are_prepared_with_is_there(purpose: tuple[str, ...]) -> None:
    """The fork server passes over in silence what it cannot import."""
    assert all(find_spec(name) for name in purpose)
