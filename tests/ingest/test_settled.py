"""What was settled is found again line by line, whatever a power cut or a full disk made of the others."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest import settled
from ingest.item import Item
from ingest.settled import Settled
from ingest.worklist import Known, Worklist
from storage.digest import sha256
from storage.errors import NoRoom
from storage.namemap import Kind

NAMES = [b"first", b"sec\xffond\n", b"third"]
SETTING = "policy 1"


def known(name: bytes) -> Known:
    digest = str(sha256(name))
    return Known(name, len(name), None, digest, f'["{digest}"]', "[]", "", "none", "", 1, None, None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "resume" / "2026-0001.jsonl"


def keep(path: Path, *names: bytes, setting: str = SETTING) -> None:
    with closing(Settled(path, setting)) as kept:
        for name in names:
            kept.keep([known(name)])


def recalled(path: Path, setting: str = SETTING) -> list[bytes]:
    """The names that need not be read again, where every copy has every blob."""
    worklist = Worklist()
    for name in NAMES:
        worklist.add(Item(Kind.FILE, name, size=len(name)))
    with closing(Settled(path, setting)) as kept:
        kept.recall(worklist, (), lambda files, size: None)
    return [name for name in NAMES if name not in [task.name for task in worklist.tasks()]]


def test_each_run_goes_on_with_what_those_before_it_wrote(path: Path) -> None:
    keep(path, *NAMES[:2])
    assert recalled(path) == NAMES[:2]
    keep(path, NAMES[2])
    assert recalled(path) == NAMES
    assert recalled(path, "policy 2") == []
    keep(path, NAMES[2], setting="policy 2")
    assert (recalled(path, "policy 2"), recalled(path)) == ([NAMES[2]], [])


@pytest.mark.parametrize("torn", [
    lambda line: line[:-1], lambda line: line[:20], lambda line: b"", lambda line: bytes(len(line)),
    lambda line: line[:40] + bytes(len(line) - 40), lambda line: b'["files", [["a"]]]', lambda line: b'{"a": 1}',
    lambda line: b'["others", []]',
], ids=["its end", "most of it", "all", "zeros", "zeros at its end", "too little", "no list", "no table"])  # fmt: skip
def test_a_line_that_a_power_cut_took_takes_no_other(path: Path, torn: Callable[[bytes], bytes]) -> None:
    keep(path, *NAMES[:2])
    *lines, last = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines, torn(last)]))
    assert recalled(path) == NAMES[:1]
    keep(path, NAMES[2])
    assert recalled(path) == [NAMES[0], NAMES[2]]


def test_a_full_disk_is_told_as_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing writes once more what was not taken, and must not say something else."""

    class Full(io.FileIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path.parent.mkdir()
    monkeypatch.setattr(settled, "_anew", lambda path, setting: io.BufferedWriter(Full(path, "wb")))
    with pytest.raises(NoRoom):
        keep(path, NAMES[0])
