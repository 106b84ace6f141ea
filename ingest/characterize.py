"""Format tools asked about blobs that are kept: a chunk of them, for a worker. Each blob is copied out of the first
copy that has it whole, so that no tool ever touches the vault."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.judgement import Judgement, Subject, unchecked
from ingest.sandbox import room
from ingest.tool_command import Command
from ingest.tools import BUILTIN, Tool, asked
from policies.tools import ToolsPolicy
from storage.errors import StorageError
from storage.store import Store
from storage.vault import Vault

Judged = tuple[Subject, tuple[Judgement, ...]]


@dataclass(frozen=True, slots=True)
class Bench:
    """With what a worker works: the copies to read, the tools, and a folder for scratch."""

    stores: tuple[Store, ...]
    tools: tuple[Tool, ...]
    scratch: Path


def toolbox(policy: ToolsPolicy) -> tuple[Tool, ...]:
    """The tools there are: those that come with Tianyi, then the declared ones."""
    return (*BUILTIN, *map(Command, policy.tools))


def characterize(bench: Bench, subjects: Sequence[Subject]) -> list[Judged]:
    """Ask every tool that knows a subject's format; return what they say, in the order of the subjects.

    Where no tool knows it, and where no copy has it whole, the only judgement is "not checked", of no tool.
    """
    found: list[list[Judgement]] = [[] for _ in subjects]
    wanted = [asked(bench.tools, subject) for subject in subjects]
    for tool in bench.tools:
        numbers = [number for number, tools in enumerate(wanted) if tool in tools]
        if numbers:
            _ask(bench, tool, subjects, numbers, found)
    return [
        (subject, tuple(said or [unchecked("", f"no tool knows {subject.named}")]))
        for subject, said in zip(subjects, found, strict=True)
    ]


def _ask(
    bench: Bench, tool: Tool, subjects: Sequence[Subject], numbers: Sequence[int], found: list[list[Judgement]]
) -> None:
    """Lay the files out for one tool, numbered from 0, and take in what it says."""
    with room(bench.scratch) as folder:
        there: list[int] = []
        for number in numbers:
            if why := _laid_out(bench.stores, subjects[number], folder / str(len(there))):
                found[number].append(unchecked(tool.name, why))
            else:
                there.append(number)
        said = tool.judge(folder, {at: subjects[number].size for at, number in enumerate(there)}) if there else {}
        for at, number in enumerate(there):
            found[number].append(said[at])


def _laid_out(stores: Sequence[Store], subject: Subject, path: Path) -> str:
    """Copy a blob out; return why that could not be done, "" where it was."""
    try:
        with closing(path.open("xb")) as file:
            Vault(stores).copy_out(subject.digest, file.write, lambda: (file.seek(0), file.truncate()))
    except StorageError as error:
        why = f"no copy has it whole: {error}"
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "there is no room for it in scratch space" if full else f"it cannot be copied: {error.strerror}"
    else:
        return ""
    path.unlink(missing_ok=True)
    return why
