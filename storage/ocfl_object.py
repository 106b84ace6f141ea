"""Writing AIPs as OCFL objects (OCFL 1.1 §3): each is built whole outside the root and takes its place by one rename.

A new version swaps the whole object for a new one, whose earlier versions are the same files: there is no moment at
which a reader of the root finds half a version, or an inventory without its digest.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from storage import durable, ocfl
from storage.aip import Record
from storage.digest import Digest, sha256
from storage.durable import Disk, told
from storage.errors import NotOcfl
from storage.manifest import Line
from storage.ocfl import Inventory
from storage.ocfl_build import CANNOT, Build, CopyOut, building
from storage.ocfl_root import Root, read_object
from storage.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class Package:
    """One version of an AIP: its record, and every file of its bag."""

    record: Record
    files: Iterable[Line]


@dataclass(slots=True)
class Written:
    """What was added: how many versions, files of theirs, and bytes of those."""

    place: Path
    versions: int = 0
    files: int = 0
    size: int = 0


def put(
    root: Root, scratch: Path, packages: Iterable[Package], copy_out: CopyOut, disk: Disk,
    progress: Progress = SILENT, *, anew: bool = False,
) -> Written:  # fmt: skip
    """Write versions 1 to n of one AIP as an object, or what an object there lacks of them; durable on return.

    `scratch` lies outside the root, on its file system, and is this call's alone. `anew` replaces what is there
    without looking at it. Raises NotOcfl where the versions there are others than these, Damaged, NotFound, NoRoom,
    SyncFailed or Unreachable; then the root is as it was.
    """
    remaining = iter(packages)
    first = next(remaining)
    place = root.place(first.record.aip)
    taken = os.path.lexists(place)
    inventory = read_object(place) if taken and not anew else Inventory(id=first.record.aip)
    known = dict(inventory.versions)
    written = Written(place)
    with told(str(root.folder)), building(disk, scratch) as build:
        for package in (first, *remaining):
            if there := known.pop(f"v{package.record.version}", None):
                _check_same(place, there, package)
                continue
            inventory = _extended(inventory, package)
            _write_version(build, inventory, package, copy_out, written, progress)
        _check_ours(place, inventory, first.record, known)
        if written.versions:
            _close(build, inventory, place if taken and not anew else None)
            _take_place(build, place, root.folder)
    return written


def remove(root: Root, scratch: Path, identifier: str, disk: Disk) -> None:
    """Take an object out of the root, with the folders that were there for it alone; none there is no error."""
    place = root.place(identifier)
    if not os.path.lexists(place):
        return
    with told(str(root.folder)):
        durable.make_folders(disk, scratch)
        top = _only_for(place, root.folder)
        disk.rename(str(top), str(scratch / "removed"))
        with durable.syncing(str(root.folder)):
            disk.sync_folder(str(top.parent))
        durable.remove_tree(disk, scratch)


def object_files(packages: Iterable[Package]) -> Iterator[tuple[str, Digest]]:
    """Yield every file of the object that `put` makes of versions 1 to n, by path below it, with its SHA-256."""
    inventory, digest = Inventory(id=""), sha256()
    for package in packages:
        inventory = _extended(replace(inventory, id=package.record.aip), package)
        digest = sha256(*inventory.to_bytes())
        yield from ocfl.content(inventory, inventory.head)
        yield from _inventory_files(digest, f"{inventory.head}/")
        yield record_path(package.record.version), sha256(package.record.to_bytes())
    yield from _inventory_files(digest, "")
    yield ocfl.OBJECT, sha256(ocfl.declaration(ocfl.OBJECT))


def _inventory_files(digest: Digest, folder: str) -> Iterator[tuple[str, Digest]]:
    yield folder + ocfl.INVENTORY, digest
    yield folder + ocfl.SIDECAR, sha256(_sidecar(digest))


def _sidecar(digest: Digest) -> bytes:
    return f"{digest.hexadecimal} {ocfl.INVENTORY}\n".encode()


def record_path(version: int) -> str:
    """Where an object has the record of a version, byte for byte: a log, so not content (§3.8)."""
    return f"{ocfl.LOGS}v{version}.json"


def _extended(inventory: Inventory, package: Package) -> Inventory:
    record = package.record
    message = f"{record.reason}, accession {record.accession}"
    return ocfl.extended(inventory, record.created, message, record.agent, package.files)


def _write_version(
    build: Build, inventory: Inventory, package: Package, copy_out: CopyOut, written: Written, progress: Progress
) -> None:
    for path, digest in ocfl.content(inventory, inventory.head):
        size = build.blob(path, digest, copy_out)
        written.files, written.size = written.files + 1, written.size + size
        progress.advance(1, size)
    _write_inventory(build, inventory, f"{inventory.head}/")
    build.file(record_path(package.record.version), [package.record.to_bytes()])
    written.versions += 1


def _write_inventory(build: Build, inventory: Inventory, folder: str = "") -> None:
    digest = build.file(folder + ocfl.INVENTORY, inventory.to_bytes())
    build.file(folder + ocfl.SIDECAR, [_sidecar(digest)])


def _close(build: Build, inventory: Inventory, old: Path | None) -> None:
    """The object's own files, and what it had before."""
    build.file(ocfl.OBJECT, [ocfl.declaration(ocfl.OBJECT)])
    _write_inventory(build, inventory)
    if old:
        build.adopt(old)


def _check_same(place: Path, there: ocfl.Version, package: Package) -> None:
    if dict(there.files()) != {line.path: line.digest.hexadecimal for line in package.files}:
        raise NotOcfl(str(place), f"its version {package.record.version} is another than the AIP's")


def _check_ours(place: Path, inventory: Inventory, record: Record, more: Mapping[str, ocfl.Version]) -> None:
    if inventory.id != record.aip:
        raise NotOcfl(str(place), f"it is the object {inventory.id}")
    if more:
        raise NotOcfl(str(place), f"it has versions that the AIP has not: {', '.join(more)}")


def _take_place(build: Build, place: Path, root: Path) -> None:
    """Give a built object its place: swapped for the one that is there, else together with the folders above it,
    which nobody has to find empty (§4.1)."""
    swaps = os.path.lexists(place)
    top = place if swaps else _first_missing(place, root)
    build.wrap(place.relative_to(top).parts)
    build.flush()
    if swaps:
        _swap(build.disk, build.folder, place)
    else:
        build.disk.rename(str(build.folder), str(top))
    with durable.syncing(str(top)):
        build.disk.sync_folder(str(top.parent))


def _swap(disk: Disk, new: Path, place: Path) -> None:
    """One instead of the other at once; where the file system cannot, there is none for a moment."""
    try:
        disk.exchange(str(new), str(place))
    except OSError as error:
        if error.errno not in CANNOT:
            raise
        disk.rename(str(place), str(new.with_name("old")))
        disk.rename(str(new), str(place))


def _first_missing(place: Path, root: Path) -> Path:
    """The outermost folder on the way to a place that is not there."""
    while place.parent != root and not os.path.lexists(place.parent):
        place = place.parent
    return place


def _only_for(place: Path, root: Path) -> Path:
    """The outermost folder on the way to a place that holds nothing else."""
    while place.parent != root and len(os.listdir(place.parent)) == 1:
        place = place.parent
    return place
