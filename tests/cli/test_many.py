"""A hundred thousand files through the real commands: nothing is lost, and memory does not grow with them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.bulk_source import make_many
from benchmarks.watching import Watched, watch

pytestmark = pytest.mark.slow

FILES = 100_000
MAIN, WORKER = 400 << 20, 250 << 20  # bytes that a process may have at most


def test_a_hundred_thousand_files_come_in_and_out(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    make_many(source, FILES)

    def tianyi(*arguments: str | Path) -> Watched:
        command = [str(Path(sys.executable).with_name("tianyi")), "-C", str(tmp_path / "archive")]
        done = watch([*command, *map(str, arguments)], tmp_path)
        assert done.exit == 0, done.note
        assert done.main < MAIN
        assert done.worker < WORKER
        record_property(f"tally: seconds for {FILES:,} files, {arguments[0]}", round(done.wall))
        return done

    tianyi("init", tmp_path / "archive")
    receipt = json.loads(tianyi("ingest", source, "--json").said)
    assert (receipt["outcome"], receipt["files"], receipt["bytes"]) == ("accepted", FILES, 64 * FILES)
    audit = json.loads(tianyi("audit", "--json").said)
    assert (audit["altered"], audit["missing"], audit["extra"]) == (0, 0, 0)
    tianyi("export", receipt["aip"], out, "--as", "folder", "--json")
    for path in source.rglob("*.txt"):
        assert (out / path.relative_to(source)).read_bytes() == path.read_bytes()
