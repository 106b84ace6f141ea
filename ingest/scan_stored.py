"""Blobs that are kept, shown to a virus scanner while they are read again: a chunk of them, for a worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ingest.scan import Outcome, Scanner, Verdict
from storage.digest import Digest, Hashing
from storage.errors import Damaged, StorageError
from storage.layout import blob_key
from storage.receive import chunks
from storage.store import Opens


class Wanted(NamedTuple):
    """A blob and its bytes."""

    digest: Digest
    size: int


class Seen(NamedTuple):
    """What came of one blob."""

    blob: Wanted
    verdict: Verdict


def scan_stored(stores: Sequence[Opens], scanner: Callable[[], Scanner], wanted: Sequence[Wanted]) -> list[Seen]:
    """Scan blobs in their order, each from the first copy that has it whole: of other bytes, nothing is said."""
    return [Seen(one, _one(stores, scanner(), one.digest)) for one in wanted]


def _one(stores: Sequence[Opens], scanner: Scanner, digest: Digest) -> Verdict:
    why = ""
    for store in stores:
        try:
            return _read(store, scanner, digest)
        except StorageError as error:
            why = str(error)
        except OSError as error:
            why = f"{store.name}: {error.strerror or error}"
    return Verdict(Outcome.NOT_SCANNED, f"no copy has it whole ({why})")


def _read(store: Opens, scanner: Scanner, digest: Digest) -> Verdict:
    """Raise Damaged where the bytes are others; then what the scanner says of them counts for nothing."""
    key = blob_key(digest)
    with store.open(key) as stream, scanner.scan() as scan:
        found = Hashing((digest.algorithm,)).feed_all(scan.through(chunks(stream))).digest()
        if found != digest:
            raise Damaged(f"{key} in {store.name}", digest, found)
        verdict = scan.verdict()
    return verdict or Verdict(Outcome.NOT_SCANNED, "no virus scanner was asked")
