"""How often holdings are read again, what that may take from others, and when the scheduler looks (audit.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from policies.jobs import Backup, Day, Hours, Job, JobName, Rehearsal, Zone
from policies.model import Count, Every, Model, Name, Text


class Limits(Model):
    """What reading may take. Speed counts for whoever reads; hours and days for rounds of the scheduler."""

    mb_per_second: Count | None = Field(default=None, description="Million bytes a second at most.")
    files_per_second: Count | None = Field(default=None, description="Files a second at most.")
    cpu_percent: Count | None = Field(default=None, description="Share of one core at most: 50 is half a core.")
    hours: tuple[Hours, ...] = Field(
        default=(), description='When rounds may read: like ["22:00-06:00"]; none: always.'
    )
    days: tuple[Day, ...] = Field(default=(), description="On which days these hours begin: like [sat, sun].")
    io_priority: Literal["idle", "normal"] = Field(
        default="idle", description="With idle, the disk serves everybody else first, where the system can do that."
    )

    def over(self, general: Limits) -> Limits:
        """These limits where they say something, else the general ones."""
        return general.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


class CopyPromise(Model):
    every: Every | None = Field(default=None, description="Every byte of this copy is read again within so long.")
    attested: Text | None = Field(
        default=None, description="It is never read: who attests it instead, like the provider of a cold store."
    )
    limits: Limits = Field(default=Limits(), description="What reading this copy may take, where it differs.")

    @model_validator(mode="after")
    def _one_of_them(self) -> CopyPromise:
        if self.every and self.attested:
            raise ValueError("`every` or `attested`, not both: what is attested is never read")
        return self


class Collection(Model):
    producers: tuple[Text, ...] = Field(min_length=1, description="Whose AIPs: the names that `tianyi list` shows.")
    every: Every = Field(description="Every byte of them is read again within so long, in every copy.")


class Sample(Model):
    files: Count = Field(description="How many files of each copy the job `sample` reads, chosen at random.")


class AuditPolicy(Model):
    every: Every = Field(description="Every byte in every copy is read again within so long: like 90 days.")
    copies: Mapping[str, CopyPromise] = Field(description="Copies with a promise of their own, by name.")
    collections: Mapping[Name, Collection] = Field(description="AIPs that are read more often.")
    new: Every = Field(description="New content is read back within so long.")
    sample: Sample = Field(description="What the job `sample` reads: a dying disk shows early.")
    limits: Limits = Field(description="What reading may take from others.")
    scan: Every = Field(description="Every file is scanned for viruses again after so long, by the job `rescan`.")
    zone: Zone = Field(description="Whose days and times of day those of jobs are: UTC, or like Asia/Shanghai.")
    jobs: Mapping[JobName, Job] = Field(description="When the scheduler looks for what is due.")
    backup: Backup = Field(description="Of the catalogue, by the job `backup`.")
    drill: Rehearsal = Field(description="Of restoring, by the job `drill`.")

    def every_of(self, copy: str) -> timedelta | None:
        """Within how long a copy is read again; None where somebody attests it."""
        own = self.copies.get(copy, CopyPromise())
        return None if own.attested else own.every or self.every

    def limits_of(self, copy: str) -> Limits:
        """What reading a copy may take."""
        return self.copies[copy].limits.over(self.limits) if copy in self.copies else self.limits
