"""Whether a package is as it was when it was listed: a folder by names, kinds, sizes and times, an archive by bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest import folder
from ingest.cancelling import unheeded
from ingest.finding import Finding, error
from ingest.item import Item
from ingest.source import open_source
from storage.digest import Digest, Hashing
from storage.namemap import Kind
from storage.names import escape, escape_path
from storage.receive import chunks

if TYPE_CHECKING:
    from ingest.sip import Sip
    from ingest.worklist import Worklist

HEED = 1_000  # items that are listed between two looks at whether to stop


@dataclass(frozen=True, slots=True)
class Container:
    """The archive that a package came in: its own name, SHA-256 and bytes."""

    name: str
    digest: Digest
    size: int


def container(raw: bytes, heed: Callable[[], None] = unheeded) -> Container:
    """Read an archive; `heed` is called now and then. Raises OSError."""
    hashing = Hashing()
    with open_source(os.path.realpath(raw)) as stream:
        for part in chunks(stream):
            hashing.feed(part)
            heed()
    return Container(escape(own_name(raw)), hashing.digest(), hashing.size)


def own_name(raw: bytes) -> bytes:
    return os.path.basename(os.path.abspath(raw))


def hashed(found: Iterable[Item | Finding], hashing: Hashing) -> Iterator[Item | Finding]:
    """The same, each fed to the hashing as it comes by."""
    for one in found:
        hashing.feed(_told(one) if isinstance(one, Item) else repr(one).encode())
        yield one


def looked_at(raw: bytes, *, packed: bool, heed: Callable[[], None]) -> Container | Digest | None:
    """The package once more, to be held against how it was listed; None of an archive that cannot be read any more.
    `heed` is called now and then, and raises where that has to stop."""
    if packed:
        with suppress(OSError):
            return container(raw, heed)
        return None
    hashing = Hashing()
    for number, _ in enumerate(hashed(folder.walk(raw), hashing)):
        if not number % HEED:
            heed()
    return hashing.digest()


def unchanged(sip: Sip, worklist: Worklist, found: Container | Digest | None) -> Iterator[Finding]:
    """Yield what came, went or changed in the producer's package since it was listed; `found` is what was looked at."""
    if found == (sip.container or sip.listing):
        return
    if sip.container:
        yield error("source-changed", "The package changed while it was being taken in.")
    else:
        yield from _changed(sip.path, worklist)


def _changed(raw: bytes, worklist: Worklist) -> Iterator[Finding]:
    """Yield what came, went or changed in a folder since it was listed, in which something did."""
    found = _changes(raw, worklist)
    went = error("source-changed", "Something went away or came while the package was being taken in.")
    yield next(found, went)
    yield from found


def _changes(raw: bytes, worklist: Worklist) -> Iterator[Finding]:
    """Yield which items are not as on the worklist; devices and what cannot be read are on none."""
    for item in folder.walk(raw):
        if isinstance(item, Finding):
            continue
        listed = worklist.item(item.name)
        if listed is None:
            yield error("source-changed", "It came while the package was being taken in.", escape_path(item.name))
        elif _told(listed) != _told(item):
            yield error("source-changed", "It changed while the package was being taken in.", escape_path(item.name))


def _told(item: Item) -> bytes:
    """What must stay as it was listed: a folder's time of modification tells nothing that its items do not. Names have
    no NUL."""
    mtime = 0 if item.kind is Kind.FOLDER else item.mtime or 0
    return b"%b\0%b\0%d\0%b\0%d\0\n" % (item.name, item.kind.encode(), item.size, item.target, mtime)
