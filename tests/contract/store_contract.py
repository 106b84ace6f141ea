"""What every copy of a vault does, whatever it is made of. A new store costs a fixture or two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from storage.errors import AlreadyThere, NotFound
from storage.store import Store

KEYS = ["a-b", "a/b-c/d", "a/b/c", "a/c", "a0", "log/tile/entries/000.p/1", "log/tile/entries/x001/000"]


class StoreContract:
    """Subclasses give a fixture `store`, empty, and say what lies in its scratch space."""

    def scratch(self, store: Store) -> list[str]:
        raise AssertionError

    def test_what_was_created_is_read_back(self, store: Store) -> None:
        store.create("a/b", b"\0bytes\n")
        assert store.size("a/b") == 7
        with store.open("a/b") as stream:
            assert stream.read(3) == b"\0by"
            stream.seek(0)
            assert stream.read() == b"\0bytes\n"
        assert self.scratch(store) == []

    def test_an_empty_value_is_a_value(self, store: Store) -> None:
        store.create("empty", b"")
        assert store.size("empty") == 0
        assert list(store.listing()) == ["empty"]

    def test_listing_ascends_by_the_whole_key(self, store: Store) -> None:
        for key in reversed(KEYS):
            store.create(key, b"")
        found = list(store.listing())
        assert found == sorted(KEYS)
        assert all(before < after for before, after in pairwise(found))

    def test_listing_a_prefix(self, store: Store) -> None:
        for key in KEYS:
            store.create(key, b"")
        assert list(store.listing("a/")) == ["a/b-c/d", "a/b/c", "a/c"]
        assert list(store.listing("log/tile/entries/x001/")) == ["log/tile/entries/x001/000"]
        assert list(store.listing("nothing/there/")) == []

    def test_listing_what_is_greater_than_a_key(self, store: Store) -> None:
        keys = ["a-b", "a/b-c/d", "a/b/c", "a/c", "ab", "b/a"]
        for key in keys:
            store.create(key, b"")
        for after in (*keys, "a", "a/", "a/b/", "a/b0", "zz"):
            assert list(store.listing(after=after)) == [key for key in keys if key > after]
        assert list(store.listing("a/", "a/b/c")) == ["a/c"]

    def test_an_empty_store_lists_nothing(self, store: Store) -> None:
        assert list(store.listing()) == []

    def test_creating_is_exclusive(self, store: Store) -> None:
        store.create("key", b"first")
        with pytest.raises(AlreadyThere):
            store.create("key", b"second")
        with store.open("key") as stream:
            assert stream.read() == b"first"
        assert self.scratch(store) == []

    def test_of_sixteen_creators_one_wins(self, store: Store) -> None:
        def create(n: int) -> int | None:
            try:
                store.create("aips/one/v3.json", f"writer {n}".encode())
            except AlreadyThere:
                return None
            return n

        with ThreadPoolExecutor(16) as pool:
            [winner] = [n for n in pool.map(create, range(16)) if n is not None]
        with store.open("aips/one/v3.json") as stream:
            assert stream.read() == f"writer {winner}".encode()
        assert self.scratch(store) == []

    def test_replacing(self, store: Store) -> None:
        for data in (b"new", b"newer, longer", b""):
            store.replace("log/checkpoint", data)
            with store.open("log/checkpoint") as stream:
                assert stream.read() == data
        assert list(store.listing()) == ["log/checkpoint"]
        assert self.scratch(store) == []

    def test_when_something_was_written(self, store: Store) -> None:
        before = datetime.now(UTC) - timedelta(seconds=2)
        store.create("a/b", b"bytes")
        store.replace("a/b", b"others")
        assert before <= store.written("a/b") <= datetime.now(UTC) + timedelta(seconds=2)
        with pytest.raises(NotFound):
            store.written("a/c")

    def test_dropping(self, store: Store) -> None:
        store.create("a/b", b"")
        store.drop("a/b")
        with pytest.raises(NotFound):
            store.drop("a/b")
        assert list(store.listing()) == []

    def test_what_is_not_there_is_not_found(self, store: Store) -> None:
        store.create("a", b"")
        for key in ("b", "b/c", "a/c"):
            with pytest.raises(NotFound):
                store.open(key)
            with pytest.raises(NotFound):
                store.size(key)

    def test_a_batch_places_what_came_in(self, store: Store) -> None:
        with store.batch("run") as batch:
            pending = []
            for key in ("blobs/ab/1", "blobs/ab/2", "blobs/cd/3"):
                incoming = store.incoming("run")
                incoming.write(b"some ")
                incoming.write(key.encode())
                pending.append(incoming.finish(key))
            assert [blob.size for blob in pending] == [15, 15, 15]
            assert list(store.listing()) == []
            batch.flush()
            batch.place(pending)
            batch.flush()
        for blob in pending:
            with store.open(blob.key) as stream:
                assert stream.read() == b"some " + blob.key.encode()
        assert self.scratch(store) == []

    def test_placing_replaces_what_was_there(self, store: Store) -> None:
        store.create("blobs/ab/1", b"torn")
        with store.batch("run") as batch:
            incoming = store.incoming("run")
            incoming.write(b"whole")
            batch.place([incoming.finish("blobs/ab/1")])
            batch.flush()
        with store.open("blobs/ab/1") as stream:
            assert stream.read() == b"whole"

    def test_what_was_abandoned_or_not_placed_is_forgotten(self, store: Store) -> None:
        with store.batch("run"):
            for finished in (True, False):
                incoming = store.incoming("run")
                incoming.write(b"bytes")
                incoming.finish("blobs/ab/1") if finished else incoming.abandon()
        assert list(store.listing()) == []
        assert self.scratch(store) == []

    def test_a_batch_that_fails_leaves_nothing(self, store: Store) -> None:
        def fails() -> None:
            with store.batch("run"):
                incoming = store.incoming("run")
                incoming.write(b"bytes")
                incoming.abandon()
                incoming.abandon()
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fails()
        assert self.scratch(store) == []

    def test_runs_do_not_see_each_other(self, store: Store) -> None:
        with store.batch("one") as batch:
            incoming = store.incoming("one")
            incoming.write(b"1")
            pending = incoming.finish("blobs/ab/1")
            with store.batch("two"):
                store.incoming("two").finish("blobs/ab/2")
            batch.place([pending])
        assert list(store.listing()) == ["blobs/ab/1"]

    def test_tidying_spares_runs_that_live(self, store: Store) -> None:
        asked = []

        def lives(run: str) -> bool:
            asked.append(run)
            return run == "alive"

        with store.batch("alive") as batch:
            pending = store.incoming("alive").finish("blobs/ab/1")
            store.incoming("dead").finish("blobs/ab/2")
            store.tidy(lives)
            batch.place([pending])
        assert set(asked) == {"alive", "dead"}
        assert list(store.listing()) == ["blobs/ab/1"]
        assert self.scratch(store) == []
