"""What is wrong now, and what of it has to be told, pure: once a fault, again after a while, and when it is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Why = Literal["new", "still", "clear", "news"]
NEW: Final = "new"
STILL: Final = "still"
CLEAR: Final = "clear"
NEWS: Final = "news"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a person has to see to. `kind` is one of policies.alerts.KINDS, `about` what it is about: two with
    the same of both are one fault. `message` says what is wrong, `next` what to do; they may change while it lasts."""

    kind: str
    about: str
    message: str
    next: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.about}"


@dataclass(frozen=True, slots=True)
class Told:
    """A fault that was told: since when it is there, and when it was told last."""

    fault: Fault
    since: datetime
    told: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """Something to send; `why` is new, still or clear, or news where nothing is wrong."""

    title: str
    text: str
    why: Why


def changes(
    before: Mapping[str, Told], faults: Iterable[Fault], now: datetime, again: timedelta
) -> tuple[list[Message], dict[str, Told]]:
    """What to send, and what has been told once that is sent, by the faults' keys: new faults in their order, those
    told longer than `again` ago, then an all-clear for each that is gone.

    What was told in the future, by a clock that was wrong, is told again.
    """
    there = {fault.key: fault for fault in faults}
    messages, told = [], {}
    for key, fault in there.items():
        known = before.get(key)
        if known is None:
            messages.append(Message(f"{_title(fault)}", _text(fault), NEW))
            told[key] = Told(fault, now, now)
        elif not timedelta(0) <= now - known.told < again:
            messages.append(Message(f"Still: {_title(fault)}", f"{_text(fault)}\nSince {known.since:%Y-%m-%d}.", STILL))
            told[key] = Told(fault, known.since, now)
        else:
            told[key] = Told(fault, known.since, known.told)
    return [*messages, *(_gone(one) for key, one in before.items() if key not in there)], told


def standing(before: Mapping[str, Told]) -> list[Fault]:
    """What was wrong when somebody last looked: where nobody can look now, it still is."""
    return [one.fault for one in before.values()]


def since(before: Mapping[str, Told], fault: Fault, now: datetime) -> datetime:
    """Since when a fault is there, as far as anybody saw."""
    return before[fault.key].since if fault.key in before else now


def full_in(samples: Sequence[tuple[datetime, int]], free: int, now: datetime) -> timedelta | None:
    """When a disk is full that goes on to fill as since the oldest of the samples (time, bytes free); None where it
    does not, or where they are of less than three days."""
    first = min(samples, default=None)
    if first is None or now - first[0] < timedelta(days=3) or first[1] <= free:
        return None
    return (now - first[0]) * (free / (first[1] - free))


_TITLES = {
    "repository": "the repository cannot be opened", "ledger": "the ledger is not the one that was known",
    "damage": "damage in copy {}", "infected": "a virus scan found something", "promise": "reading {} falls behind",
    "repair": "repair stopped at its limit", "job": "the job {} fails", "away": "copy {} is away",
    "disk": "the disk of {} fills", "policy": "a policy cannot be used", "clock": "the clock goes before the ledger",
    "ledger:key": "nothing signs the ledger",
    "ledger:records": "the ledger lacks entries",
}  # fmt: skip


def _title(fault: Fault) -> str:
    return _TITLES.get(fault.key, _TITLES.get(fault.kind, fault.kind)).format(fault.about)


def _text(fault: Fault) -> str:
    return f"{fault.message}\n→ {fault.next}" if fault.next else fault.message


def _gone(one: Told) -> Message:
    told = f"It was so since {one.since:%Y-%m-%d}: {one.fault.message}"
    return Message(f"All clear: {_title(one.fault)}", told, CLEAR)
