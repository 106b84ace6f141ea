"""The versions of an OCFL object as versions of one AIP: each has the state of its version as original representation.

The content was examined once, as it lies in the object; here each version gets a worklist of its own, in which the
same files have their logical paths. Inventories and all else that is not content come with the first, as evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.worklist import Placed, Worklist
from storage import ocfl
from storage.bag import ORIGINAL, PRESERVATION, SUBMISSION
from storage.names import bag_path
from storage.ocfl import Inventory, Version

_NAMES = f"{PRESERVATION}names-"


@dataclass(frozen=True, slots=True)
class State:
    """One version of a delivery: its files; what is told of it, where it comes from an OCFL object, and the files of
    the version before."""

    worklist: Worklist
    told: Version | None = None
    before: Worklist | None = None

    def is_new(self, place: str) -> bool:
        """Whether the version before had not the same file there."""
        return self.before is None or self.before.digest_at(place) != self.worklist.digest_at(place)


def are_whole(worklist: Worklist, base: bytes, inventory: Inventory) -> bool:
    """Whether every file is there and was read that a version needs."""
    return all(worklist.is_read(base + path.encode()) for path, _ in ocfl.content(inventory))


def states(worklist: Worklist, base: bytes, inventory: Inventory, scratch: Path) -> Iterator[State]:
    """Yield the versions of the object in the folder `base`, in their order. What is made for one, until the next is
    asked for, is part of the next, but for its map of names: the next has one of its own."""
    made = list(_evidence(worklist, base, inventory))
    before: Worklist | None = None
    for name, version in inventory.versions.items():
        current = Worklist(str(scratch / f"{name}.db"))
        _fill(current, worklist, base, inventory, version, made)
        yield State(current, version, before)
        made = [one for one in current.all_made() if not one.place.startswith(_NAMES)]
        if before:
            before.close()
        before = current
    if before:
        before.close()


def _fill(
    current: Worklist, worklist: Worklist, base: bytes, inventory: Inventory, version: Version, made: Iterable[Placed]
) -> None:
    """A version's files under their logical paths, beside those that were made before."""
    for placed in made:
        current.made(placed)
    for path, digest in version.files():
        current.adopt(worklist, base + inventory.manifest[digest][0].encode(), path.encode())
    current.place(lambda name: ORIGINAL + bag_path(name))


def _evidence(worklist: Worklist, base: bytes, inventory: Inventory) -> Iterator[Placed]:
    """Whatever was delivered beside content."""
    listed = {base + path.encode() for path, _ in ocfl.content(inventory)}
    for name, digest, size in worklist.read_files():
        if name not in listed:
            yield Placed(SUBMISSION + bag_path(name.removeprefix(base)), digest, size)
