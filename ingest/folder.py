"""A folder of the producer's, listed and never changed: links are kept as links, special files are told."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from ingest.finding import Finding, error
from ingest.item import Item
from storage.namemap import Kind
from storage.names import escape_path


def walk(root: bytes) -> Iterator[Item | Finding]:
    """Yield every file, folder and link below `root` (not itself), folders before what is in them; what cannot be
    listed, and what is neither (devices, pipes, sockets), as findings."""
    start = os.path.join(root, b"")
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            names = sorted(os.listdir(start + folder))
        except OSError as failure:
            yield error("folder-unreadable", f"It cannot be listed: {failure.strerror}.", escape_path(folder))
            continue
        for name in names:
            item = _item(start, folder + b"/" + name if folder else name)
            yield item
            if isinstance(item, Item) and item.kind is Kind.FOLDER:
                waiting.append(item.name)


def _item(start: bytes, name: bytes) -> Item | Finding:
    source = start + name
    try:
        facts = os.lstat(source)
        target = os.readlink(source) if stat.S_ISLNK(facts.st_mode) else b""
    except OSError as failure:
        return error("file-unreadable", f"It cannot be looked at: {failure.strerror}.", escape_path(name))
    kind = _KINDS.get(stat.S_IFMT(facts.st_mode))
    if kind is None:
        return special(name)
    return Item(
        kind=kind,
        name=name,
        source=source,
        size=facts.st_size if kind is Kind.FILE else 0,
        mode=stat.S_IMODE(facts.st_mode),
        mtime=facts.st_mtime_ns,
        target=target,
        watched=True,
    )


def special(name: bytes) -> Finding:
    return error("special-file", "It is a device, a pipe or a socket, which has no content.", escape_path(name))


_KINDS = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.FOLDER, stat.S_IFLNK: Kind.LINK}
