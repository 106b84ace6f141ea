"""An OCFL storage root in a local folder (OCFL 1.1 §4): what it declares, where its objects lie, what they say."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage import ocfl
from storage.digest import sha256
from storage.durable import told
from storage.errors import Damaged, NotOcfl
from storage.ocfl import Inventory
from storage.ocfl_layout import OURS, Layout, layout

EXTENSIONS = "extensions"


@dataclass(frozen=True, slots=True)
class Root:
    """A root's folder, and how the objects in it are arranged."""

    folder: Path
    layout: Layout

    def place(self, identifier: str) -> Path:
        """The folder of an object; raise NotOcfl where the layout has no place for it."""
        try:
            return self.folder / self.layout.path(identifier)
        except ValueError as error:
            raise NotOcfl(str(self.folder), str(error)) from error

    def objects(self) -> Iterator[Path]:
        """Yield the folder of each object, in the order of paths; links are not followed. Raises Unreachable."""
        with told(str(self.folder)):
            yield from _objects(self.folder)


def founding_files(about: str) -> Mapping[str, bytes]:
    """What makes an empty folder a storage root, by path, its declaration last; `about` describes it to people."""
    said = {"extension": OURS.name, "description": about}
    return {
        f"{EXTENSIONS}/{OURS.name}/config.json": _json(OURS.config),
        ocfl.LAYOUT: _json(said),
        ocfl.ROOT: ocfl.declaration(ocfl.ROOT),
    }


def open_root(folder: Path) -> Root:
    """Know a root by its declaration and layout; raise NotOcfl where we cannot tell where an object would belong."""
    with told(str(folder)):
        if not _declares(folder, ocfl.ROOT):
            raise NotOcfl(str(folder), f"it is no OCFL storage root of version {ocfl.SPEC}")
        try:
            name = str(json.loads(_bytes(folder / ocfl.LAYOUT))["extension"])
            found = layout(name, _config(folder, name))
        except FileNotFoundError as error:
            raise NotOcfl(str(folder), f"it has no {ocfl.LAYOUT}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise NotOcfl(str(folder), str(error)) from error
    return Root(folder, found)


def read_object(folder: Path) -> Inventory:
    """An object's inventory, held against its sidecar; raise NotOcfl for one of another kind than we write, Damaged
    where the digest is another."""
    with told(str(folder)):
        if not _declares(folder, ocfl.OBJECT):
            raise NotOcfl(str(folder), f"it is no OCFL object of version {ocfl.SPEC}")
        try:
            data = _bytes(folder / ocfl.INVENTORY)
            claimed = _bytes(folder / ocfl.SIDECAR).split()[:1]
        except FileNotFoundError as error:
            raise NotOcfl(str(folder), f"{os.path.basename(error.filename)} is missing") from error
    if claimed != [(found := sha256(data)).hexadecimal.encode()]:
        raise Damaged(str(folder / ocfl.INVENTORY), None, found)
    try:
        return ocfl.parse(data)
    except ValueError as error:
        raise NotOcfl(str(folder), f"its inventory cannot be used: {error}") from error


def _bytes(path: Path) -> bytes:
    """A small file of somebody's root; raise NotOcfl for what is none, such as a pipe that nobody writes to."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NotOcfl(str(path), "it is not a regular file")
        return file.read()


def _declares(folder: Path, name: str) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError):
        return _bytes(folder / name) == ocfl.declaration(name)
    return False


def _config(folder: Path, name: str) -> Mapping[str, object]:
    with suppress(FileNotFoundError):
        config = json.loads(_bytes(folder / EXTENSIONS / name / "config.json"))
        if not isinstance(config, dict):
            raise ValueError("its layout's config.json is no object")
        return config
    return {}


def _objects(folder: Path, top: bool = True) -> Iterator[Path]:
    with os.scandir(folder) as found:
        names = sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
    for name in names:
        if top and (name == EXTENSIONS or name.startswith(".")):
            continue
        inner = folder / name
        if any(inner.glob("0=ocfl_object_*")):
            yield inner
        else:
            yield from _objects(inner, top=False)


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"
