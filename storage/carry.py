"""Carrying blobs from copy to copy: hashed as they are read, so that only right bytes are ever placed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from operator import itemgetter
from pathlib import Path

from storage import layout
from storage.digest import Digest
from storage.errors import Damaged, StorageError
from storage.parallel import MORE_AHEAD, in_order
from storage.portions import cut
from storage.receive import HoldsNothing, Received, chunks, receive
from storage.staging import staging
from storage.store import Opens, Store

CHUNK_KEYS, CHUNK_BYTES = 250, 64 << 20
BATCH_KEYS, BATCH_BYTES = 10_000, 4 << 30  # made durable together; a run that is killed loses no more than this

Sized = tuple[Digest, int]


class SourceFailed(Exception):
    """What a copy was read for is not there, or cannot be read."""


def carry(
    wanted: Iterable[Sized], sources: Sequence[Store], target: Store, run: str, work: Path, executor: Executor,
    done: Callable[[list[Received]], object],
) -> None:  # fmt: skip
    """Bring blobs into a copy, each from the first source that reads right.

    `wanted` gives digests and bytes (0 where they are not known). `done` hears, batch by batch, what is durable in the
    target; what no source has whole is left out. Raises Unreachable, NoRoom or SyncFailed for the target; batches that
    `done` was told of stay.
    """
    carried: list[Received] = []
    size = 0
    pieces = cut(wanted, itemgetter(1), CHUNK_KEYS, CHUNK_BYTES)
    digests = ([digest for digest, _ in some] for some in pieces)
    with staging(run, [target], work) as stage:
        for some in in_order(executor, partial(fetch, sources, target, run), digests, MORE_AHEAD):
            carried.extend(some)
            size += sum(blob.size for blob in some)
            if len(carried) >= BATCH_KEYS or size >= BATCH_BYTES:
                stage.settle(carried)
                done(carried)
                carried, size = [], 0
        stage.settle(carried)
    done(carried)


def fetch(sources: Sequence[Opens], target: Store, run: str, digests: Sequence[Digest]) -> list[Received]:
    """A chunk of it, for a worker: into the target's scratch space, those that some source has whole."""
    return [received for digest in digests if (received := _fetched(sources, target, run, digest))]


def _fetched(sources: Sequence[Opens], target: Store, run: str, digest: Digest) -> Received | None:
    for source in sources:
        try:
            return receive(
                [target], run, read_from(source, layout.blob_key(digest)), holds=HoldsNothing(), claimed=digest
            )
        except (SourceFailed, Damaged):
            continue
    return None


def read_from(source: Opens, key: str) -> Iterator[bytes]:
    """What is under a key; errors of reading (SourceFailed) are told apart from those of whom it is written to."""
    try:
        with source.open(key) as stream:
            yield from chunks(stream)
    except (StorageError, OSError) as error:
        raise SourceFailed(key) from error
