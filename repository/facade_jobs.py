"""The façade's verbs for what runs by itself: jobs, their history, and pausing them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from repository.agents import deciding, on_record
from repository.errors import BadRequest, UnknownJob
from repository.facade_keep import Keeping
from storage.canonical import Json
from storage.lock import is_held

if TYPE_CHECKING:
    from repository.backup import Backup
    from repository.jobs import Job, Run


class Scheduling(Keeping):
    """Jobs by policy."""

    def jobs(self) -> list[Job]:
        """The policy's jobs by name, with their last run and when they fall due."""
        from repository import jobs

        found = jobs.agenda(self.catalogue, self.policies().audit, self.now())
        return [replace(job, state=jobs.RUNNING) if self._runs(job.name) else job for job in found]

    def job_history(self, name: str = "", most: int = 50) -> Iterator[Run]:
        """Yield the last runs, of every job or of one, the newest first; raise UnknownJob."""
        from repository import jobs

        self._known(name)
        return jobs.history(self.catalogue, name, most)

    def pause_job(self, name: str, reason: str) -> None:
        """Let the scheduler not begin a job before it is resumed; raise UnknownJob, BadRequest where it is paused."""
        from repository.jobs import PAUSED

        detail = self._turning(name, reason, paused=False)
        self._note("pause", name, PAUSED, detail)

    def resume_job(self, name: str, reason: str) -> None:
        """End a job's pause; raise UnknownJob, BadRequest where it is not paused."""
        detail = self._turning(name, reason, paused=True)
        self._note("resumption", name, "resumed", detail)

    def note_job(self, name: str, outcome: str, detail: dict[str, str | int]) -> None:
        """Write down that a job ran."""
        self._note("job", name, outcome, detail)

    def backup(self) -> Backup:
        """Copy the catalogue and what is in work, as the policy says where to; raise BackupFailed."""
        from repository import backup

        rule = self.policies().audit.backup
        return backup.back_up(self.settings, rule.folder, rule.keep, self.now())

    def review(self) -> Counter[str]:
        """How many requests to delete wait for what (requested, approved, due, held), how many AIPs are on hold
        (`holds`) and how many deliveries (`deliveries`) wait for a person. Nothing is changed."""
        from repository.disposal import HELD, OPEN

        waiting = Counter(one.seen(self.now()) for one in self.requests() if one.state in OPEN)
        waiting["holds"] = len({hold.aip for hold in self.holds()})
        waiting["deliveries"] = sum(one.state == HELD for one in self.accessions())
        return waiting

    def digest(self, begin: datetime) -> str:
        """What happened since a moment, and how things stand, as a text."""
        from repository import alert_memory, digest_text
        from repository.faults import faults
        from repository.health import gather

        health, now = gather(self), self.now()
        found = faults(health, self.policies().alerts, alert_memory.read(self.settings.work).free, now)
        review = self.review()
        waiting = review["requested"] + review["deliveries"]
        return digest_text.render(digest_text.of_ledger(self.catalogue, begin, now), health, found, waiting)

    def _turning(self, name: str, reason: str, *, paused: bool) -> dict[str, Json]:
        """What an entry says of who turns a job on or off; raise BadRequest where it is that already."""
        from repository import jobs

        self._known(name)
        if self.settings.agents:
            deciding(self.settings.agents, self.agent, self.user)
        if jobs.is_paused(self.catalogue, name) != paused:
            told = f"The job {name} is {'not paused' if paused else 'paused already'}."
            raise BadRequest(told, "`tianyi jobs` shows how each is.")
        return {"user": self.user, **({"why": on_record(reason)} if reason else {})}

    def _known(self, name: str) -> None:
        from policies.jobs import JobName

        if name not in ("", *get_args(JobName)):
            raise UnknownJob(name, sorted(get_args(JobName)))

    def _runs(self, name: str) -> bool:
        from repository.jobs import lock_of

        return is_held(lock_of(self.settings.work, name))
