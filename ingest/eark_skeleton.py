"""An E-ARK package's folders laid out empty, for a validator that wants to see some: none of its names reaches the
disk, and no file has a byte, so that there is nothing to be unpacked, followed or read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ingest.sip_eark_folders import METS
from ingest.worklist import Worklist
from storage.namemap import Kind

MOST: Final = 1_000  # representations
_FOLDERS = (b"data", b"documentation", b"metadata", b"representations", b"schemas")
_METADATA = (b"descriptive", b"preservation")
_SEEN = (Kind.FILE, Kind.FOLDER)  # links are neither


def lay_out(worklist: Worklist, base: bytes, package: Path) -> list[bytes]:
    """Make the folders that CSIPSTR1 to 16 speak of; return the names of what lies in representations, of which the
    first MOST are there, each called by its number in the list."""
    _lay(worklist, base, package)
    for name, kind in worklist.children(base + b"metadata/"):
        if kind is Kind.FOLDER:
            wanted = package / "metadata" / (name.decode() if name in _METADATA else "other")
            wanted.mkdir(exist_ok=True, parents=True)  # an archive may call it a file besides
    inside = base + b"representations/"
    found = [(name, kind) for name, kind in worklist.children(inside) if kind in _SEEN]
    if found:
        (package / "representations").mkdir(exist_ok=True)
    for number, (name, kind) in enumerate(found[:MOST]):
        place = package / "representations" / str(number)
        if kind is Kind.FOLDER:
            _lay(worklist, inside + name + b"/", place)
        else:
            place.touch()
    return [name for name, _ in found]


def _lay(worklist: Worklist, folder: bytes, target: Path) -> None:
    target.mkdir()
    for name, kind in worklist.children(folder):
        if kind is Kind.FOLDER and name in _FOLDERS:
            (target / name.decode()).mkdir()
        elif kind is Kind.FILE and name == METS:
            (target / METS.decode()).touch()
