"""The benchmark of bulk: its packages are what they claim to be, and what /proc says is read right."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.bulk_source import FOLDERS, make_large, make_many
from benchmarks.contents import BLOCK
from benchmarks.watching import family, fields, high_water, watch


def test_no_two_tiny_files_are_equal(tmp_path: Path) -> None:
    make_many(tmp_path / "source", 700)
    found = [path.read_bytes() for path in (tmp_path / "source").rglob("*.txt")]
    assert {len(data) for data in found} == {64}
    assert len(set(found)) == 700
    assert len(list((tmp_path / "source").iterdir())) == FOLDERS


def test_no_two_blocks_of_the_large_file_are_equal(tmp_path: Path) -> None:
    make_large(tmp_path / "source", 1, blocks=20)
    data = (tmp_path / "source" / "large.bin").read_bytes()
    assert len({data[start : start + BLOCK] for start in range(0, len(data), BLOCK)}) == 20


def test_a_process_and_all_below_it() -> None:
    assert family(1, {1: 0, 2: 1, 3: 2, 4: 9, 9: 0}) == {1, 2, 3}
    assert fields("7 (a ) b) S 3 7 7")[:2] == ["S", "3"]
    assert high_water("Name:\tx\nVmHWM:\t    2048 kB\n") == 2 << 20


def test_a_command_and_its_workers_are_watched(tmp_path: Path) -> None:
    worker = "import time; held = b'x' * (64 << 20); time.sleep(0.5)"
    main = f"import subprocess, sys; print('said'); subprocess.run([sys.executable, '-c', {worker!r}])"
    done = watch([sys.executable, "-c", main], tmp_path)
    assert (done.exit, done.said) == (0, "said\n")
    assert done.worker > 64 << 20 > done.main > 0
    assert done.wall >= 0.5
