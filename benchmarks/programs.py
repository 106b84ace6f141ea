"""What can be run here: each program with how to find it, ask its version and get it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path


def own_bin() -> Path:
    """Return the folder of the Python that runs us: `tianyi` lies beside it."""
    return Path(sys.executable).parent


def peers_bin() -> Path:
    """Return the folder of the Python that has the peers: a venv named by TIANYI_PEERS, else our own."""
    venv = os.environ.get("TIANYI_PEERS")
    return Path(venv) / "bin" if venv else own_bin()


def said(argv: Sequence[str | Path]) -> str:
    """Return the first line that a command says, empty when it cannot be run or fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines else "yes"


@dataclass(frozen=True, slots=True)
class Program:
    """One program; `version` answers with an empty string when it is not installed."""

    name: str
    get: str
    version: Callable[[], str]

    @property
    def missing(self) -> str:
        """Why it cannot run, with the next step; empty when it can."""
        return "" if version_of(self) else f"not installed: {self.get}"


@cache
def version_of(program: Program) -> str:
    """Ask once in a run."""
    return program.version()


def system(name: str, *ask: str, get: str) -> Program:
    """Describe a program on the PATH."""
    return Program(name, get, lambda: said([name, *ask]) if shutil.which(name) else "")


def package(name: str) -> Program:
    """Describe a Python package in the peers' venv."""
    ask = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    return Program(name, f"pip install {name}", lambda: said([peers_bin() / "python", "-c", ask, name]))


CP = system("cp", "--version", get="apt install coreutils")
OPENSSL = system("openssl", "version", get="apt install openssl")
RESTIC = system("restic", "version", get="apt install restic")
BAGIT = package("bagit")
FIDO = package("opf-fido")
SIEGFRIED = package("pygfried")
OCFL = package("ocfl-py")
FLOOR = Program("floor", "it is benchmarks/floor.py", lambda: "benchmarks/floor.py")
TIANYI = Program(
    "tianyi",
    "pip install -e . in the repository",
    lambda: said([own_bin() / "tianyi", "--version"]),
)
ALL = (TIANYI, CP, FLOOR, OPENSSL, BAGIT, RESTIC, OCFL, FIDO, SIEGFRIED)


def versions() -> dict[str, str]:
    """Return every program's version, or that it is not installed and how to get it."""
    return {program.name: version_of(program) or program.missing for program in ALL}
