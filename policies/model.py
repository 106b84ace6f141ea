"""The frozen model under every policy, and the units that officers write: "100 TiB", "90 days", "fmt/3"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

_LARGEST = 2**53 - 1  # RFC 7493 §2.2: beyond this, readers of JSON that use doubles lose digits
_CENTURY = timedelta(days=36_525)
_SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}  # IEC 80000-13
_TIMES = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_SIZE = re.compile(rf"([0-9]{{1,16}}) ?({'|'.join(_SIZES)})")
_TIME = re.compile(rf"([0-9]{{1,8}}) ({'|'.join(_TIMES)})s?")


class Model(BaseModel):
    """Frozen, and closed to unknown fields.

    `whole` names the mappings whose members an officer's file replaces one by one as a whole: a fact and its source
    are one thing, so that a new risk never stands beside an old reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    whole: ClassVar[frozenset[str]] = frozenset()


def to_bytes(given: object) -> object:
    """The number of bytes in "100 TiB"; integers pass. Raises ValueError for other text."""
    if not isinstance(given, str):
        return given
    if not (found := _SIZE.fullmatch(given)):
        raise ValueError(f"not a size: write an integer of bytes, or like 100 TiB ({', '.join(_SIZES)})")
    return int(found[1]) * _SIZES[found[2]]


def to_time(given: object) -> object:
    """The span of "90 days" or "12 hours"; integers are days; ISO 8601 ("P90D") passes. Raises ValueError."""
    if isinstance(given, timedelta) or (isinstance(given, str) and given.startswith("P")):
        return given
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) <= _CENTURY.days:
        return timedelta(days=given)
    if isinstance(given, str) and (found := _TIME.fullmatch(given)):
        return timedelta(seconds=int(found[1]) * _TIMES[found[2]])
    raise ValueError("not a span of time: write like 90 days, 12 hours, or an integer of days")


def repeated(values: Iterable[str]) -> list[str]:
    """Those given more than once, in order of first appearance."""
    return [value for value, times in Counter(values).items() if times > 1]


def _bounded(span: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= span <= _CENTURY:
        raise ValueError("not between 1 second and 100 years")
    return span


def like(pattern: str, wrong: str) -> AfterValidator:
    """Refuse text that is not `pattern` as a whole, in words that a person understands."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(wrong)
        return text

    return AfterValidator(check)


Count = Annotated[int, Field(strict=True, gt=0, le=_LARGEST)]
Bytes = Annotated[int, BeforeValidator(to_bytes), Field(strict=True, gt=0, le=_LARGEST)]
Every = Annotated[timedelta, BeforeValidator(to_time), AfterValidator(_bounded)]
Puid = Annotated[str, like(r"(x-)?fmt/[0-9]{1,6}", "not a PRONOM identifier: write like fmt/40 or x-fmt/92")]
Name = Annotated[str, like(r"(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*", "not a name: small letters, digits and hyphens")]
Code = Annotated[
    str,
    like(
        r"(?=.{1,64}$)[a-z0-9]+([.-][a-z0-9]+)*|[A-Z]{1,8}[0-9]{1,3}",
        "not a code of a finding: write like name-troublesome, E023 or CSIP58",
    ),
]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    like(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,1000}", "not one line of text, of 1 to 1000 characters"),
]
