"""An OCFL object, or a storage root of them (OCFL 1.0 and 1.1), as a SIP: what it claims about the items listed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ingest import checks, ocfl_object
from ingest.finding import Finding, error, warning
from ingest.ocfl_inventory import SPECS
from ingest.worklist import Worklist
from storage.namemap import Kind
from storage.names import escape_path
from storage.ocfl import Inventory, from_members
from storage.ocfl_layout import Layout, layout

_OBJECT, _ROOT = b"0=ocfl_object_", b"0=ocfl_"
_LARGEST = 1 << 20  # bytes of a root's own files that are read


@dataclass(frozen=True, slots=True)
class Ocfl:
    """What was delivered: the package's own folder (b"" or ending in "/"), and the inventory of the object, None where
    it is a storage root, or where one cannot go by the inventory."""

    base: bytes
    is_root: bool
    inventory: Inventory | None = None
    spec: str = ""


def find_base(worklist: Worklist) -> bytes | None:
    """The folder that is an object or a storage root: the package itself (b"") or its only folder; None where it is
    neither. An object without declaration is one all the same, and an invalid one, when an inventory has a sidecar."""
    if _looks_like_ocfl(worklist, b""):
        return b""
    tops = worklist.children(b"")
    base = tops[0][0] + b"/" if len(tops) == 1 and tops[0][1] is Kind.FOLDER else b""
    return base if base and _looks_like_ocfl(worklist, base) else None


def read(worklist: Worklist, base: bytes) -> Ocfl:
    """Put the claims and findings of the object, or of every object in the storage root, on the worklist."""
    if not (declarations := _declarations(worklist, base)):
        found = ocfl_object.read(worklist, base)
        return Ocfl(base, False, from_members(found.members), found.spec) if found else Ocfl(base, False)
    objects, findings = read_root(worklist, base)
    worklist.tell(findings)
    arranged = _layout(worklist, base)
    for one in objects:
        inventory = ocfl_object.read(worklist, one)
        if inventory and arranged:
            worklist.tell(_placed(one.removeprefix(base), str(inventory.members["id"]), arranged))
        if inventory and inventory.spec > max(map(_spec, declarations)):
            worklist.tell([error("E081", "It is of a later version of OCFL than the root.", escape_path(one))])
    return Ocfl(base, True)


def read_root(worklist: Worklist, base: bytes) -> tuple[list[bytes], list[Finding]]:
    """The folders of the objects in a storage root, each ending in "/", and what is wrong outside them (§4); no object
    is looked into."""
    objects = list(_objects(worklist, base))
    findings = [
        *_declared(worklist, base, _declarations(worklist, base)),
        *ocfl_object.extensions(worklist, base, "E112", "W016"),
        *_hierarchy(worklist, base, set(objects)),
    ]
    return objects, findings


def _declarations(worklist: Worklist, base: bytes) -> list[bytes]:
    """The files that say that a folder is a storage root."""
    names = (name for name, kind in worklist.children(base) if kind is Kind.FILE)
    return [name for name in names if name.startswith(_ROOT) and not name.startswith(_OBJECT)]


def check(worklist: Worklist) -> Iterator[Finding]:
    """Yield what is altered or missing, once every file has been examined (§3.5.2, §3.5.4, §3.6)."""
    for path, algorithm, origin in checks.altered(worklist):
        yield error(_code(origin, path), f"Its {algorithm} digest is not the one in {origin}.", path)
    rows = worklist.select(
        "select c.name, c.origin from claims c left join items i on i.name = c.name and i.kind = 'file'"
        " where i.id is null"
    )
    for name, origin in rows:
        yield error(_code(origin, ""), f"It is not there; {origin} lists it.", escape_path(name))


def _code(origin: str, path: str) -> str:
    if origin.endswith(ocfl_object.FIXITY):
        return "E093"
    return "E092" if origin.endswith("inventory.json") else "E060"


def _looks_like_ocfl(worklist: Worklist, base: bytes) -> bool:
    names = {name for name, kind in worklist.children(base) if kind is Kind.FILE}
    sidecars = any(name.startswith(b"inventory.json.") for name in names)
    return (b"inventory.json" in names and sidecars) or any(name.startswith(_ROOT) for name in names)


def _spec(name: bytes) -> str:
    return name.removeprefix(_ROOT).decode("utf-8", "replace")


def _declared(worklist: Worklist, base: bytes, names: list[bytes]) -> Iterator[Finding]:
    """§4.2: exactly one file says which version of OCFL the root is of, in its name and in its text."""
    if len(names) > 1:
        yield error("E076", f"{len(names)} files declare which version of OCFL it is of: one has to.")
    for name in names:
        if _spec(name) not in SPECS:
            yield error("E079", "It names no version of OCFL that is known.", escape_path(base + name))
        elif worklist.read(base + name, _LARGEST) != name[2:] + b"\n":
            yield error("E080", "Its text is not what its name says.", escape_path(base + name))


def _layout(worklist: Worklist, base: bytes) -> Layout | None:
    """The layout that the root names, where it is one that we know."""
    name = base + b"ocfl_layout.json"
    if (data := worklist.read(name, _LARGEST)) is None:
        return None
    try:
        said = json.loads(data)
        extension = said["extension"]
        if not isinstance(said["description"], str) or not isinstance(extension, str):
            raise TypeError("they are no text")
        config = worklist.read(base + f"extensions/{extension}/config.json".encode(), _LARGEST)
        return layout(extension, json.loads(config or b"{}"))
    except (ValueError, KeyError, TypeError, RecursionError) as failure:
        known = isinstance(failure, ValueError) and not isinstance(failure, json.JSONDecodeError | UnicodeDecodeError)
        told = (
            warning("E071", f"Where objects belong was not checked: {failure}.", escape_path(name)) if known
            else error("E070", f"It has to name extension and description ({failure}).", escape_path(name))
        )  # fmt: skip
        worklist.tell([told])
    return None


def _placed(path: bytes, identifier: str, arranged: Layout) -> Iterator[Finding]:
    try:
        wanted = arranged.path(identifier)
    except ValueError as failure:
        wanted = str(failure)
    if path.rstrip(b"/") != wanted.encode():
        yield error("E083", f"By the root's layout, the object {identifier} belongs to {wanted}.", escape_path(path))


def _objects(worklist: Worklist, base: bytes) -> Iterator[bytes]:
    """Yield the folders that declare an object, but for those that lie inside another one."""
    last = extensions = base + b"extensions/"
    for name, kind in worklist.below(base):
        folder, _, own = name.rpartition(b"/")
        if kind is Kind.FILE and own.startswith(_OBJECT) and not name.startswith((last, extensions)):
            last = folder + b"/"
            yield last


def _hierarchy(worklist: Worklist, base: bytes, objects: set[bytes]) -> Iterator[Finding]:
    """§4.1, §4.3: nothing lies between the root and its objects but folders that lead to one."""
    last = extensions = base + b"extensions/"
    for name, kind in worklist.below(base):
        if name.startswith((last, extensions)):
            continue
        if within := next((folder for folder in _folders(name) if folder in objects), None):
            last = within
        elif kind is Kind.LINK:
            yield error("E090", "It is a symbolic link.", escape_path(name))
        elif kind is Kind.FILE and b"/" in name.removeprefix(base):
            yield error("E072", "It is not part of an object.", escape_path(name))
    for name in worklist.empty_folders(base):
        if not any(folder in objects for folder in _folders(name + b"/")):
            yield error("E073", "It is empty.", escape_path(name))


def _folders(name: bytes) -> Iterator[bytes]:
    """The folders on the way to a name, innermost first, each ending in "/"."""
    while (cut := name.rfind(b"/")) >= 0:
        name = name[:cut]
        yield name + b"/"
