"""A folder in a copy that is a link: what lies beyond it is not this copy's, to be read or to be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import Unreachable
from storage.local import Local
from storage.receive import HoldsNothing, receive

KEY = "aips/ef/01/record"
VERBS: dict[str, Callable[[Local], object]] = {
    "open": lambda store: store.open(KEY),
    "size": lambda store: store.size(KEY),
    "listing": lambda store: list(store.listing("aips/")),
    "create": lambda store: store.create("aips/ef/02/another", b"1"),
    "replace": lambda store: store.replace(KEY, b"1"),
    "drop": lambda store: store.drop(KEY),
    "clear": lambda store: store.clear(KEY),
    "receive": lambda store: receive([store], "run", [b"a blob"], holds=HoldsNothing()),
}


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_done_through_it(tmp_path: Path, verb: str) -> None:
    other, copy = (Local(name, tmp_path / name, tmp_path / f"{name}.scratch") for name in ("other", "copy"))
    for store in (other, copy):
        store.root.mkdir()
    other.create(KEY, b"its own")
    (other.root / "blobs").mkdir()
    for folder in ("aips", "blobs"):
        (copy.root / folder).symlink_to(other.root / folder)
    before = sorted(other.root.rglob("*"))
    with pytest.raises(Unreachable, match="it is a link and no folder"):
        VERBS[verb](copy)
    assert sorted(other.root.rglob("*")) == before
    assert (other.root / KEY).read_bytes() == b"its own"
