"""Tools that come with Tianyi, run in the sandbox: one child a tool and chunk, which forks for each file."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingest.heard import opened
from ingest.judgement import RAW, Judgement, judged, unchecked
from ingest.sandbox import Limits, Ran, ending, run

CHILD: Final = Path(__file__).with_name("tool_child.py")
MEMORY: Final = 2 << 30  # bytes
WRITTEN: Final = 4 << 20  # bytes that a tool may write into one file
_NO_TOOL = 3


def seconds(size: int) -> int:
    """How long a tool may take for a file of so many bytes."""
    return 60 + (size >> 20)


def judge(
    name: str, library: str, folder: Path, files: Mapping[int, int], memory: int = MEMORY
) -> dict[int, Judgement]:
    """What the tool says of each file in the folder, called by its number, from 0 without gaps."""
    times = [seconds(files[number]) for number in sorted(files)]
    limits = Limits(seconds=60 + sum(times), cpu=max(times), memory=memory, file=WRITTEN)
    ran = run([sys.executable, "-I", "-B", str(CHILD), name, *map(str, times)], folder, limits)
    if ran.exit == _NO_TOOL:
        why = f"no tool: {library} is not installed (pip install 'tianyi[tools]')"
        return {number: unchecked(name, why) for number in files}
    version = _read(folder / "version").strip()
    ended = _read(folder / "ended").split()
    return {
        number: _one(name, version, folder, number, int(ended[at]) if at < len(ended) else None, ran, limits, times[at])
        for at, number in enumerate(sorted(files))
    }


def _one(
    name: str, version: str, folder: Path, number: int, code: int | None, ran: Ran, limits: Limits, time: int
) -> Judgement:
    """What one fork said, or how it ended."""
    if code == 0:
        try:
            return judged(name, version, json.loads(_read(folder / f"answer-{number}")))
        except (ValueError, RecursionError):
            return unchecked(name, "its answer cannot be read", version)
    errors = _read(folder / f"errors-{number}")
    if code is None:  # the child itself came to an end
        return unchecked(name, f"it could not be asked: {ending(ran, limits)}", version, errors)
    if code in (-signal.SIGALRM, -signal.SIGXCPU):
        return unchecked(name, f"it was stopped after {time} seconds", version, errors)
    how = f"signal {-code}" if code < 0 else f"exit {code}"
    last = (errors.strip().splitlines() or [""])[-1]
    return unchecked(name, f"it crashed ({how})" + (f": {last}" if last else ""), version, errors)


def _read(path: Path) -> str:
    """A file that the child may have written, so far as it is not too long; a link or a pipe has nothing to say."""
    with suppress(OSError), opened(path) as file:
        return file.read(16 * RAW).decode("utf-8", "replace")
    return ""
