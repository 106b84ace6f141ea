"""Of what somebody is told, and when (defaults/alerts.yaml). To whom stands in tianyi.toml, since it may be secret."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from policies.model import Every, Model

Kind = Literal[
    "repository", "ledger", "damage", "infected", "promise", "repair", "job", "away", "disk", "policy", "clock"
]
KINDS: tuple[Kind, ...] = (
    "repository", "ledger", "damage", "infected", "promise", "repair", "job", "away", "disk", "policy", "clock",
)  # fmt: skip
"""What can be wrong: the repository cannot be opened; the ledger is not the one known; damage; viruses; the promise of
reading is at risk or broken; repair stopped at its limit; a job fails; a copy is away; a disk fills; a policy file has
a mistake; the clock goes before entries of the ledger."""


class AlertsPolicy(Model):
    kinds: tuple[Kind, ...] = Field(description="Of what somebody is told.")
    look: Every = Field(description="Time between two looks; besides, each job's end is followed by one.")
    again: Every = Field(description="What lasts is told again after so long: like 7 days.")
    disk_free: Annotated[int, Field(strict=True, ge=0, le=99)] = Field(
        description="A disk of which less than so many percent are free fills."
    )
    disk_full_within: Every = Field(description="So does one that is full within this time if it goes on as it did.")
