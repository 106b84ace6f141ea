"""A folder of an OCFL object, built apart."""

from __future__ import annotations

from pathlib import Path

from storage.durable import DISK
from storage.ocfl_build import building


def test_folders_around_it_may_have_one_name(tmp_path: Path) -> None:
    with building(DISK, tmp_path / "scratch") as build:
        build.file("a", [b"x"])
        build.wrap(["34c", "34c", "object"])
        assert (build.folder / "34c" / "34c" / "object" / "a").read_bytes() == b"x"
