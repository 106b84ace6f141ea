"""No crash, no escape, no hang: hostile files, made from good ones by small changes, before every reader of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.campaign import SECONDS, has_atheris
from tests.fuzz.changes import CHANGES, WHOLE, Change
from tests.fuzz.guard import Escape, Hang, guarded
from tests.fuzz.targets import TARGETS, Target, attempt

QUICK = 20  # inputs a reader; those that start processes get fewer
_part = st.integers(0, WHOLE - 1)
_change = st.builds(Change, st.sampled_from(sorted(CHANGES)), _part, _part, st.integers(0, 255))
_changes = st.lists(_change, min_size=1, max_size=4)
_usual = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_good_files_are_read(target: Target) -> None:
    for seed in target.seeds:
        assert target.mend(seed) == seed
        attempt(target, seed)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_hostile_files_do_no_harm(target: Target) -> None:
    @settings(_usual, max_examples=2 if target.slow else QUICK)
    @given(st.integers(0, 99), _changes)
    def tried(number: int, changes: list[Change]) -> None:
        attempt(target, target.hostile(number, changes))

    tried()


def test_the_guard_sees_what_it_is_there_for(tmp_path: Path) -> None:
    """Harm that is done on purpose is seen, though a handler of errors stands around it."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    for harm in (lambda: outside.write_bytes(b""), outside.mkdir, lambda: Path("/etc/passwd").read_bytes(),
                 lambda: (inside / ".." / "outside").write_bytes(b"")):  # fmt: skip
        with pytest.raises(Escape), guarded(inside), suppress(Exception):
            harm()
    with guarded(inside):
        (inside / "a").write_bytes(b"")
    assert (outside.exists(), issubclass(Hang, Exception)) == (False, False)


@pytest.mark.slow
@pytest.mark.skipif(not has_atheris() and os.environ.get("CI") != "true", reason="there is no atheris")
def test_a_campaign_with_an_eye_on_what_is_reached(tmp_path: Path) -> None:
    """atheris goes where inputs reach code that none reached before: 60 seconds in all, shared by the readers."""
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", str(SECONDS), "--keep", str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]
