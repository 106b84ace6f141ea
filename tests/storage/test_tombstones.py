"""Tombstones: trusted only whole, from whichever copy; a copy catches up with them before anything else."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import tombstones
from storage.errors import BrokenRecord, Deleted
from storage.layout import record_key, tombstone_key
from storage.memory import Memory
from storage.tombstone import Tombstone, parse_tombstone
from storage.vault import Vault
from tests.storage.bags import buried, put_version, record_of
from tests.strategies import sha256s, texts

AIP = "urn:uuid:0190a5f2-7c11-7b4e-8f1a-2b3c4d5e6f70"
UID = UUID(AIP[9:])
KEY = tombstone_key(UID)

values = st.builds(
    Tombstone, aip=st.just(AIP), accession=texts, request=texts, reason=texts, requested=texts, requested_by=texts,
    approved=texts, approved_by=texts, deleted=texts, policy=texts,
    versions=st.dictionaries(st.integers(1, 10**6), sha256s, max_size=12),
)  # fmt: skip


@given(values)
def test_a_tombstone_survives_the_round_trip(tombstone: Tombstone) -> None:
    assert parse_tombstone(tombstone.to_bytes(), KEY) == tombstone


@given(values, st.integers(0, 10**6), st.integers(1, 255))
def test_a_tombstone_that_was_touched_is_none(tombstone: Tombstone, place: int, change: int) -> None:
    data = bytearray(tombstone.to_bytes())
    data[place % len(data)] ^= change
    with pytest.raises(BrokenRecord):
        parse_tombstone(bytes(data), KEY)


def test_another_aip_s_tombstone_is_none() -> None:
    with pytest.raises(BrokenRecord):
        parse_tombstone(buried(AIP).to_bytes(), tombstone_key(UUID(int=7)))


def test_a_tombstone_of_no_aip_is_none() -> None:
    """Whole, with a digest of its own, and about something that is no AIP."""
    with pytest.raises(BrokenRecord):
        parse_tombstone(replace(buried(AIP), aip="urn:uuid:me").to_bytes(), KEY)


@pytest.fixture
def stores() -> list[Memory]:
    found = [Memory("first"), Memory("second")]
    put_version(found, record_of(AIP, [b"a"]), [b"a"])
    return found


def test_the_first_whole_one_counts(stores: list[Memory]) -> None:
    vault = Vault(stores)
    assert (vault.tombstone(UID), len(vault.records(UID))) == (None, 1)
    stores[1].create(KEY, buried(AIP).to_bytes())
    stores[0].create(KEY, b"rotten")
    assert vault.tombstone(UID) == buried(AIP)
    assert list(vault.all_records()) == []
    with pytest.raises(Deleted, match="a duplicate"):
        vault.records(UID)
    stores[1].replace(KEY, b"{}\n")
    with pytest.raises(BrokenRecord, match="tombstones/"):  # neither deleted nor held: for a person
        vault.records(UID)


def test_a_copy_catches_up(stores: list[Memory]) -> None:
    first, second = stores
    first.create(KEY, buried(AIP).to_bytes())
    assert tombstones.catch_up(second, stores, {UID}) == [buried(AIP)]
    assert (second.kept[KEY], record_key(UID, 1) in second.kept) == (buried(AIP).to_bytes(), False)
    assert record_key(UID, 1) in first.kept
    assert tombstones.catch_up(first, stores, {UID}) == []
    assert record_key(UID, 1) not in first.kept


def test_a_copy_that_gives_nothing_up_gets_the_tombstone_alone(stores: list[Memory]) -> None:
    first, second = stores
    second.keeps_all = "versioned"
    first.create(KEY, buried(AIP).to_bytes())
    tombstones.catch_up(second, stores, {UID})
    assert {KEY, record_key(UID, 1)} <= second.kept.keys()


def test_records_stay_where_no_tombstone_is_whole(stores: list[Memory]) -> None:
    first, second = stores
    first.create(KEY, b"rotten")
    assert tombstones.catch_up(second, stores, {UID}) == []
    with pytest.raises(BrokenRecord):
        tombstones.catch_up(first, stores, {UID})
    assert all(record_key(UID, 1) in store.kept for store in stores)


def test_digest_follows_content() -> None:
    assert buried(AIP).digest != replace(buried(AIP), reason="another").digest
