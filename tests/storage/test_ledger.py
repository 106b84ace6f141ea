"""The ledger: every entry once, in order, over the borders of bundles, whatever partial bundles were left about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import bundle, tiles
from storage.errors import Damaged, Unreachable
from storage.event import Event
from storage.ledger import Ledger
from storage.memory import Memory


def events(count: int, start: int = 0) -> list[Event]:
    return [
        Event(time="2026-03-01T12:00:00Z", type="job", agent="tests", object=str(n), outcome="success")
        for n in range(start, start + count)
    ]


def objects(ledger: Ledger, start: int = 0, stop: int | None = None) -> list[tuple[int, str]]:
    return [(number, event.object) for number, _, event in ledger.read(start, stop)]


def numbered(start: int, stop: int) -> list[tuple[int, str]]:
    return [(n, str(n)) for n in range(start, stop)]


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 511, 512, 600])
def test_appended_at_once_or_one_by_one_it_reads_the_same(count: int) -> None:
    at_once, one_by_one = Ledger(Memory()), Ledger(Memory())
    assert count == 0 or at_once.append(events(count)) == 0
    for n in range(count):
        assert one_by_one.append(events(1, n)) == n
    for ledger in (at_once, one_by_one):
        assert ledger.size() == count
        assert objects(ledger) == numbered(0, count)
    bundles = -(-count // bundle.WIDTH)
    assert list(one_by_one.store.listing()) == list(at_once.store.listing())
    assert len(list(at_once.store.listing())) == bundles + len(list(tiles.all_of(count)))


@given(st.lists(st.integers(1, 300), max_size=4), st.data())
def test_any_part_can_be_read(batches: list[int], data: st.DataObject) -> None:
    ledger, size = Ledger(Memory()), 0
    for count in batches:
        assert ledger.append(events(count, size)) == size
        size += count
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    assert objects(ledger, start, stop) == numbered(start, stop)
    assert objects(ledger, start) == numbered(start, size)


@pytest.mark.parametrize("before", [0, 3, 255, 256, 300])
@pytest.mark.parametrize("away", [1, 100, 256, 400])
def test_a_copy_that_was_away_catches_up(before: int, away: int) -> None:
    leader, follower = Ledger(Memory("first")), Ledger(Memory("second"))
    if before:
        leader.append(events(before))
    follower.follow(leader)
    leader.append(events(away, before))
    leader.append(events(1, before + away))
    follower.follow(leader)
    assert objects(follower) == numbered(0, before + away + 1)
    assert list(follower.store.listing()) == list(leader.store.listing())


def test_following_what_is_followed_changes_nothing() -> None:
    leader, store = Ledger(Memory("first")), Memory("second")
    leader.append(events(300))
    Ledger(store).follow(leader)
    before = dict(store.kept)
    Ledger(store).follow(leader)
    assert store.kept == before


@pytest.mark.parametrize("size", [5, 256, 300])
def test_narrower_bundles_that_were_left_do_no_harm(size: int) -> None:
    store = Memory()
    ledger = Ledger(store)
    for n in range(size):
        ledger.append(events(1, n))
        kept = dict(store.kept)
        if n in (2, 254):
            left = dict(kept)
    store.kept = {**left, **store.kept}
    assert ledger.size() == size
    assert objects(ledger) == numbered(0, size)
    ledger.append(events(1, size))
    assert objects(ledger) == numbered(0, size + 1)


def test_a_wider_bundle_has_what_a_narrower_had() -> None:
    """A reader that learnt a size reads on although the bundle has grown meanwhile."""
    ledger = Ledger(Memory())
    ledger.append(events(10))
    ledger.append(events(20, 10))
    assert objects(ledger, 0, 10) == numbered(0, 10)


@pytest.mark.parametrize("damage", ["cut", "short", "garbage", "empty"])
def test_a_damaged_bundle_is_told(damage: str) -> None:
    store = Memory()
    Ledger(store).append(events(10))
    [key] = store.listing(bundle.PREFIX)
    data = store.kept[key]
    store.kept[key] = {
        "cut": data[:-1], "short": bundle.encode(bundle.decode(data)[:9]), "garbage": bytes(len(data)), "empty": b"",
    }[damage]  # fmt: skip
    with pytest.raises(Damaged):
        objects(Ledger(store))


def test_an_entry_stands_although_the_narrower_bundle_cannot_be_removed() -> None:
    class Clinging(Memory):
        def drop(self, key: str) -> None:
            raise Unreachable(self.name, "it clings")

    leader, follower = Ledger(Clinging("first")), Ledger(Clinging("second"))
    for n in range(3):
        assert leader.append(events(1, n)) == n
        follower.follow(leader)
    assert objects(leader) == objects(follower) == numbered(0, 3)


def test_renewing_writes_the_same_again() -> None:
    for count in (0, 3, 256, 257):
        store = Memory()
        if count:
            Ledger(store).append(events(count))
        before = dict(store.kept)
        Ledger(store).renew()
        assert store.kept == before
