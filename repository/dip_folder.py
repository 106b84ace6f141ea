"""A DIP as a plain folder: the tree as it came, names, modes, links, empty folders and times, byte for byte."""

from __future__ import annotations

import os

from repository.dip import Out, names
from storage.aip import Record
from storage.namemap import Kind, Named


def write(out: Out, record: Record) -> None:
    """Write files and folders, then links (nothing is written through one), then modes and times from inside out."""
    links: list[Named] = []
    dressed: list[Named] = []
    for item, digest in names(out.vault, record):
        dressed.append(item)
        if item.kind is Kind.LINK:
            links.append(item)
        elif digest:
            out.blob(digest, item.name)
        else:
            os.makedirs(out.path(item.name), exist_ok=True)
    for item in links:
        target = out.path(item.name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(item.target, target)
    for item in sorted(dressed, key=lambda item: item.name, reverse=True):
        _dress(out.path(item.name), item)


def _dress(path: bytes, item: Named) -> None:
    """Give back mode and time; never set-uid, set-gid or sticky bits."""
    link = item.kind is Kind.LINK
    if item.mode is not None and not link:
        os.chmod(path, item.mode & 0o777)
    if item.mtime is not None:
        os.utime(path, ns=(item.mtime, item.mtime), follow_symlinks=not link)
