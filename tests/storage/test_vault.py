"""Reading takes the first copy that is good, and tells of those that were not."""

from __future__ import annotations

from uuid import UUID

import pytest

from storage import bag, manifest
from storage.aip import Record
from storage.digest import Digest, sha256
from storage.errors import BrokenRecord, Damaged, NotFound
from storage.layout import blob_key, record_key
from storage.manifest import Line
from storage.memory import Memory
from storage.vault import Vault

AIP = UUID("0190a5f2-7c11-7b4e-8f1a-2b3c4d5e6f70")
DATA = b"kept" * 1000


def put(stores: list[Memory], data: bytes) -> Digest:
    for store in stores:
        store.replace(blob_key(sha256(data)), data)
    return sha256(data)


def make(stores: list[Memory], version: int = 1, previous: Record | None = None) -> Record:
    """A version with one file, in every store."""
    payload = manifest.format_line(Line("data/a", put(stores, DATA)))
    contents = {bag.MANIFEST: payload, bag.BAGIT: bag.DECLARATION, bag.INFO: b"A: b\n"}
    tags = {path: put(stores, data) for path, data in contents.items()}
    record = Record(
        aip=f"urn:uuid:{AIP}", version=version, accession="2026-0001", created="2026-03-01T12:00:00Z", agent="tests",
        reason="ingestion", files=1, size=len(DATA), tagmanifest=put(stores, bag.tag_manifest(tags.items())),
        previous=previous.digest if previous else None,
    )  # fmt: skip
    for store in stores:
        store.create(record_key(AIP, version), record.to_bytes())
    return record


@pytest.fixture
def stores() -> list[Memory]:
    return [Memory("first"), Memory("second")]


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def vault(stores: list[Memory], told: list[tuple[str, str]]) -> Vault:
    return Vault(stores, told=lambda copy, key: told.append((copy, key)))


@pytest.mark.parametrize("wrong", [None, b"", DATA[:-1], DATA + b"+", bytes(len(DATA))])
def test_the_first_good_copy_is_read(
    vault: Vault, stores: list[Memory], told: list[tuple[str, str]], wrong: bytes | None
) -> None:
    digest = put(stores, DATA)
    assert (vault.read(digest), told) == (DATA, [])
    _spoil(stores[0], blob_key(digest), wrong)
    assert vault.read(digest) == DATA
    assert told == [("first", blob_key(digest))]


def test_what_no_copy_has_whole_is_told_by_the_first_copys_error(vault: Vault, stores: list[Memory]) -> None:
    digest = put(stores, DATA)
    _spoil(stores[0], blob_key(digest), b"rotten")
    _spoil(stores[1], blob_key(digest), None)
    with pytest.raises(Damaged) as error:
        vault.read(digest)
    assert (error.value.expected, error.value.found) == (digest, sha256(b"rotten"))


@pytest.mark.parametrize("wrong", [None, DATA[:-1], bytes(len(DATA))])
def test_copying_out_begins_again_with_the_next_copy(
    vault: Vault, stores: list[Memory], told: list[tuple[str, str]], wrong: bytes | None
) -> None:
    digest = put(stores, DATA)
    _spoil(stores[0], blob_key(digest), wrong)
    out = bytearray(b"before:")
    assert vault.copy_out(digest, out.extend, lambda: out.__delitem__(slice(7, None))) == len(DATA)
    assert out == b"before:" + DATA
    assert told == [("first", blob_key(digest))]


def test_an_error_of_whoever_writes_is_not_the_copys(vault: Vault, stores: list[Memory], told: list[object]) -> None:
    def full(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        vault.copy_out(put(stores, DATA), full, lambda: None)
    assert told == []


def test_a_bag_is_its_tag_files_and_its_payload(vault: Vault, stores: list[Memory]) -> None:
    record = make(stores)
    tags = sorted([bag.BAGIT, bag.INFO, bag.MANIFEST, bag.TAGMANIFEST])
    assert [line.path for line in vault.bag(record)] == [*tags, "data/a"]
    assert all(sha256(vault.read(line.digest)) == line.digest for line in vault.bag(record))
    assert dict(vault.tag_files(record))[bag.TAGMANIFEST] == record.tagmanifest


def test_a_bag_is_read_although_each_copy_lacks_something(vault: Vault, stores: list[Memory]) -> None:
    record = make(stores)
    for n, key in enumerate(list(stores[0].listing("blobs/"))):
        _spoil(stores[n % 2], key, None if n % 3 else b"rotten")
    assert len(list(vault.bag(record))) == 5


def test_versions_ascend_and_come_from_any_copy(vault: Vault, stores: list[Memory]) -> None:
    first = make(stores)
    versions = [first]
    for number in range(2, 12):  # v10 sorts before v2 as a key
        versions.append(make(stores, number, versions[-1]))
    stores[0].drop(record_key(AIP, 3))
    stores[1].drop(record_key(AIP, 4))
    assert vault.records(AIP) == versions
    assert sorted(vault.all_records(), key=lambda record: record.version) == versions


def test_a_record_under_another_versions_key_is_broken(vault: Vault, stores: list[Memory], told: list[object]) -> None:
    record = make(stores)
    stores[0].replace(record_key(AIP, 2), record.to_bytes())
    with pytest.raises(BrokenRecord):
        vault.record(AIP, 2)
    stores[0].replace(record_key(AIP, 1), b"{}\n")
    assert vault.record(AIP, 1) == record
    with pytest.raises(NotFound):
        vault.record(AIP, 3)
    with pytest.raises(NotFound):
        vault.records(UUID(int=0))


def _spoil(store: Memory, key: str, wrong: bytes | None) -> None:
    if wrong is None:
        store.drop(key)
    else:
        store.replace(key, wrong)
