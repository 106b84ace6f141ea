"""What the scheduler plans, kept up with the policy files, tianyi.toml, and what others write into the ledger.

A file with a mistake changes nothing: the plan goes on by the policies as they were.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from policies.effective import Policies
from policies.errors import PolicyError
from policies.timetable import Past
from repository import edge
from repository.config import FILE, Config
from repository.job_process import HOURS_OVER
from repository.jobs import FAILED, INTERRUPTED, Job, Run, agenda
from repository.repository import Repository
from repository.rows import read_only
from storage.errors import Locked, TianyiError
from storage.event import SCHEDULER

Look = tuple[tuple[tuple[str, int, int, int], ...], int]


class Planner:
    """Plans anew when told to, or when something that a plan is made of has changed."""

    def __init__(self, settings: Config, now: Callable[[], datetime]) -> None:
        self.settings, self.now = settings, now
        self.jobs: list[Job] = []
        self.zone = "UTC"
        self.wrong = ""
        """Why the plan is not that of the files as they are, "" where it is."""
        self._policies: Policies | None = None
        self._unnoted: dict[str, Past] = {}
        self._looked: Look | None = None

    def begin(self) -> None:
        """Make the first plan; raise PolicyError, and whatever `Repository.open` raises."""
        self._looked = self._look()
        self._plan(first=True)

    def ended(self, run: Run) -> None:
        """Take a run into account that is not in the ledger: it has not to begin again at once."""
        if run.outcome == INTERRUPTED and run.detail.get("code") != HOURS_OVER["code"]:
            self._unnoted[run.name] = Past(self.now(), self.now())
        elif run.outcome in FAILED and "unnoted" in run.detail:
            before = self._unnoted.get(run.name)
            self._unnoted[run.name] = Past(self.now(), self.now(), (before.failures if before else 0) + 1)

    def has_changed(self) -> bool:
        """Whether policies, tianyi.toml or the ledger are others than when this was asked last."""
        before, self._looked = self._looked, self._look()
        return self._looked != before

    def again(self) -> None:
        """Plan anew; where that cannot be done the plan stays as it is, and `wrong` says why."""
        try:
            self._plan()
        except (TianyiError, PolicyError, OSError, sqlite3.Error) as error:
            told = edge.tell(error)
            self.wrong = told.message if told else str(error)

    def _plan(self, *, first: bool = False) -> None:
        """What is overdue by however many runs is due now, once."""
        now = self.now()
        with Repository.open(self.settings.folder, agent=SCHEDULER, now=lambda: now, patience=0) as repository:
            policies = self._in_force(repository, first=first)
            audit = policies.audit
            jobs = agenda(repository.catalogue, audit, now, self._unnoted)
        self.jobs, self.zone = [replace(job, next=max(job.next, now)) for job in jobs], audit.zone

    def _in_force(self, repository: Repository, *, first: bool) -> Policies:
        try:
            self._policies, self.wrong = repository.policies(), ""
        except PolicyError as error:
            if first or self._policies is None:
                raise
            self.wrong = str(error)
        else:
            with suppress(Locked):  # somebody writes at this moment: the next plan will
                repository.note_changes(first=True)
        return self._policies

    def _look(self) -> Look:
        return tuple(_files(self.settings)), _position(self.settings.catalogue)


def _files(settings: Config) -> Iterator[tuple[str, int, int, int]]:
    """The files that people edit, as a look tells whether they have changed."""
    with suppress(OSError):
        for path in sorted([settings.folder / FILE, *settings.policies.glob("*.y*ml")]):
            facts = path.stat()
            yield str(path), facts.st_ino, facts.st_size, facts.st_mtime_ns


def _position(catalogue: Path) -> int:
    """How many entries of the ledger the catalogue knows: whoever writes one takes it in."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(read_only(catalogue), uri=True)) as db:
        return int(db.execute("select value from state where key = 'position'").fetchone()[0])
    return -1
