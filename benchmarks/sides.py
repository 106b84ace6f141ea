"""A side of a case: a command with what goes before and after it, as values. Nothing runs here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.programs import Program

Argv = list[str]


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a run works: `source` is only read, `fresh` is new for each run, `kept` lasts for the case."""

    source: Path
    fresh: Path
    kept: Path

    @property
    def out(self) -> Path:
        """A place that does not exist yet when the run begins."""
        return self.fresh / "out"


Steps = Callable[[Folders], Sequence[Argv]]


def nothing(at: Folders) -> Sequence[Argv]:
    """Prepare nothing."""
    return ()


def trust(at: Folders, said: str) -> bool:
    """Take the exit code's word for it."""
    return True


@dataclass(frozen=True, slots=True)
class Side:
    """A command to time, what goes before it untimed, and how often it puts the shape's bytes on disk."""

    label: str
    program: Program
    command: Callable[[Folders], Argv]
    once: Steps = nothing  # before the first run of the case
    before: Steps = nothing  # before each run
    copies: int = 0  # of the shape's bytes, in `fresh`
    keeps: int = 0  # of the shape's bytes, in `kept`
    check: Callable[[Folders, str], bool] = trust  # after each run: (folders, what it said) → it did its work
    seconds: Callable[[str], float] | None = None  # what it said → its time, where its start is not to count


def shell(script: str, *arguments: Path | str | int) -> Argv:
    """Return several programs as one command; it ends at the first that fails."""
    return ["sh", "-euc", script, "sh", *map(str, arguments)]


def count(folder: Path) -> int:
    """Return how many regular files lie below `folder`."""
    return sum(1 for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def a_line_a_file(at: Folders, said: str) -> bool:
    """Say whether there is one line of answer for each file of the source."""
    return len(said.splitlines()) == count(at.source)


def copied(at: Folders, said: str) -> bool:
    """Say whether `out` holds as many files as the source, or more (an export may add its own)."""
    return count(at.out) >= count(at.source)
