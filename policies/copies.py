"""Which copies a write waits for (defaults/copies.yaml)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from policies.model import Model


class CopiesPolicy(Model):
    required: Literal["all"] | tuple[str, ...] = Field(
        description="all, or the names of copies: a version is complete when these have it; the first is always one."
    )

    def names(self) -> frozenset[str] | None:
        """The names that are required, None for all."""
        return None if self.required == "all" else frozenset(self.required)
