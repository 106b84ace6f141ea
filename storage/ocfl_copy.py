"""A copy of a vault kept as an OCFL storage root: one object for each AIP, which others' tools can read.

A package copy: it holds what AIPs are made of, and neither the ledger nor what only the ledger names. So it is never
the first copy, but a source for repair like any other. Beside the objects the root has `tianyi-vault.json`, as every
copy, a README, and a `tombstone-<uuid>.json` for each AIP that was deleted (§4.1 allows such files).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from storage import founding, layout
from storage.aip import Record, parse_record
from storage.digest import Digest
from storage.durable import DISK, Disk, told
from storage.errors import BrokenRecord, NotAVault, NotFound, Unreachable
from storage.local import Local
from storage.ocfl_build import CopyOut
from storage.ocfl_index import Index
from storage.ocfl_layout import OURS
from storage.ocfl_object import Package, Written, put, record_path, remove
from storage.ocfl_root import Root, founding_files
from storage.progress import SILENT, Progress
from storage.store import Opens

ABOUT = "One object for each AIP; its versions are the AIP's, its logical paths those of the AIP's BagIt bags."


def fixed_files(vault_id: str) -> Mapping[str, bytes]:
    """The files that such a copy has beside objects and tombstones, by path; the declaration comes last."""
    return {
        layout.VAULT: founding.fixed_files(vault_id)[layout.VAULT],
        layout.README: (files("storage") / "in_vault" / "ocfl-README.txt").read_bytes(),
        **founding_files(ABOUT),
    }


class OcflCopy:
    """The copy in the folder `root`. `scratch` lies outside it, on its file system; `index` is a file that may be lost.

    `files` are the paths below the root as a store has keys: what an audit reads.
    """

    def __init__(self, name: str, root: Path, scratch: Path, index: Path, disk: Disk = DISK) -> None:
        self.name = name
        self.at_once = 1
        self.files = Local(name, root, scratch, disk, may_be_written=True)
        self.folder, self._scratch, self._disk = root, scratch, disk
        self._index = Index(index)

    def __repr__(self) -> str:
        return f"OcflCopy({self.name!r}, {str(self.folder)!r})"

    def found(self, vault_id: str) -> None:
        """Make an empty folder, or one whose founding was cut short, such a copy; raise NotAVault where something
        else is in it."""
        wanted = fixed_files(vault_id)
        for key in self.files.listing():
            if key not in wanted or _read(self.files, key) != wanted[key]:
                raise NotAVault(str(self.folder), f"there is already something in it ({key})", "Name an empty folder.")
        for key, data in wanted.items():
            self.files.replace(key, data)

    def check(self, vault_id: str) -> None:
        """Raise NotAVault where this is no such copy of that vault, Unreachable where it does not answer."""
        self.check_answers()
        try:
            found = _read(self.files, layout.VAULT)
        except NotFound as error:
            raise NotAVault(str(self.folder), f"{layout.VAULT} is not there", "Is its disk mounted?") from error
        if found != fixed_files(vault_id)[layout.VAULT]:
            raise NotAVault(str(self.folder), "it is not a copy of this vault", "Correct tianyi.toml.")

    def check_answers(self) -> None:
        """Raise Unreachable where the copy's folder is not there, or is empty: its disk is not mounted."""
        if next(self.files.listing(), None) is None:
            raise Unreachable(str(self.folder), "the folder is empty: its disk is not mounted, or is a new one")

    def place(self, aip: UUID) -> str:
        """The folder of an AIP's object below the root."""
        return self._root().place(f"urn:uuid:{aip}").relative_to(self.folder).as_posix()

    def has(self, record: Record) -> bool:
        """Whether a version is in the copy, by its record, which can be read."""
        with suppress(NotFound, Unreachable):
            return _read(self.files, f"{self.place(record.uuid)}/{record_path(record.version)}") == record.to_bytes()
        return False

    def records(self) -> Iterator[Record]:
        """Yield the records of all versions that are here, AIP by AIP; those that are broken are left out."""
        for folder in self._root().objects():
            for path in sorted(folder.glob("logs/v*.json"), key=lambda path: int(path.stem[1:])):
                with suppress(BrokenRecord, NotFound, Unreachable):
                    yield parse_record(_read(self.files, path.relative_to(self.folder).as_posix()), str(path))

    def add(self, packages: Iterable[Package], copy_out: CopyOut, run: str, progress: Progress = SILENT) -> Written:
        """Write what is lacking of an AIP's versions 1 to n, durable and whole in its place on return. Raises what
        `ocfl_object.put` does; then the copy is as it was."""
        return self._put(packages, copy_out, run, progress, anew=False)

    def renew(self, packages: Iterable[Package], copy_out: CopyOut, run: str, progress: Progress = SILENT) -> Written:
        """Write an AIP's object again, every byte, in place of a damaged one."""
        return self._put(packages, copy_out, run, progress, anew=True)

    def is_buried(self, aip: UUID) -> bool:
        """Whether an AIP's tombstone is here, and its object is not."""
        with suppress(NotFound):
            return self.files.size(tombstone_path(aip)) > 0 and not os.path.lexists(self.folder / self.place(aip))
        return False

    def bury(self, aip: UUID, tombstone: bytes, run: str) -> None:
        """Keep a tombstone, for ever, then remove the AIP's object; raise Unreachable where a link leads to it."""
        self.check_answers()
        self.files.check_way(self.place(aip))
        self.files.replace(tombstone_path(aip), tombstone)
        remove(self._root(), self._scratch / run, f"urn:uuid:{aip}", self._disk)
        self._index.forget(self.place(aip))

    def open(self, key: str) -> BinaryIO:
        """What a copy of the other form has under a blob's or a record's key; raise NotFound or Unreachable."""
        return self.files.open(self._path(key))

    def size(self, key: str) -> int:
        return self.files.size(self._path(key))

    def refresh(self) -> None:
        """Hold the index against what is there, and correct it."""
        self._index.refresh(self.folder, self._root().objects())

    def tidy(self, lives: Callable[[str], bool]) -> None:
        """Remove from the scratch space what belongs to no run that lives."""
        self.files.tidy(lives)

    def _put(
        self, packages: Iterable[Package], copy_out: CopyOut, run: str, progress: Progress, *, anew: bool
    ) -> Written:
        self.check_answers()
        remaining = iter(packages)
        first = next(remaining)
        place = self.place(first.record.uuid)
        self.files.check_way(place if anew else f"{place}/")  # what a link leads to is not ours to write
        all_of_it = chain([first], remaining)
        written = put(self._root(), self._scratch / run, all_of_it, copy_out, self._disk, progress, anew=anew)
        self._index.learn(self.folder, written.place)
        return written

    def _path(self, key: str) -> str:
        """Where the bytes of a vault's key lie below the root."""
        if name := layout.record_name(key):
            return f"{self.place(name[0])}/{record_path(name[1])}"
        if digest := layout.blob_digest(key):
            return self._content(digest)
        raise NotFound(key, self.name)

    def _content(self, digest: Digest) -> str:
        """The path of a file with that content, by the index; where it knows none that is there, it is held against
        the copy once."""
        for stale in (True, False):
            for path in self._index.paths(digest):
                with suppress(NotFound):
                    self.files.size(path)
                    return path
            if stale and not self._index.fresh:
                self.refresh()
        raise NotFound(layout.blob_key(digest), self.name)

    def _root(self) -> Root:
        return Root(self.folder, OURS)


def tombstone_path(aip: UUID) -> str:
    return f"tombstone-{aip}.json"


def _read(store: Opens, key: str) -> bytes:
    with store.open(key) as stream, told(key):
        return stream.read()
