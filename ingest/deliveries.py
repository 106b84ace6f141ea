"""How many packages a path holds: one, but for an OCFL storage root, each of whose objects is one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ingest import folder, sip_ocfl
from ingest.errors import UnknownPackage
from ingest.finding import Finding, Severity
from ingest.item import Item
from ingest.worklist import Worklist
from storage.names import escape_path


def deliveries(path: Path, kind: str = "") -> Sequence[Path]:
    """The folders of a storage root's objects, in the order of paths; anything else is one package, the path itself.

    Raises UnknownPackage for a root that has no object, or something beside objects that would not come in.
    """
    raw = os.fsencode(path)
    if kind not in ("", "ocfl") or not path.is_dir() or not _is_root(raw):
        return [path]
    with closing(Worklist()) as worklist:
        listed = list(folder.walk(raw))
        for item in listed:
            if isinstance(item, Item):
                worklist.add(item)
        objects, findings = sip_ocfl.read_root(worklist, b"")
    findings = [*(found for found in listed if isinstance(found, Finding)), *findings]
    if wrong := next((found for found in findings if found.severity is Severity.ERROR), None):
        told = f"{wrong.code}: {wrong.path} {wrong.message.rstrip('.')}"
        raise UnknownPackage(escape_path(raw), f"it is an OCFL storage root that is not valid ({told})")
    if not objects:
        raise UnknownPackage(escape_path(raw), "it is an OCFL storage root without objects")
    return [path / os.fsdecode(one) for one in objects]


def _is_root(raw: bytes) -> bool:
    with os.scandir(raw) as found:
        names = [entry.name for entry in found]
    return any(name.startswith(b"0=ocfl_") and not name.startswith(b"0=ocfl_object_") for name in names)
