"""Files that the vault holds, identified again: a worker's part of a drift report.

Each file's first and last bytes are read from the first copy that answers. Whether they are still the right ones is the
audit's business.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from ingest.identify import HEAD, Identifier, Sample
from storage import layout
from storage.digest import Digest
from storage.errors import StorageError
from storage.store import Opens


@dataclass(frozen=True, slots=True)
class Held:
    """A file to look at again, as it is on record; `settled` where an officer has said what it is, and that stands."""

    aip: str
    accession: str
    path: str
    name: bytes
    digest: Digest
    puids: Sequence[str]
    basis: str
    settled: bool


@dataclass(frozen=True, slots=True)
class Drifted:
    """What a file is on record as, and what it would be; `error` says why it could not be read. What an officer has
    said stands: it would stay."""

    aip: str
    accession: str
    path: str
    was: Sequence[str]
    would_be: Sequence[str]
    basis: str
    error: str = ""

    @property
    def changed(self) -> bool:
        """Whether it would be of other formats, whatever their order."""
        return not self.error and set(self.was) != set(self.would_be)


def identified_again(
    stores: Sequence[Opens], identifier: Callable[[], Identifier], files: Sequence[Held]
) -> list[Drifted]:
    """Return what each file would be, in their order."""
    return [_one(stores, identifier, file) for file in files]


def _one(stores: Sequence[Opens], identifier: Callable[[], Identifier], file: Held) -> Drifted:
    if file.settled:
        return Drifted(file.aip, file.accession, file.path, file.puids, file.puids, file.basis)
    why = ""
    for store in stores:
        try:
            found = identifier().identify(_sample(store, file))
            return Drifted(file.aip, file.accession, file.path, file.puids, found.puids, found.basis.value)
        except StorageError as error:
            why = why or str(error)
        except OSError as error:
            why = why or error.strerror or str(error)
    return Drifted(file.aip, file.accession, file.path, file.puids, (), "", why)


def _sample(store: Opens, file: Held) -> Sample:
    key = layout.blob_key(file.digest)
    with store.open(key) as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        head = _first(stream, HEAD)
        tail = head
        if size > HEAD:
            stream.seek(size - HEAD)
            tail = _first(stream, HEAD)
    return Sample(file.name, size, head, tail, partial(store.open, key))


def _first(stream: BinaryIO, wanted: int) -> bytes:
    """So many bytes, or all that there are: a raw stream may give fewer at once."""
    parts: list[bytes] = []
    while wanted > 0 and (data := stream.read(wanted)):
        parts.append(data)
        wanted -= len(data)
    return b"".join(parts)
