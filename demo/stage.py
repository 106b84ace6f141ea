"""Where the story is played: one folder, the real commands, and claims that are checked as they are made."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.screen import Screen

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PATIENCE = 120  # seconds that one command may take


class Broken(Exception):
    """A command that ended otherwise than it should, or a claim that is not so."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run: its exit code, what it printed on either stream, seconds."""

    code: int
    out: str
    err: str
    seconds: float


class Stage:
    """A folder to play in. Commands run there, with `samples` beside them.

    `accession` and `aip` name what was taken in, once it was.
    """

    def __init__(self, folder: Path, screen: Screen) -> None:
        self.folder, self.screen = folder, screen
        self.claims = 0
        self.accession = self.aip = ""
        (folder / "samples").symlink_to(SAMPLES)

    def run(self, command: str, *, code: int = 0, most: int = 12, last: bool = False, aside: bool = False) -> Ran:
        """Run a command before everybody's eyes; raise Broken where it ends with another exit code.

        `most` lines of its output are shown, the last ones if `last`; nothing is in the picture if `aside`.
        """
        with self.screen.off_picture(aside):
            self.screen.command(command)
            ran = self._run(command)
            self.screen.took(command, ran.seconds)
            self.screen.output(ran.out or ran.err, most=most, last=last)
        if ran.code != code:
            raise Broken(f"`{command}` ended with exit code {ran.code} instead of {code}.\n{ran.err}")
        return ran

    def ask(self, command: str) -> list[dict[str, Any]]:
        """What a `--json` command says, without showing it; raise Broken."""
        ran = self._run(f"{command} --json")
        if ran.code:
            raise Broken(f"`{command} --json` ended with exit code {ran.code}.\n{ran.out}{ran.err}")
        return [json.loads(line) for line in ran.out.splitlines()]

    def claim(self, told: str, *, so: bool) -> None:
        """Say what was found to be so; raise Broken where it is not."""
        if not so:
            raise Broken(f"it is not so that {told[0].lower()}{told[1:]}")
        self.claims += 1
        self.screen.claim(told)

    def write(self, name: str, text: str) -> None:
        """Write a small text file, shown as it is written."""
        command = f"cat > {name}"
        with self.screen.off_picture(True):
            self.screen.command(command)
            (self.folder / name).write_text(text, encoding="utf-8")
            self.screen.took(command, 0)
            self.screen.output(text, most=12)

    def _run(self, command: str) -> Ran:
        begun = time.monotonic()
        done = subprocess.run(
            shlex.split(command), cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        out, err = (stream.decode("utf-8", "backslashreplace") for stream in (done.stdout, done.stderr))
        return Ran(done.returncode, out, err, time.monotonic() - begun)

    def _environment(self) -> dict[str, str]:
        """The commands of our own venv first, and colours where they are wanted."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        ours = {"PATH": path, "TIANYI_REPOSITORY": "archive", "TIANYI_AGENT": "archivist", "PYTHONUTF8": "1"}
        ours |= {"FORCE_COLOR": "1", "COLUMNS": str(self.screen.width - 2)} if self.screen.colours else {}
        return {**os.environ, **ours}
