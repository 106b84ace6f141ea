"""Outside commands that a policy declares, run in the sandbox, one file at a time: their exit code decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.judgement import Judgement, Outcome, Subject, clean, unchecked
from ingest.sandbox import Limits, Ran, ending, room, run
from ingest.sandbox_child import CANNOT_RUN
from ingest.tools import Formats
from policies.tools import FILE, Tool

SHOWN = 5  # lines of its output that are told as messages


@dataclass(frozen=True, slots=True)
class Command:
    """A declared tool."""

    declared: Tool

    @property
    def name(self) -> str:
        return self.declared.name

    def knows(self, subject: Subject) -> bool:
        return Formats(frozenset(self.declared.puids)).know(subject)

    def judge(self, folder: Path, files: Mapping[int, int]) -> dict[int, Judgement]:
        return {number: self._one(folder / str(number), size, folder) for number, size in files.items()}

    def _one(self, file: Path, size: int, scratch: Path) -> Judgement:
        told = self.declared
        limits = Limits(seconds=told.seconds, cpu=told.seconds, memory=told.memory, file=(1 << 30) + size)
        command = [part.replace(FILE, str(file.absolute())) for part in told.command]
        with room(scratch) as folder:
            ran = run(command, folder, limits)
        said = "\n".join(part.decode("utf-8", "replace") for part in (ran.output, ran.errors)).strip()
        if ran.exit == CANNOT_RUN:
            return unchecked(self.name, f"no tool: {ending(ran, limits)}", raw=said)
        return self._judged(ran, limits, version(told), said.replace(str(file.absolute()), FILE))

    def _judged(self, ran: Ran, limits: Limits, version: str, said: str) -> Judgement:
        if ran.exit in self.declared.well_formed:
            return Judgement(self.name, version, Outcome.WELL_FORMED, raw=said)
        if ran.exit in self.declared.malformed:
            lines = [clean(line) for line in said.splitlines() if line.strip()][:SHOWN]
            return Judgement(self.name, version, Outcome.MALFORMED, tuple(lines or [f"exit {ran.exit}"]), raw=said)
        return unchecked(self.name, ending(ran, limits), version, said)


@cache
def version(tool: Tool) -> str:
    """The first line that its version command prints, once a process; "" where it says nothing."""
    if not tool.version:
        return ""
    with TemporaryDirectory() as room:
        ran = run(tool.version, Path(room), Limits(seconds=60, memory=tool.memory))
    said = (ran.output or ran.errors).decode("utf-8", "replace").strip().splitlines()
    return clean(said[0])[:100] if said and ran.exit == 0 else ""
