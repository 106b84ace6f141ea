"""A DIP as a plain folder: the tree as it came, names, modes, links, empty folders and times, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Iterator

from repository import dip_told
from repository.dip import Out
from repository.dip_contents import Content, dress
from repository.tree import Tree, tree
from storage.aip import Record
from storage.namemap import Kind


def write(out: Out, record: Record) -> None:
    """Write folders and files, then links (nothing is written through one), then modes and times from inside out;
    what is not in it under its own name is among the findings."""
    with tree(out.vault, record) as found:
        for item, _ in found.entries(Kind.FOLDER):
            os.makedirs(out.path(item.name), exist_ok=True)
        out.blobs(_contents(found), record.files, record.size)
        _write_links(out, found)
        for item, _ in found.entries(Kind.FOLDER, backwards=True):
            dress(out.path(item.name), item.mode, item.mtime)
        out.findings = dip_told.findings(found)


def _contents(found: Tree) -> Iterator[Content]:
    for item, digest in found.entries(Kind.FILE):
        if digest:
            yield Content(digest, item.name, item.mode, item.mtime)


def _write_links(out: Out, found: Tree) -> None:
    """What lies deeper comes first, so that no link is written through another, whatever the map of names says."""
    for item, _ in found.entries(Kind.LINK, backwards=True):
        target = out.path(item.name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(item.target, target)
        dress(target, None, item.mtime)
