"""`python -m tests.fuzz [READER …] [--seconds N] [--keep FOLDER]`: a campaign by hand, as long as one likes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

from tests.fuzz.campaign import SECONDS, campaign
from tests.fuzz.targets import TARGETS, attempt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Feed hostile files to our readers.")
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"some of: {', '.join(TARGETS)}; else all")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="in all, shared by the readers (%(default)s)")
    parser.add_argument("--keep", type=Path, help="where inputs of use are kept, and found again the next time")
    parser.add_argument(
        "--again", type=Path, metavar="FILE", help="feed this one file to the reader, and show what happens"
    )
    asked = parser.parse_args()
    if asked.again:
        [name] = asked.readers
        attempt(TARGETS[name], TARGETS[name].mend(asked.again.read_bytes()))
        return 0
    names = asked.readers or list(TARGETS)
    keep = asked.keep or Path(mkdtemp(prefix="campaign-"))
    count, seconds = len(os.sched_getaffinity(0)), max(1, asked.seconds // len(names))
    with ThreadPoolExecutor(count) as at_once:
        parts = at_once.map(lambda start: _told(names[start::count], seconds, keep), range(count))
        results = [result for part in parts for result in part]
    print(f"Inputs that are worth keeping lie in {keep}.")
    return 0 if all(results) else 1


def _told(names: Sequence[str], seconds: int, keep: Path) -> list[bool]:
    results = []
    for result in campaign(names, seconds, keep) if names else ():
        ending = "sound" if result.is_sound else f"BROKEN\n{result.told}"
        print(f"{result.target:16} {result.inputs:>9,} inputs  {ending}", flush=True)
        results.append(result.is_sound)
    return results


if __name__ == "__main__":
    sys.exit(main())
