"""What a format risks, by PRONOM identifier (defaults/formats.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from policies.model import Model, Puid, Text

Risk = Literal["low", "moderate", "high", "unknown"]


class FormatRisk(Model):
    """One format's risk: a fact with its source."""

    name: Text = Field(description="The format's name and version, for people.")
    risk: Literal["low", "moderate", "high"] = Field(description="Risk that the format cannot be read one day.")
    reason: Text = Field(description="Why, or what is planned.")
    source: Text = Field(description="Who says so, and in which release.")


class FormatsPolicy(Model):
    whole: ClassVar[frozenset[str]] = frozenset({"risks"})

    risks: Mapping[Puid, FormatRisk] = Field(description="PUID to risk, name, reason and source.")

    def risk_of(self, puid: str) -> Risk:
        """The risk of a format; "unknown" for one that no policy lists."""
        known = self.risks.get(puid)
        return known.risk if known else "unknown"
