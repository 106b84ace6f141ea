"""One reader, fed by atheris until its time is over: `python -m tests.fuzz.fed TARGET FOLDER [libFuzzer's options]`."""

from __future__ import annotations

import random
import sys
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


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
