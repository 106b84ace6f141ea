"""Placing blobs in an object store, beside a bare loop of obstore's put with the same concurrency.

    AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… python -m benchmarks.s3 's3://BUCKET/PREFIX?endpoint=…'

Both sides find their bytes in files and put them under the same kind of keys; the bare loop neither hashes, nor
compares answers, nor removes anything. What they wrote is deleted again. `--pairs N` runs, one after the other.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

from obstore.store import S3Store

from repository import copy_s3
from storage.digest import Hashing
from storage.durable import DISK
from storage.layout import blob_key
from storage.s3 import S3
from storage.s3_parts import PART, part_size, parts_at_once
from storage.store import Pending

SHAPES = {"small": (1000, 8 << 10), "large": (4, 128 << 20)}  # files, bytes of each


def bare(client: S3Store, at_once: int, blobs: Sequence[Pending]) -> None:
    """As fast as obstore goes: small files side by side, large ones with their parts side by side."""

    def put(blob: Pending) -> None:
        path = Path(blob.scratch)
        if blob.size <= PART:
            client.put(blob.key, path.read_bytes(), use_multipart=False)
        else:
            part = part_size(blob.size)
            client.put(blob.key, path, chunk_size=part, max_concurrency=parts_at_once(part, at_once))

    if blobs[0].size > PART:
        for blob in blobs:
            put(blob)
        return
    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(put, blobs))


@contextmanager
def spooled(store: S3, files: int, size: int) -> Iterator[tuple[list[Pending], Callable[[], None]]]:
    """New blobs in the spool, and what places them."""
    with store.batch("benchmark") as batch:
        pending = []
        for _ in range(files):
            incoming = store.incoming("benchmark")
            hashing = Hashing(("sha256",))
            for start in range(0, size, 1 << 20):
                data = os.urandom(min(1 << 20, size - start))
                hashing.feed(data)
                incoming.write(data)
            pending.append(incoming.finish(blob_key(hashing.digest())))
        yield pending, lambda: batch.place(pending)


def timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def measure(store: S3, shape: str) -> tuple[float, float]:
    """Seconds of one pair: the bare loop, then ours, over bytes of their own. What was put is checked and deleted."""
    files, size = SHAPES[shape]
    seconds = []
    with store._line.asking() as client:
        for ours in (False, True):
            with spooled(store, files, size) as (pending, place):
                seconds.append(timed(place if ours else lambda: bare(client, store.place.at_once, pending)))
            with ThreadPoolExecutor(store.place.at_once) as threads:
                assert all(threads.map(lambda blob: store.size(blob.key) == blob.size, pending))
                list(threads.map(lambda blob: client.delete(blob.key), pending))
    return seconds[0], seconds[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--pairs", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-s3-") as folder:
        url, _, query = asked.url.partition("?")
        place = f"{url.rstrip('/')}/benchmark-{uuid4()}?{query}"
        store = copy_s3.opened("benchmark", place, {}, Path(folder), DISK)
        for shape, (files, size) in SHAPES.items():
            pairs = [measure(store, shape) for _ in range(asked.pairs)]
            seconds = [median(side) for side in zip(*pairs, strict=True)]
            rates = [f"{files / took:,.3g}/s, {files * size / took / 2**20:,.1f} MiB/s" for took in seconds]
            share = median(theirs / ours for theirs, ours in pairs)
            print(f"{shape}: obstore {rates[0]} · ours {rates[1]} · {share:.0%} of the bare loop")


if __name__ == "__main__":
    main()
