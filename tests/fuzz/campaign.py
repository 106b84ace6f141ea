"""A campaign: atheris (libFuzzer) before each of some readers for some seconds, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

SECONDS = 60  # in all
_ROOT = Path(__file__).parents[2]
_SLOWEST, _MEMORY, _LARGEST = 60, 3_000, 64 << 10  # seconds and MB of one input; bytes of one


class Result(NamedTuple):
    """How one reader's campaign ended; `told` is what atheris said of a crash."""

    target: str
    inputs: int
    is_sound: bool
    told: str


def has_atheris() -> bool:
    return find_spec("atheris") is not None


def campaign(targets: Sequence[str], seconds: int, keep: Path) -> Iterator[Result]:
    """Feed some readers, each for so many seconds; inputs that reach something new are kept in `keep/TARGET`, and the
    next campaign goes on from them; what crashes, hangs or escapes lies beside them as `crash-…` or `timeout-…`."""
    bounds = [f"-max_total_time={seconds}", f"-timeout={_SLOWEST}", f"-rss_limit_mb={_MEMORY}", f"-max_len={_LARGEST}"]
    command = [sys.executable, "-m", "tests.fuzz.fed", str(keep), *targets, "--", *bounds, "-print_final_stats=1",
               "-verbosity=1"]  # fmt: skip
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, errors="replace")
    exits = dict(line.split() for line in done.stdout.splitlines())
    for target in targets:
        path = keep / f"{target}.told"
        told = path.read_text(errors="replace") if path.exists() else done.stderr
        said = [line for line in told.splitlines() if line.startswith("stat::number_of_executed_units")]
        yield Result(target, int(said[-1].split()[-1]) if said else 0, exits.get(target) == "0", told[-5_000:])
