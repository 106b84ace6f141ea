"""After a failed sync nothing of its batch is trusted: it is written again, and never just synced again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from storage.errors import SyncFailed
from tests.crash.recording import Op, Recording
from tests.crash.scene import opened, snapshot, take_in
from tests.crash.test_kill import check

Failed = tuple[dict[str, bytes | None], list[Op]]


@pytest.fixture(scope="module", params=[True, False], ids=["whole", "each"])
def failed(request: pytest.FixtureRequest, fresh: Callable[[], Path], deliveries: Path) -> list[Failed]:
    """Each sync of an ingest fails in turn, then the same command again: what lay there, and what was done."""
    found: list[Failed] = []
    while True:
        disk = Recording(fresh(), whole=request.param)
        start = snapshot(disk.scene)
        disk.fails_at = len(found) + 1
        with opened(disk.scene, disk, seed=1) as repository:
            with suppress(SyncFailed):
                take_in(repository, deliveries / "harbour", disk)
            if disk.syncs < disk.fails_at:
                return found
            disk.mark("killed")  # in truth it lives on: what it does from here is what counts
            take_in(repository, deliveries / "harbour", disk)
        found.append((start, disk.ops))


def _in_second(ops: list[Op]) -> bool:
    op = next(op for op in ops if op.failed)
    files = {made.file: made.path for made in ops if made.kind == "create"}
    where = files[op.file] if op.kind == "sync_file" else op.path
    return where.startswith("second") or "copy-2" in where


def test_what_is_acknowledged_after_a_failed_sync_lasts(failed: list[Failed]) -> None:
    mine = [(start, ops) for start, ops in failed if not _in_second(ops)]
    assert len(mine) > 10
    for start, ops in mine:
        check(start, ops)


def test_and_in_a_copy_that_fell_behind(failed: list[Failed]) -> None:
    mine = [(start, ops) for start, ops in failed if _in_second(ops)]
    assert len(mine) > 10
    for start, ops in mine:
        check(start, ops)
