"""Names of archive members, pure: what would leave the package, or write through something, is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from ingest.finding import Finding, error
from storage.namemap import Kind
from storage.names import escape_path

_DRIVE = re.compile(rb"[A-Za-z]:[/\\]")
_SEPARATORS = re.compile(rb"[/\\]")
LONGEST_NAME, LONGEST_PATH = 255, 4096  # bytes: beyond them no Linux file system could give the tree back
_REMEMBERED = 10_000  # folders: members mostly come folder by folder


def tidy(name: bytes) -> bytes:
    """A member's name without "./" before it and "/" behind it, as archivers write folders."""
    name = name.rstrip(b"/") if name.strip(b"/") else name
    while name.startswith(b"./"):
        name = name[2:].lstrip(b"/")
    return b"" if name == b"." else name


def refusal(name: bytes) -> Finding | None:
    """Why a member of that name is not taken; None where it stays inside the package (either separator)."""
    parts = name.split(b"/")
    if name.startswith((b"/", b"\\")) or _DRIVE.match(name) or b".." in _SEPARATORS.split(name):
        return error("path-leaves-package", "The name leads out of the package.", escape_path(name))
    if b"\0" in name or b"" in parts or b"." in parts:
        return error("path-invalid", "The name has an empty or a meaningless part.", escape_path(name))
    if len(name) > LONGEST_PATH or max(map(len, parts)) > LONGEST_NAME:
        return error("path-too-long", "No file system could hold the name.", escape_path(name[:LONGEST_PATH]))
    return None


def link_refusal(name: bytes, target: bytes) -> Finding | None:
    """Why a symbolic link is not taken; None where a file system could hold it."""
    if target and b"\0" not in target and len(target) < LONGEST_PATH:
        return None
    return error("link-invalid", "No file system could hold what it points to.", escape_path(name))


def special(name: bytes) -> Finding:
    """What is said of a member that is neither file nor folder nor link."""
    return error("special-file", "It is a device or a pipe, which has no content.", escape_path(name))


def crossings(names: Iterable[bytes], solid: Callable[[bytes], Kind | None]) -> Iterator[Finding]:
    """Yield a finding for each item whose path goes through a file or a link.

    `solid` tells what the item of a path is that nothing can lie in, None where there is no such item.
    """
    asked = lru_cache(_REMEMBERED)(solid)
    for name in names:
        if kind := next(filter(None, map(asked, above(name))), None):
            yield error("path-through-" + kind, f"Its path goes through a {kind}.", escape_path(name))


def above(name: bytes) -> Iterator[bytes]:
    """The folders that an item lies in, the innermost first."""
    end = name.rfind(b"/")
    while end > 0:
        yield name[:end]
        end = name.rfind(b"/", 0, end)
