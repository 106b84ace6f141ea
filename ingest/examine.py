"""One file, one pass → facts: each byte is read once, hashed, stored, sampled for identification, and shown to the
virus scanner where there is one.

`examine` works on a chunk of files, in a worker of an executor; it is given all that it needs and returns values.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, NamedTuple

from ingest.cancelling import unheeded
from ingest.finding import Finding, error
from ingest.identify import HEAD, Identification, Identifier, Sample
from ingest.packed import DamagedMember
from ingest.scan import Scan, Scanner, Unasked, Verdict
from ingest.source import is_member, open_seekable, open_source
from storage.digest import Digest
from storage.names import escape_path
from storage.receive import Holds, Received, receive, receive_whole
from storage.store import CHUNK, Store

_UNASKED = Unasked()


class Task(NamedTuple):
    """A file to examine. `modified` (nanoseconds) and `size` are what it had when the package was listed; `modified`
    is None where nobody else can change it. `algorithms` are wanted besides SHA-256."""

    number: int
    name: bytes
    source: bytes
    size: int
    modified: int | None
    algorithms: tuple[str, ...] = ()


class Facts(NamedTuple):
    """What one pass found; `digests` begins with the SHA-256; `new`: the first copy did not hold these bytes; `verdict`
    is the virus scanner's, None where none was asked."""

    number: int
    size: int
    digests: tuple[Digest, ...]
    identification: Identification
    new: bool
    received: Received | None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What a worker examines with: the copies to store in (none: examine only), and what gives the identifier and the
    virus scanner (None: none is asked). `heed` is called while a large file is read, and raises where that has to stop.
    """

    stores: tuple[Store, ...]
    run: str
    holds: Holds
    identifier: Callable[[], Identifier]
    algorithms: tuple[str, ...] = ()
    scanner: Callable[[], Scanner] | None = None
    heed: Callable[[], None] = unheeded


def examine(desk: Desk, tasks: Sequence[Task]) -> list[Facts | Finding]:
    """Examine files in their order; a file that cannot be read, or changed meanwhile, is a finding.

    Raises NoRoom, SyncFailed or Unreachable for the first copy: then the whole ingest stops.
    """
    identifier = desk.identifier()
    return [_one(desk, identifier, task) for task in tasks]


def _one(desk: Desk, identifier: Identifier, task: Task) -> Facts | Finding:
    try:
        if is_member(task.source):
            return _one_member(desk, identifier, task)
        with open_source(task.source) as stream:
            before = os.fstat(stream.fileno())
            if not stat.S_ISREG(before.st_mode):
                return _changed(task, "it is not a regular file any more")
            with _scan(desk) as scan:
                facts = _read(desk, identifier, task, stream, scan)
            after = os.fstat(stream.fileno())
    except DamagedMember as failure:
        return error("zip-damaged", f"It cannot be unpacked: {failure}.", escape_path(task.name))
    except _SourceError as failure:
        return error("file-unreadable", f"It cannot be read: {failure}.", escape_path(task.name))
    except OSError as failure:
        return error("file-unreadable", f"It cannot be read: {failure.strerror}.", escape_path(task.name))
    if task.modified is not None and not task.modified == before.st_mtime_ns == after.st_mtime_ns:
        return _changed(task, "its time of modification is another")
    if not task.size == before.st_size == after.st_size == facts.size:
        return _changed(task, f"it had {task.size} bytes and has {facts.size}")
    return facts


def _one_member(desk: Desk, identifier: Identifier, task: Task) -> Facts:
    """One that is read out of its archive, which is looked at again as a whole when all is read."""
    with open_source(task.source) as stream, _scan(desk) as scan:
        return _read(desk, identifier, task, stream, scan)


def _scan(desk: Desk) -> AbstractContextManager[Scan]:
    return desk.scanner().scan() if desk.scanner else nullcontext(_UNASKED)


def _read(desk: Desk, identifier: Identifier, task: Task, stream: BinaryIO, scan: Scan) -> Facts:
    algorithms = ("sha256", *dict.fromkeys((*task.algorithms, *desk.algorithms)))
    first = _next(stream, min(task.size + 1, CHUNK))
    if len(first) == task.size <= HEAD:
        head = tail = b"".join(scan.through((first,)))
        received = receive_whole(desk.stores, desk.run, head, holds=desk.holds, algorithms=algorithms)
    else:
        sampling = _Sampling()
        parts = sampling.through(scan.through(_parts(first, stream, desk.heed)))
        received = receive(desk.stores, desk.run, parts, holds=desk.holds, algorithms=algorithms)
        head, tail = sampling.head, sampling.tail
    sample = Sample(task.name.rpartition(b"/")[2], received.size, head, tail, partial(open_seekable, task.source))
    known = identifier.identify(sample)
    new = bool(desk.stores) and received.new_in(desk.stores[0].name)
    kept = received if received.pending or received.behind else None
    verdict = scan.verdict()  # asked for last: it scans while we identify
    return Facts(task.number, received.size, received.digests, known, new, kept, verdict)


class _SourceError(Exception):
    """A read of the producer's file that failed, told apart from a copy that failed."""


def _parts(first: bytes, stream: BinaryIO, heed: Callable[[], None]) -> Iterator[bytes]:
    """The source's bytes, of which the first are read."""
    data = first
    while data:
        yield data
        if len(data) == CHUNK:
            heed()
        data = _next(stream, CHUNK)


def _next(stream: BinaryIO, most: int) -> bytes:
    """The source's next bytes; its read errors are its own, not those of the copies written to meanwhile."""
    try:
        return stream.read(most)
    except DamagedMember:
        raise
    except OSError as failure:
        raise _SourceError(failure.strerror or str(failure)) from failure


def _changed(task: Task, how: str) -> Finding:
    return error("source-changed", f"It changed while it was being taken in: {how}.", escape_path(task.name))


class _Sampling:
    """Keeps the first and the last HEAD bytes of what goes through."""

    def __init__(self) -> None:
        self.head, self.tail = b"", b""

    def through(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        for part in parts:
            if len(self.head) < HEAD:
                self.head += part[: HEAD - len(self.head)]
            self.tail = part[-HEAD:] if len(part) >= HEAD else (self.tail + part)[-HEAD:]
            yield part
