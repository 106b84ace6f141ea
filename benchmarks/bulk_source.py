"""The packages of benchmarks/bulk.py: very many tiny files, or one very large one, the same each time."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.contents import BLOCK

FOLDERS = 300


def make_many(folder: Path, files: int) -> None:
    """Write text files of 64 bytes, no two equal, evenly into FOLDERS folders."""
    for number in range(FOLDERS):
        (folder / f"{number:03d}").mkdir(parents=True)
    for number in range(files):
        text = f"file {number:012d} of {files:012d}"
        (folder / f"{number % FOLDERS:03d}" / f"{number:08d}.txt").write_text(f"{text:63}\n")


def make_large(folder: Path, gib: int, blocks: int = (1 << 30) // BLOCK) -> None:
    """Write one file that nothing compresses and in which no two blocks are equal: noise, XOR the block's number.

    `blocks` make a GiB.
    """
    folder.mkdir()
    noise = int.from_bytes(Random(1561).randbytes(BLOCK))
    with (folder / "large.bin").open("wb", buffering=0) as file:
        for number in range(gib * blocks):
            file.write((noise ^ int.from_bytes(number.to_bytes(8) * (BLOCK // 8))).to_bytes(BLOCK))
