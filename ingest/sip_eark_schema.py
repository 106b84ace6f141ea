"""METS and PREMIS of an E-ARK package against their XML schemas, in the bounded child; the schemas are the user's."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from ingest.finding import Finding, error, info, warning
from ingest.heard import heard
from ingest.sandbox import Limits, Ran, ending, room, run
from ingest.sip_eark import Eark
from ingest.source import is_member, open_source
from ingest.standards import Standards
from ingest.worklist import Worklist
from storage.durable import told
from storage.namemap import Kind
from storage.names import escape_path
from storage.receive import chunks

TOOL: Final = Path(__file__).with_name("schema_child.py")
_METS = {"mets.xsd": "mets", "DILCISExtensionMETS.xsd": "DILCISExtensionMETS",
         "DILCISExtensionSIPMETS.xsd": "DILCISExtensionSIPMETS"}  # fmt: skip
_PREMIS = {"premis.xsd": "premis"}
_PRESERVATION = b"metadata/preservation/"
_LARGEST = 4 << 30  # bytes of a document
_AT_ONCE = 50  # documents that one child reads
_LIMITS = Limits(seconds=300, cpu=300, file=64 << 20)


class Checked(NamedTuple):
    """A document to be held against its schema: its name, and where its bytes lie."""

    name: bytes
    source: bytes


def check(worklist: Worklist, eark: Eark, standards: Standards, scratch: Path) -> Iterator[Finding]:
    """Yield what the schemas say: of METS errors, of PREMIS warnings, and what could not be asked as information.

    `scratch` is an empty folder.
    """
    known = _schemas(standards)
    mets = [one for name in eark.read if (one := _document(worklist, name))]
    premis = [one for name in _preservation(worklist, eark) if (one := _document(worklist, name))]
    missing = sorted({"xlink.xsd", *_METS} - known.keys())
    if mets and missing:
        yield info("mets-unchecked", f"METS was not held against its schema: there is no {', '.join(missing)}.")
    elif mets:
        for path, told in _told(mets, known, scratch, eark):
            yield error("mets-schema", told, path) if path else info("mets-unchecked", told)
    if premis and "premis.xsd" not in known:
        yield info("premis-unchecked", "PREMIS was not held against its schema: there is no premis.xsd.")
    elif premis:
        for path, told in _told(premis, known, scratch, eark):
            yield warning("premis-schema", told, path) if path else info("premis-unchecked", told)


def _schemas(standards: Standards) -> dict[str, str]:
    """The schema files by the names that others import them by."""
    found = {name: str(path) for name, path in standards.files.items() if name.endswith(".xsd")}
    for name, start in (_METS | _PREMIS | {"xlink.xsd": "xlink"}).items():
        if path := standards.starting(start, ".xsd"):
            found[name] = str(path)
    return found


def _document(worklist: Worklist, name: bytes) -> Checked | None:
    source = worklist.source(name, _LARGEST)
    return Checked(name, source) if source else None


def _preservation(worklist: Worklist, eark: Eark) -> Iterator[bytes]:
    """The XML files in folders of preservation metadata, of the package and of its representations."""
    folders = [mets.removesuffix(b"METS.xml") for mets in eark.read] or [eark.base]
    for folder in folders:
        for name, kind in worklist.below(folder + _PRESERVATION):
            if kind is Kind.FILE and name.lower().endswith(b".xml"):
                yield name


def _told(documents: Sequence[Checked], known: dict[str, str], scratch: Path, eark: Eark) -> Iterator[tuple[str, str]]:
    """Yield path and sentence; "" as the path where documents could not be checked, and why."""
    for start in range(0, len(documents), _AT_ONCE):
        some = documents[start : start + _AT_ONCE]
        paths = [escape_path(one.name.removeprefix(eark.base)) for one in some]
        with room(scratch) as folder:
            ran = _asked(some, known, folder)
            yield from _heard(folder / "found", paths)
        if ran.exit != 0:
            yield "", f"{paths[0]} and those after it were not held against their schema: {ending(ran, _LIMITS)}."


def _asked(documents: Sequence[Checked], known: dict[str, str], folder: Path) -> Ran:
    """In a room of its own, in which we write nothing once a child was there: one that fled could have laid links."""
    (folder / "schemas.json").write_text(json.dumps(known), "utf-8")
    files = [_on_disk(one.source, folder / str(number)) for number, one in enumerate(documents)]
    return run([sys.executable, "-I", "-B", str(TOOL), "schemas.json", *files], folder, _LIMITS)


def _on_disk(source: bytes, copy: Path) -> str:
    """Where the child can open it: a member of an archive is copied, all others lie there."""
    if not is_member(source):
        return os.path.abspath(os.fsdecode(source))
    full = told(str(copy))  # also of what is written last, when it is closed
    with full, copy.open("xb") as file, suppress(OSError), open_source(source) as stream:  # examination says so
        for data in chunks(stream):
            with full:
                file.write(data)
    return str(copy)


def _heard(found: Path, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What the child has written down, and nothing more of it."""
    for said in heard(found, {"document": int, "line": int, "told": str}):
        if said["document"] not in range(len(paths)):
            continue
        where = f"Line {said['line']}: " if said["line"] else ""
        yield paths[said["document"]], f"{where}{said['told']}"
