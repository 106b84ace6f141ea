"""What was measured, as values: no clock, no disk. Times are seconds, sizes and memory are bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

Place = Literal["ours", "peer"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one command, from its start to the end of its last process that was waited for."""

    wall: float
    user: float
    system: float
    peak: int  # resident bytes of the largest single process, not the sum
    exit: int  # 0: it worked; below 0: ended by that signal
    note: str = ""  # why it failed: the last line it said

    @property
    def worked(self) -> bool:
        return self.exit == 0 and not self.note


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs next to each other in time, so that what the machine did meanwhile touched both."""

    first: Place
    ours: Measurement
    peer: Measurement

    @property
    def ratio(self) -> float:
        """Our time divided by the peer's: below 1 we were faster."""
        return self.ours.wall / self.peer.wall


@dataclass(frozen=True, slots=True)
class Result:
    """A case on a shape. `absent` says why it did not run; then there are no pairs."""

    case: str
    shape: str
    ours: str
    peer: str
    compared: str
    files: int
    size: int  # bytes read by each side
    goal: float | None = None  # the ratio should be this or lower
    pairs: tuple[Pair, ...] = ()
    absent: str = ""

    @property
    def status(self) -> Literal["measured", "failed", "absent"]:
        """A case with one failed run is failed as a whole: it has no figures."""
        if self.absent:
            return "absent"
        worked = self.pairs and all(pair.ours.worked and pair.peer.worked for pair in self.pairs)
        return "measured" if worked else "failed"

    @property
    def ratios(self) -> tuple[float, ...]:
        """Every pair's ratio in the order of running; empty unless measured."""
        return tuple(pair.ratio for pair in self.pairs) if self.status == "measured" else ()

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios (not the ratio of the medians)."""
        return median(self.ratios)

    @property
    def trouble(self) -> str:
        """Why there are no figures, in a few words; empty when measured."""
        if self.status != "failed":
            return self.absent
        for pair in self.pairs:
            for label, run in ((self.ours, pair.ours), (self.peer, pair.peer)):
                if not run.worked:
                    return f"failed: {label}: exit {run.exit}" + (f": {run.note}" if run.note else "")
        return "failed: no pair was run"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run of the harness found."""

    when: str  # UTC, ending in Z
    scale: float  # 1 is the full size of the shapes
    pairs: int  # asked for, for each case
    seed: int
    machine: Mapping[str, str]
    programs: Mapping[str, str]  # name → version, or "not installed: …"
    shapes: Mapping[str, str]  # name → what it holds
    results: tuple[Result, ...] = field(default=())
    interrupted: bool = False
    least: int = 0  # bytes; a peak that is not above it is not known better than that


def order(pair: int) -> tuple[Place, Place]:
    """Who runs first in pair number `pair` (from 0): we in even pairs, the peer in odd ones."""
    return ("ours", "peer") if pair % 2 == 0 else ("peer", "ours")
