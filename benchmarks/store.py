"""Storing alone: `python -m benchmarks.store SOURCE DEST`.

Every file below SOURCE comes in by the vault's one door (storage.receive) into a new local copy below DEST, hashed,
durable and under its name, on as many processes as an ingest uses. No identification, no metadata, no catalogue: what
is left of an ingest when only its storage is measured.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path

from repository.workers import foresee, workers
from storage.carry import BATCH_KEYS
from storage.commit import prepare_work
from storage.local import Local
from storage.parallel import in_order
from storage.portions import cut
from storage.receive import HoldsNothing, Received, Waiting, chunks, receive
from storage.staging import staging

CHUNK_FILES, CHUNK_BYTES = 250, 64 << 20
RUN = "benchmark"


def walk(folder: str) -> Iterator[tuple[str, int]]:
    """Yield path and bytes of every regular file below a folder."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from walk(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path, entry.stat().st_size


def keep(store: Local, paths: Sequence[str]) -> list[Waiting]:
    """Take in a chunk of files, in a worker."""
    return [_kept(store, path).waiting for path in paths]


def _kept(store: Local, path: str) -> Received:
    with open(path, "rb", 0) as stream:
        return receive([store], RUN, chunks(stream), holds=HoldsNothing())


def main(source: str, dest: Path) -> None:
    """Store the tree and say how many files it had."""
    root, work = dest / "vault", dest / "work"
    foresee(Path(source))  # as an ingest does
    root.mkdir(parents=True)
    prepare_work(work)
    store = Local("first", root, work / "copies")
    found = list(walk(source))
    kept = 0
    with staging(RUN, [store], work) as stage, workers(len(found), sum(size for _, size in found)) as executor:
        paths = ([path for path, _ in some] for some in cut(found, itemgetter(1), CHUNK_FILES, CHUNK_BYTES))
        waiting: list[Waiting] = []
        for some in in_order(executor, partial(keep, store), paths):
            waiting.extend(some)
            if len(waiting) >= BATCH_KEYS:
                stage.settle(waiting)
                kept, waiting = kept + len(waiting), []
        stage.settle(waiting)
    print(kept + len(waiting))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
