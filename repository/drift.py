"""What in the holdings would be identified otherwise today: a report, which changes nothing.

Each file's first and last bytes are read again from the first copy that answers, as at ingest. Whether they are still
the right ones is the audit's business.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from ingest.identify import HEAD, Identifier, Sample
from repository.catalogue import Catalogue
from repository.corrections import OFFICER
from storage import layout
from storage.digest import Digest
from storage.errors import StorageError
from storage.names import unescape_path
from storage.parallel import Workers, in_order, portions
from storage.progress import SILENT, Progress
from storage.store import Opens

CHUNK = 200  # files that a worker is handed at once
_FILES = "from files f join aips a on a.aip = f.aip where until is null and basis != ''"


@dataclass(frozen=True, slots=True)
class Held:
    """A file to look at again, as the catalogue has it."""

    aip: str
    accession: str
    path: str
    name: bytes
    digest: Digest
    size: int
    puids: Sequence[str]
    basis: str


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


def drift(
    catalogue: Catalogue, stores: Sequence[Opens], identifier: Callable[[], Identifier], executor: Workers,
    progress: Progress = SILENT,
) -> Iterator[Drifted]:  # fmt: skip
    """Yield every file of the newest versions, by accession and path."""
    row = catalogue.one(f"select count(*) as files {_FILES}")
    count = int(row["files"]) if row else 0
    progress.begin("Identifying again", count, 0)
    identifier()  # so that what is kept ready for it is there before the workers look for it
    with executor(count, 0) as pool:
        for some in in_order(pool, partial(_some, tuple(stores), identifier), portions(_held(catalogue), CHUNK)):
            progress.advance(len(some), 0)
            yield from some
    progress.end()


def _held(catalogue: Catalogue) -> Iterator[Held]:
    columns = "f.aip, accession, path, digest, size, puids, basis, original_name"
    for row in catalogue.rows(f"select {columns} {_FILES} order by accession, f.aip, path"):
        name = unescape_path(row["original_name"] or row["path"]).rpartition(b"/")[2]
        yield Held(
            row["aip"], row["accession"], row["path"], name, Digest.parse(row["digest"]), row["size"],
            tuple(json.loads(row["puids"])), row["basis"],
        )  # fmt: skip


def _some(stores: Sequence[Opens], identifier: Callable[[], Identifier], files: Sequence[Held]) -> list[Drifted]:
    return [_one(stores, identifier, file) for file in files]


def _one(stores: Sequence[Opens], identifier: Callable[[], Identifier], file: Held) -> Drifted:
    if file.basis == OFFICER:
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
