"""A folder without a vault is a disk that was unmounted, whatever lies there."""

from __future__ import annotations

import pytest

from storage import layout
from storage.away import answers
from storage.memory import Memory


@pytest.mark.parametrize("key", ["junk.txt", layout.CHECKPOINT, "lost+found/1"])
def test_what_is_no_vault_does_not_answer(key: str) -> None:
    store = Memory("second")
    store.create(key, b"something")
    assert not answers(store)
    store.create(layout.VAULT, b"{}")
    assert answers(store)
