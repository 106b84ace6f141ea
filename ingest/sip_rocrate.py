"""An RO-Crate (1.0 to 1.2) as a SIP: what its metadata document says of the items listed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from ingest import checks, member, rocrate_metadata
from ingest.describe import DublinCore
from ingest.finding import Finding, error, info, warning
from ingest.rocrate_metadata import NAMES, Crate, Entity, NotCrate
from ingest.top_folder import top_folder
from ingest.worklist import Worklist
from storage.digest import Digest
from storage.namemap import Kind
from storage.names import escape_path

LARGEST = 64 << 20  # bytes of a metadata document that is read: JSON has to be in memory as a whole


@dataclass(frozen=True, slots=True)
class RoCrate:
    """A crate as it describes itself: its folder (b"" or ending in "/"), the version that it claims, the profiles that
    it names, the Dublin Core that follows from it; the files and folders that it describes."""

    base: bytes
    version: str = ""
    profiles: tuple[str, ...] = ()
    core: DublinCore = field(default_factory=dict)
    files: frozenset[bytes] = frozenset()
    folders: frozenset[bytes] = frozenset()


def find_base(worklist: Worklist) -> bytes | None:
    """The folder that is a crate: what was delivered (b"") or its only folder; None where it is neither."""
    if _document(worklist, b""):
        return b""
    base = top_folder(worklist)
    return base if base and _document(worklist, base) else None


def read(worklist: Worklist, base: bytes) -> RoCrate:
    """Put the crate's claims and findings on the worklist."""
    name = _document(worklist, base)
    if name is None:
        worklist.tell([error("rocrate-document", "There is no ro-crate-metadata.json.", NAMES[0].decode())])
        return RoCrate(base)
    shown = escape_path(name.removeprefix(base))
    data = worklist.read(name, LARGEST)
    if data is None:
        told = f"It cannot be read, or is larger than {LARGEST} bytes: the crate was not checked."
        worklist.tell([error("rocrate-document", told, shown)])
        return RoCrate(base)
    try:
        crate, findings = rocrate_metadata.read(data, shown)
    except NotCrate as failure:
        worklist.tell([error("rocrate-document", f"It is no metadata document: {failure}.", shown)])
        return RoCrate(base)
    worklist.tell(findings)
    files: set[bytes] = {name}
    folders: set[bytes] = set()
    worklist.tell(_entities(worklist, base, crate, files, folders))
    known = rocrate_metadata.core(crate)
    return RoCrate(base, crate.version, tuple(crate.profiles), known, frozenset(files), frozenset(folders))


def check(worklist: Worklist, crate: RoCrate) -> Iterator[Finding]:
    """Yield what is altered, and what the crate does not describe, once every file was examined."""
    for path, algorithm, origin in checks.altered(worklist):
        yield error("rocrate-altered", f"Its {algorithm} digest is not the one in {origin}.", path)
    if crate.files:
        for name in worklist.names(crate.base):
            if name not in crate.files and crate.folders.isdisjoint(member.above(name)):
                yield info("rocrate-undescribed", "The crate does not describe it.", escape_path(name))


def _document(worklist: Worklist, base: bytes) -> bytes | None:
    return next((base + name for name in NAMES if (i := worklist.item(base + name)) and i.kind is Kind.FILE), None)


def _entities(
    worklist: Worklist, base: bytes, crate: Crate, files: set[bytes], folders: set[bytes]
) -> Iterator[Finding]:
    """Hold each file and folder that the crate describes against what is there; remember which they are."""
    for entity in crate.files():
        if rocrate_metadata.is_local(entity["@id"]):
            yield from _file(worklist, base, entity, files)
    for entity in crate.folders():
        if not rocrate_metadata.is_local(entity["@id"]):
            continue
        name = _name(worklist, base, entity["@id"])
        if name is None:
            yield _outside(entity["@id"])
        elif not _is_folder(worklist, name):
            yield error("rocrate-missing", "The crate describes a folder that is not there.", _shown(entity["@id"]))
        elif name != base.rstrip(b"/"):
            folders.add(name)


def _file(worklist: Worklist, base: bytes, entity: Entity, files: set[bytes]) -> Iterator[Finding]:
    identifier = entity["@id"]
    name = _name(worklist, base, identifier)
    if name is None:
        yield _outside(identifier)
        return
    item = worklist.item(name)
    if item is None or item.kind is not Kind.FILE:
        yield error("rocrate-missing", "The crate describes a file that is not there.", _shown(identifier))
        return
    files.add(name)
    size = str(entity.get("contentSize", "")).strip()
    if size.isascii() and size.isdecimal() and size.lstrip("0") != str(item.size).lstrip("0"):
        yield warning("rocrate-size", f"It has {item.size} bytes; the crate says {size[:20]}.", _shown(identifier))
    if isinstance(claimed := entity.get("sha256"), str):
        try:
            worklist.claim([(name, Digest("sha256", claimed.strip().lower()), NAMES[0].decode(), 0)])
        except ValueError:
            yield warning("rocrate-digest", "What the crate says is no SHA-256 digest.", _shown(identifier))


def _name(worklist: Worklist, base: bytes, identifier: str) -> bytes | None:
    """The item that an identifier means: with %XX decoded, or as it is where that is there; None where it leads out."""
    decoded = _inside(base, unquote_to_bytes(identifier))
    plain = _inside(base, identifier.encode("utf-8", "replace"))
    if plain is None or (decoded is not None and worklist.item(decoded)):
        return decoded
    return plain if worklist.item(plain) else decoded


def _inside(base: bytes, path: bytes) -> bytes | None:
    """The name of a path in the crate; None where it leads out."""
    if path.startswith(b"/") or b".." in path.split(b"/"):
        return None
    name = posixpath.normpath(path)
    return base.rstrip(b"/") if name == b"." else base + name


def _is_folder(worklist: Worklist, name: bytes) -> bool:
    item = worklist.item(name)
    return item.kind is Kind.FOLDER if item else not name or any(worklist.names(name + b"/"))


def _outside(identifier: str) -> Finding:
    return error("rocrate-path", "The identifier leads out of the crate.", _shown(identifier))


def _shown(identifier: str) -> str:
    return escape_path(identifier[:1_000].encode("utf-8", "replace"))
