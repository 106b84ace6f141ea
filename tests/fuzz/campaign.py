"""A campaign: atheris (libFuzzer) before each reader for some seconds, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
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


def campaign(target: str, seconds: int, keep: Path) -> Result:
    """Feed one reader; inputs that reach something new are kept in `keep/TARGET`, and the next campaign goes on from
    them; what crashes, hangs or escapes lies beside them as `crash-…` or `timeout-…`."""
    corpus = keep / target
    corpus.mkdir(parents=True, exist_ok=True)
    bounds = [f"-max_total_time={seconds}", f"-timeout={_SLOWEST}", f"-rss_limit_mb={_MEMORY}", f"-max_len={_LARGEST}"]
    command = [sys.executable, "-m", "tests.fuzz.fed", target, str(corpus), *bounds, f"-artifact_prefix={corpus}/",
               "-print_final_stats=1", "-verbosity=1"]  # fmt: skip
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, errors="replace")
    said = [line for line in done.stderr.splitlines() if line.startswith("stat::number_of_executed_units")]
    inputs = int(said[-1].split()[-1]) if said else 0
    return Result(target, inputs, done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:])
