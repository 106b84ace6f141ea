"""What a format tool says of a file, as values: well-formed, malformed, or not checked and why. A tool that crashed has
found nothing well-formed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from storage.digest import Digest

MESSAGES, PROPERTIES, LONGEST, RAW = 20, 100, 500, 64 * 1024  # how many, how many, characters of each, characters
EVENT: Final = "validation"  # id.loc.gov/vocabulary/preservation/eventType: what one tool says of one file
SUMMARY: Final = "metadata extraction"  # of the same vocabulary: that the tools were asked of a version's files


class Outcome(StrEnum):
    WELL_FORMED = "well-formed"
    MALFORMED = "malformed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Subject:
    """What tools are asked about: a blob, and what it was identified as. `guessed`: by its name alone."""

    digest: Digest
    size: int
    puids: tuple[str, ...]
    mime: str
    guessed: bool = False

    @property
    def named(self) -> str:
        """Its formats, for people."""
        return ", ".join(self.puids[:3]) + (", …" if len(self.puids) > 3 else "") or self.mime


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one tool says. `messages` tell what is wrong, or why nothing was checked; `raw` is the tool's own output.
    Where no tool was asked, `tool` is ""."""

    tool: str
    version: str
    outcome: Outcome
    messages: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    raw: str = ""

    @property
    def agent(self) -> str:
        """Like "pdf 10.17.0": what PREMIS calls it."""
        return f"{self.tool} {self.version}".strip()

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def from_json(text: str) -> Judgement:
    """The judgement that `to_json` wrote."""
    told = json.loads(text)
    return Judgement(**{**told, "outcome": Outcome(told["outcome"]), "messages": tuple(told["messages"])})


def unchecked(tool: str, why: str, version: str = "", raw: str = "") -> Judgement:
    return Judgement(tool, version, Outcome.NOT_CHECKED, (clean(why),), raw=raw[:RAW])


def judged(tool: str, version: str, told: Any) -> Judgement:
    """The judgement in a tool's answer, which is not trusted; raise ValueError for what is none."""
    match told:
        case {"unchecked": str(why)}:
            return unchecked(tool, why, version)
        case {"problems": list(problems), "properties": dict(properties), "raw": str(raw)}:
            messages = tuple(clean(str(one)) for one in problems[:MESSAGES])
            known = {clean(str(name)): clean(str(value)) for name, value in list(properties.items())[:PROPERTIES]}
            outcome = Outcome.MALFORMED if messages else Outcome.WELL_FORMED
            return Judgement(tool, version, outcome, messages, known, raw[:RAW])
    raise ValueError("not an answer of a tool")


def clean(text: str) -> str:
    """One line of printable text, not too long."""
    one = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    return "".join(c if c.isprintable() else "\ufffd" for c in one)[:LONGEST]


def overall(judgements: Iterable[Judgement]) -> Outcome:
    """What all tools together say of a file: malformed where one does, well-formed where one does and none objects."""
    found = {one.outcome for one in judgements}
    return next((one for one in (Outcome.MALFORMED, Outcome.WELL_FORMED) if one in found), Outcome.NOT_CHECKED)
