"""The contract of every store, held against copies in a real S3 server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.errors import AlreadyThere
from storage.s3 import S3
from storage.store import Store
from tests.contract.store_contract import StoreContract

pytestmark = pytest.mark.slow


class TestObjectStore(StoreContract):
    def scratch(self, store: Store) -> list[str]:
        assert isinstance(store, S3)
        return [str(path) for path in store.scratch.rglob("*")]

    def test_of_sixteen_creators_one_wins(self, store: Store) -> None:
        """The exception: on Swift a conditional put is not atomic. Somebody wins, and what is there is a winner's."""

        def create(n: int) -> int | None:
            try:
                store.create("aips/one/v3.json", f"writer {n}".encode())
            except AlreadyThere:
                return None
            return n

        with ThreadPoolExecutor(16) as pool:
            winners = [n for n in pool.map(create, range(16)) if n is not None]
        with store.open("aips/one/v3.json") as stream:
            assert stream.read().decode() in {f"writer {n}" for n in winners}
