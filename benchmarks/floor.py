"""The least that keeping files safely can cost: `python floor.py SOURCE DEST`.

Two processes read every file below SOURCE, hash it (SHA-256), write it under its digest below DEST and
rename it there; one syncfs ends the work. There is no identification, no metadata and no catalogue, so no
repository can be faster by more than luck; how near one comes is what the ratio says.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from collections.abc import Iterator
from itertools import count
from multiprocessing import Pool

PROCESSES = 2
BATCH = 200  # files handed over at once, where there are enough of them
BLOCK = 1 << 20  # bytes
NUMBERS = count()


def walk(folder: str) -> Iterator[str]:
    """Yield the path of every regular file below `folder`."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from walk(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path


def keep(source: str, dest: str) -> None:
    """Copy one file to the place that its digest names; readers never see a part of it there."""
    unfinished = f"{dest}/tmp-{os.getpid()}-{next(NUMBERS)}"
    digest = hashlib.sha256()
    with open(source, "rb", 0) as reader, open(unfinished, "xb", 0) as writer:
        while block := reader.read(BLOCK):
            digest.update(block)
            writer.write(block)
    name = digest.hexdigest()
    os.rename(unfinished, f"{dest}/{name[:2]}/{name}")


def keep_all(job: tuple[list[str], str]) -> int:
    """Keep a batch; return how many files that were."""
    paths, dest = job
    for path in paths:
        keep(path, dest)
    return len(paths)


def sync(folder: str) -> None:
    """Return when the file system that holds `folder` is durable; raise OSError when it says no."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(folder, os.O_RDONLY)
    if libc.syncfs(descriptor) != 0:
        raise OSError(ctypes.get_errno(), "syncfs", folder)
    os.close(descriptor)


def main(source: str, dest: str) -> None:
    """Keep the tree and say how many files it had."""
    paths = list(walk(source))
    for number in range(256):
        os.makedirs(f"{dest}/{number:02x}")
    size = max(1, min(BATCH, len(paths) // (2 * PROCESSES)))
    jobs = [(paths[start : start + size], dest) for start in range(0, len(paths), size)]
    with Pool(PROCESSES) as pool:
        kept = sum(pool.imap_unordered(keep_all, jobs))
    sync(dest)
    print(kept)


if __name__ == "__main__":
    main(*sys.argv[1:3])
