"""7z files, read by py7zr in the sandbox: what they claim is held against the limits before a byte is unpacked."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ingest import member
from ingest.finding import Finding, error
from ingest.heard import opened
from ingest.item import Item
from ingest.sandbox import Limits, ending, run
from ingest.unpack import Unpacking
from storage.durable import told
from storage.namemap import Kind
from storage.names import escape_path

TOOL: Final = Path(__file__).with_name("unpack_7z_child.py")
_EPOCH = 116_444_736_000_000_000  # 1970 in Windows' count: 100 ns since 1601
_LONGEST = 1 << 20  # bytes of a line of the listing; a name of 65,536 characters has less


class _NotListed(Exception):
    """What the child has left is not a list of members."""


class _Claimed(NamedTuple):
    """A member as the archive has it; `time` as Windows counts it."""

    kind: str
    name: bytes
    size: int
    mode: int | None
    time: int | None


def unpack(path: Path, unpacking: Unpacking) -> Iterator[Item | Finding]:
    """Yield the members in the archive's order; a member that cannot be taken, or a broken archive, as a finding.

    Raises TooMuch or NoRoom. py7zr unpacks as many bytes of a member as the archive claims, never more, so the claims
    are what is counted. Names are UTF-16 in the archive and UTF-8 here.
    """
    if broken := _asked("list", path, unpacking.folder, unpacking.packed):
        yield broken
        return
    try:
        size = _counted(unpacking)
        if broken := _asked("unpack", path, unpacking.folder, size):
            yield broken
            return
        yield from _members(unpacking.folder)
    except _NotListed:
        yield error("7z-damaged", "The 7z file cannot be read: what it holds was not listed.")


def _members(folder: Path) -> Iterator[Item | Finding]:
    for position, claimed in enumerate(_listing(folder)):
        name = member.tidy(claimed.name)
        if name or claimed.kind != "folder":
            yield member.refusal(name) or _item(claimed, name, folder / f"{position:08d}")


def _asked(verb: str, path: Path, folder: Path, size: int) -> Finding | None:
    """Run the tool in the folder, for a time that so many bytes may take; return what is wrong with the archive."""
    limits = Limits(seconds=120 + (size >> 20), cpu=60 + (size >> 20), file=max(size, 1 << 30))
    command = [sys.executable, "-I", "-B", str(TOOL), verb, str(path.absolute())]
    ran = run(command, folder, limits)
    if ran.exit == 0:
        return None
    said = ran.errors.decode("utf-8", "replace").strip()
    if said == "full":
        with told(str(folder)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if said == "memory":
        return error("7z-damaged", f"The 7z file cannot be read: it needs more than {limits.memory} bytes of memory.")
    return _REFUSED.get(said) or error("7z-damaged", f"The 7z file cannot be read: {ending(ran, limits)}.")


_REFUSED = {
    "encrypted": error("7z-encrypted", "It is encrypted; ask the producer for the plain files."),
    "unsupported": error("7z-unsupported", "It is packed by a method not known here: unpack it, deliver the folder."),
}


def _counted(unpacking: Unpacking) -> int:
    """Hold what the archive claims against the limits; return its bytes; raise TooMuch or _NotListed."""
    for claimed in _listing(unpacking.folder):
        unpacking.entry()
        if claimed.kind == "file":
            unpacking.member()  # for the count: a member's file has its number in the archive
        unpacking.count(claimed.size)
    return unpacking.size


def _listing(folder: Path) -> Iterator[_Claimed]:
    """Yield what the child has listed; raise _NotListed for what it would not write by itself: an archive may have
    taken it over."""
    try:
        with opened(folder / "listing") as file:
            while line := file.readline(_LONGEST):
                yield _claimed(json.loads(line))
    except (OSError, ValueError, RecursionError) as failure:
        raise _NotListed from failure


def _claimed(said: object) -> _Claimed:
    match said:
        case {
            "kind": "folder" | "file" | "link" | "special" as kind, "name": str(name), "size": int(size),
            "mode": int() | None as mode, "time": int() | None as time,
        } if size >= 0 and (mode or 0) in range(1 << 16) and (time or 0) in range(1 << 64):  # fmt: skip
            return _Claimed(kind, name.encode(), size, mode, time)
    raise ValueError("not a member")


def _item(claimed: _Claimed, name: bytes, source: Path) -> Item | Finding:
    found = Item(kind=Kind.FOLDER, name=name, mode=claimed.mode, mtime=_modified(claimed.time))
    if claimed.kind == "special":
        return member.special(name)
    if claimed.kind == "folder":
        return error("path-invalid", "A folder has bytes.", escape_path(name)) if claimed.size else found
    if not _is_whole(source, claimed.size):
        return error("7z-damaged", "It was not unpacked.", escape_path(name))
    if claimed.kind == "link":
        with source.open("rb") as stream:
            link = stream.read(member.LONGEST_PATH + 1)
        return member.link_refusal(name, link) or found._replace(kind=Kind.LINK, target=link)
    return found._replace(kind=Kind.FILE, source=bytes(source), size=claimed.size)


def _is_whole(source: Path, size: int) -> bool:
    try:
        facts = source.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_size == size


def _modified(time: int | None) -> int | None:
    """Nanoseconds since 1970."""
    return None if time is None else (time - _EPOCH) * 100
