"""Drop what memory has of every file below a folder: `python cold.py FOLDER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def drop(folder: Path) -> int:
    """Return how many files there were; what was not written yet is, before."""
    os.sync()
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return len(files)


if __name__ == "__main__":
    print(drop(Path(sys.argv[1])))
