"""OCFL: inventories as values, layouts as arithmetic, and objects that are in their place whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ocfl as library
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import ocfl
from storage.aip import Record
from storage.digest import Digest, sha256
from storage.durable import Disk
from storage.errors import Damaged, NotOcfl
from storage.manifest import Line
from storage.ocfl import Inventory
from storage.ocfl_layout import OURS, layout
from storage.ocfl_object import Package, put, remove
from storage.ocfl_root import Root, founding_files, open_root
from tests.strategies import bag_paths, texts

AIP = "urn:uuid:0191f0c2-5b7e-7cc3-98a4-3d1f2a9c0b6e"
CONTENTS = [b"", b"one", b"two", b"three"]
BLOBS = {sha256(data): data for data in CONTENTS}
trees = st.dictionaries(bag_paths, st.sampled_from(CONTENTS), min_size=1, max_size=4).filter(
    lambda files: not any(other.startswith(f"{path}/") for path in files for other in files)
)
bags = trees.map(lambda files: [Line(path, sha256(data)) for path, data in files.items()])


@given(st.lists(st.tuples(texts, bags), min_size=1, max_size=3))
def test_an_inventory_survives_the_round_trip_and_is_valid(versions: list[tuple[str, list[Line]]]) -> None:
    inventory = Inventory(id=AIP)
    for message, lines in versions:
        before, inventory = inventory, ocfl.extended(inventory, "2026-03-01T12:00:00Z", message, "uid-1000", lines)
        files = inventory.versions[inventory.head].files()
        assert dict(files) == {line.path: line.digest.hexadecimal for line in lines}
        assert before.manifest.items() <= inventory.manifest.items()
        added = {digest for _, digest in ocfl.content(inventory, inventory.head)}
        assert added == {line.digest for line in lines} - {digest for _, digest in ocfl.content(before)}
    data = b"".join(inventory.to_bytes())
    assert b"".join(ocfl.parse(data).to_bytes()) == data
    judged = library.InventoryValidator()
    assert judged.validate(json.loads(data)), judged.log.messages


@pytest.mark.parametrize(
    ("name", "config", "identifier", "path"),
    [
        ("0002-flat-direct-storage-layout", {}, "object-01", "object-01"),
        ("0003-hash-and-id-n-tuple-storage-layout", {}, "object-01", "3c0/ff4/240/object-01"),
        ("0003-hash-and-id-n-tuple-storage-layout", {}, "..hor/rib:le-$id", "487/326/d8c/%2e%2ehor%2frib%3ale-%24id"),
        (
            "0003-hash-and-id-n-tuple-storage-layout",
            {"digestAlgorithm": "md5", "tupleSize": 2, "numberOfTuples": 15},
            "object-01", "ff/75/53/44/92/48/5e/ab/b3/9f/86/35/67/28/88/object-01",
        ),
        ("0003-hash-and-id-n-tuple-storage-layout", {"tupleSize": 0, "numberOfTuples": 0}, "object-01", "object-01"),
        ("0004-hashed-n-tuple-storage-layout", {}, "object-01",
         "3c0/ff4/240/3c0ff4240c1e116dba14c7627f2319b58aa3d77606d0d90dfc6161608ac987d4"),
        ("0004-hashed-n-tuple-storage-layout",
         {"digestAlgorithm": "md5", "tupleSize": 2, "numberOfTuples": 15, "shortObjectRoot": True},
         "object-01", "ff/75/53/44/92/48/5e/ab/b3/9f/86/35/67/28/88/4e"),
    ],
)  # fmt: skip
def test_objects_lie_where_the_registered_layouts_say(name: str, config: Any, identifier: str, path: str) -> None:
    assert layout(name, config).path(identifier) == path


@pytest.mark.parametrize("config", [{"tupleSize": 33}, {"tupleSize": 0}, {"tupleSize": "3"}, {"numberOfTuples": 32}])
def test_a_layout_that_cannot_be_is_refused(config: Any) -> None:
    with pytest.raises(ValueError, match="layout"):
        layout(OURS.name, config)


def record(version: int) -> Record:
    return Record(
        aip=AIP, version=version, accession="2026-0001", created="2026-03-01T12:00:00Z", agent="uid-1000",
        reason="ingestion", files=1, size=1, tagmanifest=sha256(), previous=None if version == 1 else sha256(),
    )  # fmt: skip


FIRST = Package(record(1), [Line("data/a", sha256(b"one")), Line("data/b", sha256(b"one")), Line("data/c", sha256())])
SECOND = Package(record(2), [Line("data/a", sha256(b"two")), Line("data/b", sha256(b"one"))])


def copy_out(digest: Digest, write: Callable[[bytes], object], restart: Callable[[], object]) -> int:
    write(b"damaged")
    restart()  # as if the first copy had been bad
    write(BLOBS[digest])
    return len(BLOBS[digest])


@pytest.fixture
def root(tmp_path: Path) -> Root:
    for path, data in founding_files("for tests").items():
        (tmp_path / "root" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / path).write_bytes(data)
    return open_root(tmp_path / "root")


def timeless(found: Any) -> Any:
    return {name: entry._replace(mtime=0) for name, entry in found.items()}


def is_valid(root: Root) -> bool:
    """What the library says of the root and every object in it."""
    judged = library.StorageRoot(root=str(root.folder))
    return bool(judged.validate()) and judged.num_objects == judged.good_objects


def test_an_object_grows_by_a_version(root: Root, tmp_path: Path) -> None:
    put(root, tmp_path / "scratch", [FIRST], copy_out, Disk())
    first = (root.place(AIP) / "v1" / "content" / "data" / "a").stat()
    written = put(root, tmp_path / "scratch", [FIRST, SECOND], copy_out, Disk())
    assert (written.versions, written.files, written.size) == (1, 1, 3)
    assert (root.place(AIP) / "v1" / "content" / "data" / "a").stat().st_ino == first.st_ino  # not written again
    assert (root.place(AIP) / "v2" / "content" / "data" / "a").read_bytes() == b"two"
    assert (root.place(AIP) / "logs" / "v2.json").read_bytes() == SECOND.record.to_bytes()
    assert put(root, tmp_path / "scratch", [FIRST, SECOND], copy_out, Disk()).versions == 0
    assert is_valid(root)
    assert not (tmp_path / "scratch").exists()


def test_another_object_is_left_alone(root: Root, tmp_path: Path, tree: Any) -> None:
    put(root, tmp_path / "scratch", [FIRST, SECOND], copy_out, Disk())
    before = timeless(tree(root.folder))
    with pytest.raises(NotOcfl, match="v2"):
        put(root, tmp_path / "scratch", [FIRST], copy_out, Disk())
    with pytest.raises(NotOcfl, match="version 1 is another"):
        put(root, tmp_path / "scratch", [Package(record(1), SECOND.files), SECOND], copy_out, Disk())
    inventory = root.place(AIP) / "inventory.json"
    inventory.write_bytes(inventory.read_bytes() + b" ")
    with pytest.raises(Damaged):
        put(root, tmp_path / "scratch", [FIRST, SECOND], copy_out, Disk())
    inventory.write_bytes(inventory.read_bytes()[:-1])
    assert timeless(tree(root.folder)) == before


def test_removing_leaves_no_empty_folder(root: Root, tmp_path: Path, tree: Any) -> None:
    before = timeless(tree(root.folder))
    put(root, tmp_path / "scratch", [FIRST], copy_out, Disk())
    remove(root, tmp_path / "scratch", AIP, Disk())
    assert timeless(tree(root.folder)) == before
    remove(root, tmp_path / "scratch", AIP, Disk())


class Failing(Disk):
    """Fails at one call of the operations that change something, and at none before; counts them."""

    def __init__(self, at: int = 0, code: int = errno.EIO) -> None:
        self.at, self.code, self.calls = at, code, 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in ("create", "write", "rename", "link", "exchange", "mkdir", "sync_file", "sync_folder"):
            self.calls += 1
            if self.calls == self.at:
                return _raises(self.code)
        return found

    def syncs_whole(self, folder: str) -> bool:
        return False


def _raises(code: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("versions", [[FIRST], [FIRST, SECOND]])
def test_a_fault_at_any_call_leaves_the_old_state_or_the_new(
    tmp_path: Path, versions: list[Package], request: pytest.FixtureRequest
) -> None:
    root: Root = request.getfixturevalue("root")
    if len(versions) > 1:
        put(root, tmp_path / "scratch", versions[:-1], copy_out, Disk())
    counting = Failing()
    other = open_root(root.folder)
    put(other, tmp_path / "scratch", versions, copy_out, counting)
    remove(root, tmp_path / "scratch", AIP, Disk())
    for at in range(1, counting.calls + 1):
        if len(versions) > 1:
            put(root, tmp_path / "scratch", versions[:-1], copy_out, Disk())
        with pytest.raises(Exception, match="Input/output"):
            put(root, tmp_path / "scratch", versions, copy_out, Failing(at))
        assert is_valid(root)
        assert put(root, tmp_path / "scratch", versions, copy_out, Disk()).versions in (0, 1)
        assert is_valid(root)
        remove(root, tmp_path / "scratch", AIP, Disk())


@pytest.mark.parametrize("code", [errno.EPERM, errno.EINVAL])
def test_file_systems_without_links_and_swaps_will_do(root: Root, tmp_path: Path, code: int) -> None:
    class Plain(Disk):
        link = exchange = staticmethod(_raises(code))

    put(root, tmp_path / "scratch", [FIRST], copy_out, Plain())
    put(root, tmp_path / "scratch", [FIRST, SECOND], copy_out, Plain())
    assert is_valid(root)
    assert (root.place(AIP) / "v1" / "content" / "data" / "a").read_bytes() == b"one"
