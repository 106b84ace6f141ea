"""Which formats get a representation in another format, and why (defaults/migration.yaml)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from policies.model import Model, Name, Puid, Text, repeated

Target = Literal["tiff", "png"]


class Rule(Model):
    """Files of `puids` get a file in `to`, in a representation beside the original (which is never replaced)."""

    name: Name = Field(description="What decisions call this rule.")
    puids: tuple[Puid, ...] = Field(min_length=1, description="PRONOM identifiers that it is for.")
    to: Target = Field(description="The format to make.")
    because: Text = Field(description="Why, for the record of every migration.")
    representation: Name = Field(default="preservation", description="The new representation's name in the AIP.")

    @field_validator("representation")
    @classmethod
    def _beside_the_original(cls, name: str) -> str:
        if name == "original":
            raise ValueError("the original is never replaced: choose another representation")
        return name


class MigrationPolicy(Model):
    rules: tuple[Rule, ...] = Field(description="In any order: a PUID has at most one rule.")

    @field_validator("rules")
    @classmethod
    def _one_rule_a_format(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        if names := repeated(rule.name for rule in rules):
            raise ValueError(f"two rules have the name {names[0]}")
        if puids := repeated(puid for rule in rules for puid in rule.puids):
            raise ValueError(f"{puids[0]} is named twice: one rule decides")
        return rules

    def rule_for(self, puid: str) -> Rule | None:
        """The rule that names the format, if there is one."""
        return next((rule for rule in self.rules if puid in rule.puids), None)
