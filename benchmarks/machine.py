"""What the machine is: facts that a figure means nothing without."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def cpu(text: str) -> str:
    """Return the model named by /proc/cpuinfo, and whether it hashes SHA-256 in hardware (pure)."""
    lines = (line.partition(":") for line in text.splitlines())
    facts = {name.strip(): value.strip() for name, _, value in lines}
    model = facts.get("model name") or facts.get("Model") or platform.machine()
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    return f"{model}, {'with' if {'sha_ni', 'sha2'} & set(flags) else 'without'} SHA-256 instructions"


def file_system(mountinfo: str, path: Path) -> str:
    """Return the type of the file system below the absolute `path`, from /proc/self/mountinfo (pure)."""
    best, kind = "", "unknown"
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        point = left.split()[4].replace("\\040", " ")
        if path.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return kind


def memory(text: str) -> str:
    """Return the total memory named by /proc/meminfo in GiB (pure)."""
    total = next((line.split()[1] for line in text.splitlines() if line.startswith("MemTotal")), "0")
    return f"{int(total) / (1 << 20):.1f} GiB"


def read(path: str) -> str:
    """Return a file of /proc, empty where there is none."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def commit(repository: Path) -> str:
    """Return the commit of the tree that was measured, with a mark when the tree has changes."""
    ask = ["git", "-C", str(repository), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "not committed"


def describe(scratch: Path, repository: Path) -> dict[str, str]:
    """Return the facts by name, in the order to show them."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "cpu": cpu(read("/proc/cpuinfo")),
        "memory": memory(read("/proc/meminfo")),
        "file system": file_system(read("/proc/self/mountinfo"), scratch.resolve()),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load at the start": f"{os.getloadavg()[0]:.2f}",
        "commit": commit(repository),
    }
