"""On what terms a delivery came: what people agreed about it, as they wrote it down."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date

ADD = "add"
REASONS = {ADD: "addition", "replace": "replacement"}
"""Why a version was made, by how a delivery was taken in."""
LONGEST = 2_000  # characters of each, and of an officer's reason, so that an entry of the ledger has room for all


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Each "" where nothing was said. `agreement` names the submission agreement; `rights` say who may do what;
    `restrictions` what nobody may before when; `received` is a date, as 2026-03-01 (ISO 8601); `extent` is what was
    handed over, in words. `into` is the AIP (`urn:uuid:…`) that it is added to, and `how` ADD, or "replace" where its
    files may take the place of what is there."""

    agreement: str = ""
    rights: str = ""
    restrictions: str = ""
    received: str = ""
    extent: str = ""
    into: str = ""
    how: str = ""

    def told(self) -> dict[str, str]:
        """What was said, by name."""
        return {name: said for name, said in asdict(self).items() if said}


NO_TERMS = Terms()


def terms(**said: str) -> Terms:
    """Terms as they go on record: each one line; raise ValueError for a date that is none."""
    lines = {name: one_line(text)[:LONGEST] for name, text in said.items()}
    if received := lines.get("received", ""):
        date.fromisoformat(received)
    return Terms(**lines)


def one_line(text: str) -> str:
    """Text without line breaks and control characters; bytes of the command line that are not UTF-8 become U+FFFD."""
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in whole).split())
