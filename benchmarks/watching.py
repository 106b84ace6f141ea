"""One command, timed, with the peak memory of each process of its tree: /proc is read while it runs (Linux)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.run import last_line
from benchmarks.sides import Argv

PAUSE = 0.1  # seconds between two looks; what a process needs only in its last moment may be missed


@dataclass(frozen=True, slots=True)
class Watched:
    """Seconds of one command; resident bytes at most (VmHWM) of its main process and of the largest other one."""

    wall: float
    main: int
    worker: int
    exit: int
    said: str  # on standard output
    note: str = ""  # why it failed: the last line it said


def watch(argv: Argv, folder: Path) -> Watched:
    """Run a command to its end; its words go to files in `folder`. It is ended when we are."""
    out, errors = folder / "run.out", folder / "run.err"
    peaks: dict[int, int] = {}
    with out.open("wb") as said, errors.open("wb") as complained:
        start = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=complained)
        try:
            while process.poll() is None:
                look(process.pid, peaks)
                time.sleep(PAUSE)
        except BaseException:
            process.send_signal(signal.SIGTERM)  # its workers die with it
            process.wait()
            raise
        wall = time.monotonic() - start
    main = peaks.pop(process.pid, 0)
    note = last_line(errors) if process.returncode else ""
    return Watched(wall, main, max(peaks.values(), default=0), process.returncode, out.read_text(), note)


def look(root: int, peaks: dict[int, int]) -> None:
    """Take down the peaks of a process and of all below it."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError, ValueError):  # it has just ended
            parents[int(name)] = parent(Path(f"/proc/{name}/stat").read_text())
    for pid in family(root, parents):
        with suppress(OSError):
            if peak := high_water(Path(f"/proc/{pid}/status").read_text()):
                peaks[pid] = peak


def parent(stat: str) -> int:
    """The parent of a process from its /proc/PID/stat (pure); a name may hold blanks and brackets."""
    return int(stat.rpartition(")")[2].split()[1])


def high_water(status: str) -> int:
    """VmHWM in bytes from /proc/PID/status; 0 for a process that is ending (pure)."""
    found = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(next(found, "0")) * 1024


def family(root: int, parents: Mapping[int, int]) -> set[int]:
    """A process and all that descend from it (pure)."""
    found = {root}
    while more := {pid for pid, above in parents.items() if above in found} - found:
        found |= more
    return found
