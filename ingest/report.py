"""What is written down of a delivery for people: the list of its files, and all findings."""

from __future__ import annotations

import shutil
from json import JSONEncoder
from pathlib import Path

from ingest.digest_lines import gnu_line
from ingest.worklist import Worklist
from storage.digest import Digest, Hashing
from storage.receive import joined


def write_list(worklist: Worklist, path: Path) -> Digest:
    """Write down every file that was read, by name, in the form that `sha256sum --check` knows; return the list's
    SHA-256."""
    hashing = Hashing()
    with path.open("wb") as file:
        lines = (gnu_line(name, digest) for name, digest, _ in worklist.read_files())
        for part in joined(lines):
            hashing.feed(part)
            file.write(part)
    return hashing.digest()


def write_report(worklist: Worklist, listing: Path, path: Path) -> None:
    """Write all findings, one JSON object a line, and beside them, as `.sha256`, the list of files."""
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(listing, path.with_suffix(".sha256"))
    encode = JSONEncoder(ensure_ascii=False).encode
    with path.open("w", encoding="utf-8") as file:
        for f in worklist.findings():
            told = {"code": f.code, "severity": f.severity, "path": f.path, "message": f.message}
            file.write(encode(told) + "\n")
