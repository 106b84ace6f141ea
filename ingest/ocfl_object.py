"""One OCFL object among the items of a delivery (OCFL 1.1 §3): its folders and inventories, and what they claim."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ingest import ocfl_inventory
from ingest.finding import Finding, error, warning
from ingest.ocfl_inventory import SPECS, Examined
from ingest.worklist import Worklist
from storage.digest import Digest
from storage.namemap import Kind
from storage.names import escape_path

FIXITY = " fixity"  # how the origin of a claim ends that comes from an inventory's fixity block
_INVENTORY = b"inventory.json"
_LARGEST = 1 << 30  # bytes of an inventory that is read; one of a million files has half a gigabyte
_SIDECAR = re.compile(rb"(\w+)[ \t]+inventory\.json\s*")
_EXTENSION = re.compile(rb"\d{4}-[a-z0-9-]+|initial")  # how registered names are made; the registry grows


def read(worklist: Worklist, base: bytes) -> Examined | None:
    """Put an object's claims and findings on the worklist; return its root inventory where it goes by one.

    `base` is the object's folder: b"" or ending in "/".
    """
    return _Object(worklist, base).read()


def extensions(worklist: Worklist, base: bytes, code: str, advice: str) -> Iterator[Finding]:
    """Yield what does not belong in a folder `extensions` (§3.9, §4.4), by the codes of object or root."""
    for name, kind in worklist.children(base + b"extensions/"):
        shown = escape_path(base + b"extensions/" + name)
        if kind is not Kind.FOLDER:
            yield error(code, "Only folders of extensions may be here.", shown)
        elif not _EXTENSION.fullmatch(name):
            yield warning(advice, "It has no name of a registered extension.", shown)


class _Object:
    def __init__(self, worklist: Worklist, base: bytes) -> None:
        self.worklist, self.base = worklist, base
        self.children = dict(worklist.children(base))

    def read(self) -> Examined | None:
        root = self._inventory(b"", self._declared())
        if root is None:
            self._error("E063", "There is no inventory.json.")
            return None
        self._root_folder(root)
        if root.versions:
            self._versions(root)
        return root if root.sound else None

    def _declared(self) -> str:
        """§3.2: exactly one file says which version of OCFL the object is of, in its name and in its text; "" where
        none does."""
        names = [name for name, kind in self.children.items() if name.startswith(b"0=") and kind is Kind.FILE]
        if len(names) != 1:
            self._error("E003", f"{len(names) or 'No'} files declare which version of OCFL it is of: one has to.")
        for name in names:
            if name.removeprefix(b"0=ocfl_object_").decode("utf-8", "replace") not in SPECS:
                self._error("E006", "It names no version of OCFL that is known.", name)
            elif self._bytes(name) != name[2:] + b"\n":
                self._error("E007", "Its text is not what its name says.", name)
        declared = [spec for spec in SPECS if f"0=ocfl_object_{spec}".encode() in names]
        return max(declared, default="")

    def _inventory(self, folder: bytes, spec: str) -> Examined | None:
        """Read the inventory of the object or of a version's folder, with its sidecar (§3.6); None where there is none.

        `spec` is the version that it has to be of, "" for any.
        """
        name = folder + _INVENTORY
        if (data := self._bytes(name)) is None:
            return None
        read, findings = ocfl_inventory.examine(data, spec, self._shown(name))
        self.worklist.tell(findings)
        self._sidecar(name, read.algorithm)
        if read.sound:
            origin = escape_path(name)
            self._claim(read.members["manifest"], read.algorithm, origin)
            for algorithm, block in read.members.get("fixity", {}).items():
                self._claim(block, algorithm, origin + FIXITY)
        return read

    def _sidecar(self, inventory: bytes, algorithm: str) -> None:
        name = inventory + b"." + algorithm.encode()
        if (data := self._bytes(name)) is None:
            self._error("E058", f"It has no sidecar {escape_path(name)}.", inventory)
        elif (said := _SIDECAR.fullmatch(data)) is None:
            self._error("E061", "It is not a digest, blanks and the inventory's name.", name)
        else:
            try:
                digest = Digest(algorithm, said[1].decode().lower())
            except ValueError:
                self._error("E060", f"It holds no digest of {algorithm}.", name)
            else:
                self.worklist.claim([(self.base + inventory, digest, escape_path(name), 1)])

    def _claim(self, block: Mapping[str, Any], algorithm: str, origin: str) -> None:
        self.worklist.claim(
            (self.base + path.encode(), Digest(algorithm, digest.lower()), origin, 1)
            for digest, paths in block.items()
            for path in paths
        )

    def _root_folder(self, root: Examined) -> None:
        """§3.1: nothing but declarations, the inventory and its sidecar, versions, logs and extensions."""
        files = {_INVENTORY, _INVENTORY + b"." + root.algorithm.encode()}
        folders = {b"logs", b"extensions", *(name.encode() for name in root.versions)}
        for name, kind in self.children.items():
            if kind is Kind.FOLDER and re.fullmatch(rb"v\d+", name) and name not in folders:
                self._error("E046", "The inventory knows no such version.", name)
            elif name not in (folders if kind is Kind.FOLDER else files) and not name.startswith(b"0="):
                self._error("E001", "It does not belong into an object.", name)
        self.worklist.tell(extensions(self.worklist, self.base, "E067", "W013"))
        for name, kind in self.worklist.below(self.base):
            if kind is Kind.LINK:
                self.worklist.tell([error("E090", "It is a symbolic link.", escape_path(name))])

    def _versions(self, root: Examined) -> None:
        """§3.3 and §3.7: the folder of each version, with the inventory that it should have."""
        read = [(name.encode(), self._version(name.encode(), root)) for name in root.versions]
        self._same_as_root(read[-1][0], root)
        told = [(name, inventory) for name, inventory in read if inventory]
        for name, inventory in told[:-1] if told and told[-1][0] == read[-1][0] else told:
            self.worklist.tell(root.before(inventory, self._shown(name + b"/" + _INVENTORY)))
            self._unlisted(inventory, root.versions[: len(inventory.versions)], name + b"/" + _INVENTORY)
        self._unlisted(root, root.versions, _INVENTORY)
        self._agree([*told, (b"", root)])

    def _version(self, name: bytes, root: Examined) -> Examined | None:
        found = dict(self.worklist.children(self.base + name + b"/"))
        if not found and name not in self.children:
            self._error("E046", "There is no such folder.", name)
            return None
        inventory = self._inventory(name + b"/", "")
        if inventory is None:
            self._warning("W010", "It should have an inventory.", name)
        elif inventory.members.get("head") != name.decode():
            self._error("E040", "Its head is another version than that of its folder.", name + b"/" + _INVENTORY)
        self._version_folder(name, found, inventory or root)
        return inventory

    def _version_folder(self, name: bytes, found: Mapping[bytes, Kind], inventory: Examined) -> None:
        content = inventory.content.encode()
        files = (_INVENTORY, _INVENTORY + b"." + inventory.algorithm.encode())
        for inner, kind in found.items():
            path = name + b"/" + inner
            if kind is not Kind.FOLDER and inner not in files:
                self._error("E015", "Only inventory and sidecar may be in the folder of a version.", path)
            elif kind is Kind.FOLDER and inner != content:
                self._warning("W002", "Only the content folder should be in the folder of a version.", path)
            elif kind is Kind.FOLDER and not any(self.worklist.names(self.base + path + b"/")):
                self._warning("W003", "It is there and holds nothing.", path)
        for empty in self.worklist.empty_folders(self.base + name + b"/" + content + b"/"):
            self._error("E024", "It is empty.", empty.removeprefix(self.base))

    def _same_as_root(self, last: bytes, root: Examined) -> None:
        data = self._bytes(last + b"/" + _INVENTORY)
        if data not in (None, self._bytes(_INVENTORY)):
            self._error("E064", "It is not the same as the object's own inventory.", last + b"/" + _INVENTORY)

    def _unlisted(self, inventory: Examined, versions: list[str], name: bytes) -> None:
        """Content that an inventory of that time has to list (§3.3.1)."""
        if not inventory.sound:
            return
        listed = {path.encode() for paths in inventory.members["manifest"].values() for path in paths}
        for version in versions:
            folder = f"{version}/{inventory.content}/".encode()
            for found in self.worklist.names(self.base + folder):
                if found.removeprefix(self.base) not in listed:
                    self.worklist.tell([error("E023", f"{escape_path(name)} does not list it.", escape_path(found))])

    def _agree(self, told: list[tuple[bytes, Examined]]) -> None:
        """What may not change from version to version; the object's own inventory comes last."""
        first = told[0][1].members
        for (_, before), (name, inventory) in pairwise(told):
            members, path = inventory.members, name + b"/" * bool(name) + _INVENTORY
            if members.get("id") != first.get("id"):
                self._error("E037", "Its id is another than in the first version.", path)
            if members.get("contentDirectory") != first.get("contentDirectory"):
                self._error("E019", "Its contentDirectory is not set as in the first version.", path)
            if inventory.content != before.content:
                self._error("E020", "Its contentDirectory is another than before.", path)
            if inventory.spec < before.spec:
                self._error("E103", f"It is of OCFL {inventory.spec}, an earlier version of {before.spec}.", path)

    def _bytes(self, name: bytes) -> bytes | None:
        return self.worklist.read(self.base + name, _LARGEST)

    def _shown(self, name: bytes = b"") -> str:
        return escape_path((self.base + name).removesuffix(b"/"))

    def _error(self, code: str, message: str, name: bytes = b"") -> None:
        self.worklist.tell([error(code, message, self._shown(name))])

    def _warning(self, code: str, message: str, name: bytes = b"") -> None:
        self.worklist.tell([warning(code, message, self._shown(name))])
