"""A blob's name with wrong bytes behind it never swallows the right bytes: whoever delivers them again heals it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

Tianyi = Callable[..., Any]
CONTENT = b"the right bytes, every one of them\n" * 1_000
LARGE = CONTENT * 100  # more than is read at once: its name is known only at the end


@pytest.fixture(params=["small", "large"])
def content(request: pytest.FixtureRequest) -> bytes:
    return CONTENT if request.param == "small" else LARGE


def blob(copy: Path, content: bytes) -> Path:
    name = sha256(content).hexdigest()
    return copy / "blobs" / "sha256" / name[:3] / name


def spoil(path: Path, content: bytes, how: str) -> None:
    wrong = {
        "empty": b"",
        "torn": content[: len(content) * 2 // 3],
        "rotten": b"?" + content[1:],
        "longer": content + b"+",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(wrong[how])


@pytest.mark.parametrize("how", ["empty", "torn", "rotten", "longer"])
@pytest.mark.parametrize("committed", [False, True])
def test_the_right_bytes_win(
    tianyi: Tianyi,
    repository: Path,
    copies: tuple[Path, Path],
    tmp_path: Path,
    content: bytes,
    how: str,
    committed: bool,
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_bytes(content)
    if committed:
        assert tianyi("ingest", source, at=repository).code == 0
    for copy in copies:
        spoil(blob(copy, content), content, how)
    (source / "another").write_text("new")
    answer = tianyi("ingest", source, at=repository)
    assert (answer.code, answer.said["outcome"], answer.said["copies"]) == (0, "accepted", "complete")
    assert [blob(copy, content).read_bytes() == content for copy in copies] == [True, True]
    assert tianyi("audit", at=repository).code == 0
    dip = tmp_path / "dip"
    assert tianyi("export", answer.said["aip"], dip, "--as", "folder", at=repository).code == 0
    assert (dip / "file").read_bytes() == content


def test_known_damage_is_forgotten_when_it_is_healed(
    tianyi: Tianyi, repository: Path, copies: tuple[Path, Path], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_bytes(CONTENT)
    assert tianyi("ingest", source, at=repository).code == 0
    for copy in copies:
        spoil(blob(copy, CONTENT), CONTENT, "rotten")
    assert (tianyi("audit", at=repository).code, tianyi("repair", at=repository).code) == (3, 3)
    assert tianyi("ingest", source, at=repository).code == 0
    assert tianyi("audit", at=repository).code == 0
    assert tianyi("repair", at=repository).said["beyond_repair"] == 0
