"""What is healed without being asked (defaults/repair.yaml)."""

from __future__ import annotations

from pydantic import Field

from policies.model import Count, Model


class RepairPolicy(Model):
    automatic: bool = Field(description="Whether the job `repair` heals what audits found; if not, it only tells.")
    most: Count = Field(description="Files that it heals in one copy within 24 hours: more is a failing disk.")
    attempts: Count = Field(description="How often it tries a file that it cannot heal, until an audit finds it again.")
