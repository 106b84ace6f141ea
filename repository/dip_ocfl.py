"""A DIP as an OCFL object with all versions of an AIP, in a new storage root or added to one that is there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ingest.validation import validate
from policies.ingest import IngestPolicy
from repository import dip, dip_unfinished
from repository.dip import Dip
from repository.workers import workers
from storage.aip import Record
from storage.durable import DISK, make_folders
from storage.errors import Damaged, NotFound, NotOcfl
from storage.ocfl_copy import ABOUT
from storage.ocfl_object import Written, put
from storage.ocfl_root import Root, founding_files, open_root
from storage.ocfl_update import packages
from storage.progress import Progress
from storage.vault import Vault


def write(vault: Vault, records: Sequence[Record], dest: Path, policy: IngestPolicy, progress: Progress) -> Dip:
    """Write an AIP's versions as an object below `dest`; raise NotOcfl where that is something else than a storage
    root that can be added to, or what is there of the object is not valid. Nothing is there before it is whole."""
    if dest.is_dir() and any(dest.iterdir()):
        root = open_root(dest)
        _check(root.place(records[0].aip), policy)
        progress.begin("Exporting", 0, 0)
        written = _add(vault, records, root, _scratch(dest), progress)
        return Dip(written.place, "ocfl", written.files, written.size)
    progress.begin("Exporting", records[-1].files, records[-1].size)
    with dip.writing(vault, dest, progress, workers) as out:
        partial = Path(os.fsdecode(out.folder))
        for path, data in founding_files(ABOUT).items():
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            (partial / path).write_bytes(data)
        root = open_root(partial)
        written = _add(vault, records, root, _scratch(partial), progress)
    return Dip(dest / written.place.relative_to(partial), "ocfl", written.files, written.size)


def _check(place: Path, policy: IngestPolicy) -> None:
    if os.path.lexists(place):
        seen = validate(place, policy, workers, "ocfl")
        if not seen.valid:
            found = seen.findings[0]  # errors come first
            raise NotOcfl(str(place), f"it is not valid ({found.code}: {found.message.rstrip('.')})")


def _add(vault: Vault, records: Sequence[Record], root: Root, scratch: Path, progress: Progress) -> Written:
    try:
        make_folders(DISK, scratch)
        with dip_unfinished.held(scratch):
            return put(root, scratch, packages(vault, records), vault.copy_out, DISK, progress)
    except NotFound as lost:  # the version is there, and a part of it in no copy
        raise Damaged(lost.what) from lost


def _scratch(root: Path) -> Path:
    """A folder for what is half-written: beside the root; in it, under a hidden name, where a disk is all its own."""
    folder = dip_unfinished.folder_for(root)
    beside = root.stat().st_dev == root.parent.stat().st_dev
    return folder if beside else root / folder.name
