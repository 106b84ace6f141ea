"""How often holdings are read again, and how often the scheduler looks (defaults/audit.yaml)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from policies.jobs import Backup, Job, JobName, Rehearsal, Zone
from policies.model import Every, Model


class AuditPolicy(Model):
    every: Every = Field(description="Every blob in every copy is read again after so long: like 90 days.")
    scan: Every = Field(description="Every file is scanned for viruses again after so long, by the job `rescan`.")
    zone: Zone = Field(description="Whose days and times of day those of jobs are: UTC, or like Asia/Shanghai.")
    jobs: Mapping[JobName, Job] = Field(description="When the scheduler looks for what is due.")
    backup: Backup = Field(description="Of the catalogue, by the job `backup`.")
    drill: Rehearsal = Field(description="Of restoring, by the job `drill`.")
