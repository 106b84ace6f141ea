"""Bytes on their way into an S3 store: sent with their digests, acknowledged only when the store proved what it got."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from storage import layout
from storage.digest import Digest, Hashing, sha256
from storage.durable import told
from storage.errors import Damaged
from storage.receive import chunks
from storage.s3_answers import Changed, changed
from storage.s3_line import Line
from storage.s3_parts import PART, Tag, part_size, parts_at_once
from storage.s3_reading import reading
from storage.store import Pending

if TYPE_CHECKING:
    from obstore import PutMode, PutResult


def send_bytes(line: Line, key: str, data: bytes, mode: PutMode = "overwrite") -> None:
    """Put a small value; raise FileExistsError where it is to be created and something is there; NoRoom, Unreachable.

    The request is signed over the SHA-256 of the bytes, which has most stores refuse other bytes; and the answer has
    to prove what was got, else it is read back.
    """
    _twice(line, key, partial(_put, line, key, data), mode)


def send_file(line: Line, blob: Pending) -> None:
    """Put a spooled blob; raise Damaged where the spool does not hold what its name says, and NoRoom or Unreachable."""
    if blob.size > PART:
        _twice(line, blob.key, lambda _: _put_in_parts(line, blob), "overwrite")
        return
    with told(blob.scratch):
        data = Path(blob.scratch).read_bytes()
    _check_name(blob, sha256(data))
    send_bytes(line, blob.key, data)


def _twice(line: Line, key: str, put: Callable[[PutMode], bool], mode: PutMode) -> None:
    """What arrived with other bytes is sent once more."""
    with suppress(Changed):
        if put(mode):
            return
        mode = "overwrite"  # what lies there with other bytes is our own
    if not put(mode):
        raise changed(line.place.where, key)


def _put(line: Line, key: str, data: bytes, mode: PutMode) -> bool:
    """Whether it is there now, as it was sent."""
    tag = Tag()
    tag.feed(data)
    with line.asking() as client:
        answer = client.put(key, data, mode=mode, use_multipart=False)
    return _is_proved(line, key, answer, tag, sha256(data))


def _put_in_parts(line: Line, blob: Pending) -> bool:
    """Stream a large blob in parts; the store has none of it where its last part was not sent."""
    part = part_size(blob.size)
    tag, hashing = Tag(part), Hashing(("sha256",))

    def pieces() -> Iterator[bytes]:
        with told(blob.scratch), open(blob.scratch, "rb", buffering=0) as file:
            for data in chunks(file):
                tag.feed(data)
                hashing.feed(data)
                yield data
        _check_name(blob, hashing.digest())

    at_once = parts_at_once(part, line.place.at_once)
    try:
        with line.asking() as client:
            answer = client.put(blob.key, pieces(), use_multipart=True, chunk_size=part, max_concurrency=at_once)
    except FileNotFoundError:  # there is no such upload (any more): an earlier try to complete it may have done so
        return _reads_back(line, blob.key, hashing.digest())
    return _is_proved(line, blob.key, answer, tag, hashing.digest())


def _check_name(blob: Pending, found: Digest) -> None:
    """What lay in the spool for a while is what came in: a blob's key names its digest."""
    wanted = layout.blob_digest(blob.key)
    if wanted not in (None, found):
        raise Damaged(blob.scratch, wanted, found)


def _is_proved(line: Line, key: str, answer: PutResult, tag: Tag, digest: Digest) -> bool:
    """Whether the store has the bytes: by the ETag that it made of what it got, else by reading them back."""
    if not line.place.reads_back and _etag(line, key, answer) == tag.value():
        return True
    return _reads_back(line, key, digest)


def _etag(line: Line, key: str, answer: PutResult) -> str:
    """Without its quotes, "" where there is none; Ceph's answer to a finished upload leaves it out."""
    found = answer["e_tag"]
    if not found:
        with suppress(FileNotFoundError), line.asking() as client:
            found = client.head(key)["e_tag"]
    return (found or "").strip('"')


def _reads_back(line: Line, key: str, digest: Digest) -> bool:
    try:
        with reading(line, key) as stream:
            return Hashing((digest.algorithm,)).feed_all(chunks(stream)).digest() == digest
    except FileNotFoundError:
        return False
