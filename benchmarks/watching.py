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
    """Seconds of one command, those of all its processes on processors, and resident bytes at most (VmHWM) of its main
    process and of the largest other one."""

    wall: float
    cpu: float
    main: int
    worker: int
    exit: int
    said: str  # on standard output
    note: str = ""  # why it failed: the last line it said


def watch(argv: Argv, folder: Path) -> Watched:
    """Run a command to its end; its words go to files in `folder`. It is ended when we are."""
    out, errors = folder / "run.out", folder / "run.err"
    peaks: dict[int, int] = {}
    ticks: dict[int, int] = {}
    with out.open("wb") as said, errors.open("wb") as complained:
        start = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=complained)
        try:
            while process.poll() is None:
                look(process.pid, peaks, ticks)
                time.sleep(PAUSE)
        except BaseException:
            process.send_signal(signal.SIGTERM)  # its workers die with it
            process.wait()
            raise
        wall = time.monotonic() - start
    cpu = sum(ticks.values()) / os.sysconf("SC_CLK_TCK")
    main = peaks.pop(process.pid, 0)
    note = last_line(errors) if process.returncode else ""
    return Watched(wall, cpu, main, max(peaks.values(), default=0), process.returncode, out.read_text(), note)


def look(root: int, peaks: dict[int, int], ticks: dict[int, int]) -> None:
    """Take down what a process and all below it have used."""
    stats = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):  # it has just ended
            stats[int(name)] = fields(Path(f"/proc/{name}/stat").read_text())
    for pid in family(root, {pid: int(stat[1]) for pid, stat in stats.items()}):
        with suppress(OSError):
            if peak := high_water(Path(f"/proc/{pid}/status").read_text()):
                peaks[pid], ticks[pid] = peak, int(stats[pid][11]) + int(stats[pid][12])


def fields(stat: str) -> list[str]:
    """What /proc/PID/stat says behind the process's name, which may hold blanks and brackets (pure): state, parent …"""
    return stat.rpartition(")")[2].split()


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
