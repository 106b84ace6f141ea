"""What a path in a producer's list may mean, pure: producers start paths from different folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Starts:
    """The folders, each ending in "/" or b"", from which the paths of a list may go; `own` is the package's name."""

    folders: tuple[bytes, ...]
    own: bytes

    @classmethod
    def of(cls, base: bytes, name: bytes, own: bytes) -> Starts:
        """Of the list `name` in a package whose top is the folder `base`: from the top; from beside the list; from
        `objects`, as Archivematica's lists in `metadata` do."""
        beside = folder_of(name)
        objects = (base + b"objects/",) if beside == base + b"metadata/" else ()
        return cls(tuple(dict.fromkeys((base, b"", beside, *objects))), own)

    def meanings(self, path: bytes) -> Iterator[bytes]:
        """The names that a path may mean, the likeliest first, b"" for the whole; none that leads out of the package.

        A "\\" may separate folders, as on Windows.
        """
        for written in dict.fromkeys((path, path.lstrip(), path.replace(b"\\", b"/"))):
            below_own = written.removeprefix(b"./").removeprefix(self.own + b"/")
            for text in dict.fromkeys((written, below_own)):
                names = (_normal(folder, text) for folder in self.folders)
                yield from (name for name in names if name is not None)


def folder_of(name: bytes) -> bytes:
    """The folder that an item lies in, ending in "/"; b"" at the top."""
    return name[: name.rfind(b"/") + 1]


def _normal(folder: bytes, path: bytes) -> bytes | None:
    """The name of an item, without "." and ".."; None where it leads out of the package."""
    parts: list[bytes] = []
    if path.startswith(b"/"):
        return None
    for part in (folder + path).split(b"/"):
        if part == b".." and not parts:
            return None
        if part == b"..":
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)
