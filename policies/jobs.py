"""The scheduler's jobs, as audit.yaml says them: how often, at which times, for how long, and how often again."""

from __future__ import annotations

from datetime import UTC, time, timedelta, tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from policies.model import Count, Every, Model, like, repeated

JobName = Literal[
    "audit", "sample", "repair", "replicate", "migrate", "characterize", "rescan", "sweep", "retention", "drill",
    "backup", "checkpoint", "digest",
]  # fmt: skip
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_WEEK = timedelta(days=7)


def _known_zone(name: str) -> str:
    try:
        return name if name == "UTC" else ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("not a time zone that is known here: write UTC, or like Asia/Shanghai") from error


def _hours(text: str) -> str:
    begin, _, end = text.partition("-")
    if begin == end:
        raise ValueError("not hours: they begin and end at the same time")
    return text


Zone = Annotated[str, AfterValidator(_known_zone)]
Clock = Annotated[str, like(_CLOCK, 'not a time of day: write like "02:00" (in quotes)')]
Hours = Annotated[str, like(f"{_CLOCK}-{_CLOCK}", 'not hours: write like "22:00-06:00"'), AfterValidator(_hours)]


class Job(Model):
    every: Every = Field(description="Time between two runs: like 12 hours, or an integer of days; 1 second or more.")
    at: Clock | None = Field(default=None, description='The time of day when it falls due: like "02:00".')
    on: tuple[Day, ...] = Field(default=(), description="The days on which it runs: like [sat, sun]; none: every day.")
    hours: Hours | None = Field(default=None, description='It begins within these alone: like "22:00-06:00".')
    limit: Every = Field(default=_WEEK, description="A run that takes longer hangs, and is stopped: like 12 hours.")
    retries: int = Field(
        default=3, strict=True, ge=0, le=100,
        description="A run that failed is tried again so many times, after 1, 2, 4 … minutes; then someone is alerted.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _whole_days(self) -> Job:
        if self.at and self.every % timedelta(days=1):
            raise ValueError("with `at`, `every` is a whole number of days")
        if twice := repeated(self.on):
            raise ValueError(f"{twice[0]} is given twice in `on`")
        return self


class Backup(Model):
    folder: str = Field(description="Where the job `backup` puts the catalogue's copies: in the repository, or a path.")
    keep: Count = Field(description="How many of them stay.")


class Rehearsal(Model):
    aips: Count = Field(description="How many AIPs the job `drill` restores, chosen at random.")


def zone_of(name: str) -> tzinfo:
    """The time zone of `Zone`."""
    return UTC if name == "UTC" else ZoneInfo(name)


def clock(text: str) -> time:
    """The time of day of `Clock`."""
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))


def window(hours: str) -> tuple[time, time]:
    """Begin and end of `Hours`; the end is the next day's where it is not after the begin."""
    begin, _, end = hours.partition("-")
    return clock(begin), clock(end)
