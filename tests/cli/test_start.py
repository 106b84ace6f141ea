"""A command brings along what it needs and nothing else: people wait for each start."""

from __future__ import annotations

import json
import signal
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
    "repository.cli.scheduler", "sqlite_utils", "rich.progress", "storage.s3",
}  # fmt: skip
OF_WHO_WRITES = {
    "policies.document", "policies.model", "yaml", "cryptography", "multiprocessing", "concurrent.futures.process",
    "repository.copies", "repository.coverage", "repository.watch", "repository.workers", "repository.projection",
    "concurrent.futures", "fixity.audit",
}  # fmt: skip
"""What reading the catalogue needs none of."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    Repository.init(tmp_path / "repository").close()
    return tmp_path / "repository"


@pytest.mark.parametrize("command", ["list", "events", "audit --cached", "audit status", "jobs", "replicate"])
def test_a_command_waits_for_nothing_of_others(command: str, archive: Path) -> None:
    assert HEAVY.intersection(brought(archive, command)) == set()


@pytest.mark.parametrize("command", ["list", "search word", "events", "holds"])
def test_reading_waits_for_nothing_that_writing_needs(command: str, archive: Path) -> None:
    assert (HEAVY | OF_WHO_WRITES).intersection(brought(archive, command)) == set()


def test_machines_wait_for_nothing_that_people_see(archive: Path) -> None:
    assert not [name for name in brought(archive, "list --json") if name.partition(".")[0] == "rich"]


def brought(archive: Path, command: str) -> set[str]:
    """The modules that are there when a command has been carried out."""
    line = [sys.executable, "-c", PROGRAM, "-C", str(archive), *command.split()]
    code, *modules = subprocess.run(line, capture_output=True, text=True, check=True).stderr.splitlines()[-1].split()
    assert code == "0"
    return set(modules)


INTERRUPTED = """
import os, signal, sys
from repository.cli import main

during, number = sys.argv.pop(1), int(sys.argv.pop(1))

class Interrupts:
    def find_spec(self, name, path, target=None):
        if name == during:
            os.kill(os.getpid(), number)

sys.meta_path.insert(0, Interrupts())
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("during", ["repository.cli.running", "typer", "repository.cli.holdings"])
def test_an_interruption_while_a_command_is_imported(during: str, number: int) -> None:
    line = [sys.executable, "-c", INTERRUPTED, during, str(int(number)), "list"]
    told = subprocess.run(line, capture_output=True, text=True)
    assert (told.returncode, "Traceback" in told.stderr, "Interrupted; nothing" in told.stderr) == (130, False, True)
    told = subprocess.run([*line, "--json"], capture_output=True, text=True)
    assert (told.returncode, told.stderr, json.loads(told.stdout)["code"]) == (130, "", "interrupted")


@pytest.mark.parametrize("purpose", [workers.CARRYING, workers.GIVING, workers.READING, workers.EXAMINING])
def test_what_workers_are_prepared_with_is_there(purpose: tuple[str, ...]) -> None:
    """The fork server passes over in silence what it cannot import."""
    assert all(find_spec(name) for name in purpose)
