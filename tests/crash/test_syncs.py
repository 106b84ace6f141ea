"""Every sync matters: take one away, and some power cut breaks a promise. What cannot fail proves nothing."""

from __future__ import annotations

import re

from tests.crash.conftest import Recorded
from tests.crash.powercut import replay, states
from tests.crash.promises import made_before
from tests.crash.recording import Op

_DERIVED = re.compile(r"keys.*|.*/log(/(?!tile/e).*|/tile/e.*\.p)?")


def test_no_sync_can_be_left_out(haunted: Recorded) -> None:
    """Over the folders of a run that was killed: a process knows durable only what it synced itself."""
    wanted = [n for n, op in enumerate(haunted.ops) if op.kind.startswith("sync_") and not _spared(op, haunted.ops)]
    wanted = [n for n in wanted if not _is_derived(haunted.ops[n], haunted.ops)]
    idle = [(n, haunted.ops[n]) for n in wanted if not _is_needed(haunted, n)]
    assert idle == [], f"{len(idle)} of {len(wanted)} syncs were not needed"
    assert len(wanted) >= 30


def _is_needed(recorded: Recorded, sync: int) -> bool:
    seen = set()
    for index, moment in replay(recorded.start, recorded.ops, without=sync, haunted=True):
        if index < sync:
            continue
        made = made_before(recorded.ops, index)
        for _, state in states(moment, index, randoms=0):
            if (key := (len(made), frozenset(state.items()))) in seen:
                continue
            seen.add(key)
            if any(recorded.promises.broken(state, made)):
                return True
    return False


def _is_derived(op: Op, ops: list[Op]) -> bool:
    """Of what follows from the ledger's entries (tiles, checkpoints, what `keys/` remembers of them), and of names of
    bundles that the next entry replaces. A look at the disk alone cannot tell whether these are needed; that the
    next start copes with any state of them is asked in test_powercut."""
    path = _target(op, ops) if op.kind == "sync_file" else op.path
    return bool(_DERIVED.fullmatch(path))


def _target(op: Op, ops: list[Op]) -> str:
    """The name that a file gets when it was synced, "" where it gets none."""
    [path] = [other.path for other in ops if other.kind == "create" and other.file == op.file]
    return next((other.to for other in ops if other.kind in ("rename", "link") and other.path == path), "")


def _spared(op: Op, ops: list[Op]) -> bool:
    """Syncs of bytes that turn out not to matter when all is known: of an empty file, and of a file that came twice
    in one batch, of which one is placed. When a file is synced, neither can be told without reading ahead."""
    if op.kind != "sync_file":
        return False
    return not _target(op, ops) or not any(
        other.data for other in ops if other.kind == "write" and other.file == op.file
    )
