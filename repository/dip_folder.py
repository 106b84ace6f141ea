"""A DIP as a plain folder: the tree as it came, names, modes, links, empty folders and times, byte for byte."""

from __future__ import annotations

import os
from contextlib import suppress

from repository.dip import Out
from repository.tree import Tree, tree
from storage.aip import Record
from storage.namemap import Kind, Named


def write(out: Out, record: Record) -> None:
    """Write files and folders, then links (nothing is written through one), then modes and times from inside out."""
    with tree(out.vault, record) as found:
        _write_files(out, found)
        _write_links(out, found)
        for item, _ in found.entries(backwards=True):
            _dress(out.path(item.name), item)


def _write_files(out: Out, found: Tree) -> None:
    for item, digest in found.entries():
        if digest:
            out.blob(digest, item.name)
        elif item.kind is Kind.FOLDER:
            os.makedirs(out.path(item.name), exist_ok=True)


def _write_links(out: Out, found: Tree) -> None:
    for item, _ in found.entries():
        if item.kind is Kind.LINK:
            target = out.path(item.name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(item.target, target)


def _dress(path: bytes, item: Named) -> None:
    """Give back mode and time; never set-uid, set-gid or sticky bits."""
    link = item.kind is Kind.LINK
    if item.mode is not None and not link:
        os.chmod(path, item.mode & 0o777)
    if item.mtime is not None:
        with suppress(OverflowError):  # a time that this system cannot express
            os.utime(path, ns=(item.mtime, item.mtime), follow_symlinks=not link)
