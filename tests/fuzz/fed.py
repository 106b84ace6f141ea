"""Readers, fed by atheris one after the other until their time is over: `-m tests.fuzz.fed KEEP TARGET… -- OPTION…`.

Each has a process of its own, forked from one that has instrumented all code, which takes as long as feeding one does.
What becomes of it lies in KEEP: inputs in `TARGET/`, what atheris says in `TARGET.told`; a line here has its exit.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ingest", "storage", "repository", "zipfile", "tarfile", "olefile", "ocfl"]):
    from tests.fuzz.targets import TARGETS, attempt
from tests.fuzz.changes import CHANGES, WHOLE, Change, changed

_MOST = 4  # changes at once


def mutated(mend: object, data: bytes, longest: int, seed: int) -> bytes:
    """Half of the changes are ours, which know tokens and fields; half libFuzzer's."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        return bytes(atheris.Mutate(data, longest))
    changes = (
        Change(chance.choice(list(CHANGES)), chance.randrange(WHOLE), chance.randrange(WHOLE), chance.randrange(256))
        for _ in range(chance.randint(1, _MOST))
    )
    return changed(data, changes)[:longest]


def main(name: str, folder: str, options: list[str]) -> None:
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds):
        (Path(folder) / f"seed-{number}").write_bytes(seed)

    def one(data: bytes) -> None:
        attempt(target, target.mend(data))

    def mutator(data: bytes, longest: int, seed: int) -> bytes:
        return mutated(target, data, longest, seed)

    atheris.Setup([sys.argv[0], *options, folder], one, custom_mutator=mutator)
    atheris.Fuzz()


def each(keep: Path, targets: Sequence[str], options: Sequence[str]) -> None:
    for target in targets:
        corpus = keep / target
        corpus.mkdir(parents=True, exist_ok=True)
        if (child := os.fork()) == 0:
            told = os.open(keep / f"{target}.told", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(told, 1)
            os.dup2(told, 2)
            main(target, str(corpus), [*options, f"-artifact_prefix={corpus}/"])
            os._exit(0)
        print(target, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    end = sys.argv.index("--")
    each(Path(sys.argv[1]), sys.argv[2:end], sys.argv[end + 1 :])
