"""Whether a limit keeps its word: `python -m benchmarks.pace FILE [MB_PER_SECOND] [SECONDS]` reads a file over and over
under the limit, hashing it as an audit does, and tells the megabytes a second of each ten seconds and of all."""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path

from fixity.pace import Pace
from storage.digest import Hashing
from storage.receive import chunks


def measured(path: Path, asked: float, seconds: float) -> list[float]:
    """Megabytes a second of each ten seconds, then of all."""
    pace, began = Pace(asked * 1e6), time.monotonic()
    marks, read = [(0.0, 0)], 0
    while (now := time.monotonic() - began) < seconds:
        with path.open("rb", buffering=0) as file:
            hashing = Hashing()
            for part in pace.through(chunks(file)):
                hashing.feed(part)
                read += len(part)
                now = time.monotonic() - began
                if now - marks[-1][0] >= 10:
                    marks.append((now, read))
                if now >= seconds:
                    break
    marks = [*marks, (now, read)] if now - marks[-1][0] > 1 else marks
    speeds = [(b[1] - a[1]) / (b[0] - a[0]) / 1e6 for a, b in pairwise(marks)]
    return [*speeds, read / now / 1e6]


if __name__ == "__main__":
    path, *numbers = sys.argv[1:]
    asked, seconds = [*map(float, numbers), *(20.0, 60.0)[len(numbers) :]]
    print(" ".join(f"{speed:.2f}" for speed in measured(Path(path), asked, seconds)))
