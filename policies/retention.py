"""How long a deletion waits, who may approve one, and what the sweep leaves alone (defaults/retention.yaml)."""

from __future__ import annotations

from pydantic import Field

from policies.model import Every, Model


class RetentionPolicy(Model):
    waiting: Every = Field(description="Between the approval of a deletion and its being carried out: like 30 days.")
    grace: Every = Field(description="The sweep leaves alone what was written less than so long ago: like 1 day.")
    approver_is_another_user: bool = Field(
        description="Whether who approves has to be another user of the system than who asked, not only another agent."
    )
