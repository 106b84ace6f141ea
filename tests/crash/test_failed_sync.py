"""After a failed sync nothing of its batch is trusted: it is written again, and never just synced again."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from storage.errors import SyncFailed
from tests.conftest import Tally
from tests.crash.conftest import Fresh
from tests.crash.quick import opened
from tests.crash.recording import Op, Recording
from tests.crash.scene import promise, show, snapshot
from tests.crash.test_kill import check
from tests.crash.verbs import Verb

pytestmark = pytest.mark.slow  # half a minute: each sync of each verb, then the verb again
Failed = tuple[dict[str, bytes | None], list[Op]]


@pytest.fixture(scope="module")
def failed(verb: Verb, whole: bool, fresh: Fresh, deliveries: Path) -> list[Failed]:
    """Each sync of a verb fails in turn, then the same command again: what lay there, and what was done."""
    found: list[Failed] = []
    while True:
        disk = Recording(fresh(verb), whole=whole)
        start = snapshot(disk.scene)
        disk.fails_at = len(found) + 1
        with opened(disk.scene, disk, seed=1) as repository:
            with suppress(SyncFailed):
                promise(repository, disk, verb.run(repository, deliveries), mended=verb.mends)
            if disk.syncs < disk.fails_at:
                return found
            disk.mark("killed")  # in truth it lives on: what it does from here is what counts
            kept = list(repository.vault.all_records())
            show(repository, disk, verb.run(repository, deliveries), but=kept)
        with opened(disk.scene, disk, seed=2) as repository:
            show(repository, disk, behind={"copy-2"})  # what was behind is so until somebody brings it up
        found.append((start, disk.ops))


def test_what_is_acknowledged_after_a_failed_sync_lasts(failed: list[Failed], tally: Tally) -> None:
    """In the first copy, and in one that fell behind."""
    assert len(failed) > 5
    assert {_in_second(ops) for _, ops in failed} == {True, False}
    for start, ops in failed:
        check(start, ops)
    tally("failed syncs", len(failed))


def _in_second(ops: list[Op]) -> bool:
    op = next(op for op in ops if op.failed)
    files = {made.file: made.path for made in ops if made.kind == "create"}
    where = files[op.file] if op.kind == "sync_file" else op.path
    return where.startswith("second") or "copy-2" in where
