"""How often holdings are read again, and how often the scheduler looks (defaults/audit.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from policies.model import Every, Model

JobName = Literal["audit", "characterize", "migrate", "repair", "replicate", "rescan", "sweep"]


class Job(Model):
    every: Every = Field(description="Time between two runs: like 12 hours, or an integer of days; 1 second or more.")


class AuditPolicy(Model):
    every: Every = Field(description="Every blob in every copy is read again after so long: like 90 days.")
    scan: Every = Field(description="Every file is scanned for viruses again after so long, by the job `rescan`.")
    jobs: Mapping[JobName, Job] = Field(description="When the scheduler looks for what is due.")
