"""What a child writes down is taken for what it is, whatever took the child over."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.heard import heard

SAID = b'{"told": "a", "line": 1}\n'


@pytest.mark.parametrize("other", [
    b"", b"torn", b'{"told": "torn', b"[]\n", b"3\n", b'{"told": 3, "line": 1}\n', b'{"told": "a"}\n', b"\xff\0\n",
    b'{"told": "a", "line": true}\n', b"[" * 100_000 + b"\n",
])  # fmt: skip
def test_only_whole_objects_of_the_right_types_count(tmp_path: Path, other: bytes) -> None:
    (tmp_path / "found").write_bytes(SAID + other)
    assert list(heard(tmp_path / "found", {"told": str, "line": int})) == [{"told": "a", "line": 1}]
    assert list(heard(tmp_path / "none", {"told": str})) == list(heard(tmp_path, {"told": str})) == []
