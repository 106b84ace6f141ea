"""Audit: read every byte of a copy again and compare it with what is expected of it, key by key."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import BinaryIO, NamedTuple

from fixity.outcome import DAMAGED, Altered, Intact, Missing, NotChecked, Outcome, Unreadable, WrongMode
from fixity.pace import UNHURRIED, Pace
from fixity.reading import END, START
from storage import cold
from storage.away import why_away
from storage.digest import Digest, Hashing
from storage.errors import NotFound, StorageError
from storage.local import Local
from storage.names import escape_path
from storage.parallel import in_order, side_by_side
from storage.portions import cut
from storage.progress import SILENT, Progress
from storage.receive import chunks
from storage.spool import Spool
from storage.store import Lists, Opens, Store

CHUNK_KEYS, CHUNK_BYTES = 500, 256 << 20
EXTRA = "extra"
WORDS = ("intact", *DAMAGED, "not_checked", EXTRA, "mode")
"""What keys are counted as, in the order in which people are told."""


class Expected(NamedTuple):
    """What has to be under a key: its SHA-256 and its bytes."""

    key: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something under a key that is not as expected; `outcome` is one of WORDS, but for "intact". `kept` is the name
    under which it is in quarantine, "" where it was not put there."""

    outcome: str
    copy: str
    key: str
    expected: Digest | None = None
    found: Digest | None = None
    why: str = ""
    kept: str = ""


@dataclass(slots=True)
class Audit:
    """What an audit of one copy came to: counts by outcome, bytes read, and everything that is not intact."""

    copy: str
    counts: Counter[str] = field(default_factory=Counter)
    size: int = 0
    findings: Spool[Finding] = field(default_factory=Spool)
    cached: bool = False
    """Whether memory may have answered in the disk's place."""

    @property
    def checked(self) -> int:
        """Keys that were looked at; what was not checked is not among them."""
        return sum(n for word, n in self.counts.items() if word not in ("not_checked", EXTRA))

    def add(self, piece: Piece) -> None:
        self.counts.update(piece.counts)
        self.size += piece.size
        self.findings.extend(piece.findings)

    def tell(self, finding: Finding) -> None:
        self.counts[finding.outcome] += 1
        self.findings.append(finding)


class Piece(NamedTuple):
    """What became of some keys one after the other, the last of them `last`: their bytes as expected, counts by
    outcome, bytes read, and everything that is not intact. A worker's answer: mostly short."""

    last: str
    expected: int
    counts: Counter[str]
    size: int
    findings: list[Finding]

    @property
    def keys(self) -> int:
        return self.counts.total()


class How(NamedTuple):
    """How to read: `cached`, from memory where that has it; `idle`, as whom the disk serves last."""

    cached: bool = False
    idle: bool = False


AS_ALWAYS = How()


def check(
    store: Opens, expected: Expected, *, cached: bool = False, pace: Pace = UNHURRIED, modes: bool = False
) -> Outcome:
    """Read what is under a key and compare; from the disk, not from memory, unless `cached` is enough. With `modes` a
    local file's mode is compared too."""
    try:
        with store.open(expected.key) as stream:
            if not cached:
                cold.forget(stream)
            pace.begin()
            hashing = Hashing((expected.digest.algorithm,)).feed_all(pace.through(chunks(stream)))
            wrong = _wrong_mode(store, expected.key, stream) if modes and hashing.finds(expected.digest) else ""
    except NotFound:
        return Missing(expected.digest)
    except StorageError as error:
        return Unreadable(expected.digest, str(error))
    except OSError as error:
        return Unreadable(expected.digest, error.strerror or str(error))
    if not hashing.finds(expected.digest):
        return Altered(hashing.size, expected.digest, hashing.digest())
    return WrongMode(hashing.size, wrong) if wrong else Intact(hashing.size)


def _wrong_mode(store: Opens, key: str, stream: BinaryIO) -> str:
    """What is wrong with a local file's mode; "" also where that cannot be told, as of a disk that takes no new file:
    its bytes were read all the same."""
    if isinstance(store, Local):
        with suppress(StorageError):
            return store.wrong_mode(key, stream)
    return ""


def check_all(store: Store, wanted: Sequence[Expected], how: How = AS_ALWAYS, pace: Pace = UNHURRIED) -> Piece:
    """Checks one after the other, at least one, with modes: a worker's task."""
    work = partial(check, store, cached=how.cached, pace=pace, modes=True)
    with cold.idly(how.idle):
        outcomes = side_by_side(1 if pace.is_bounded else store.at_once, work, wanted)  # a pace is for one thread
        return piece(store.name, zip(wanted, outcomes, strict=True))


def piece(copy: str, checked: Iterable[tuple[Expected, Outcome]]) -> Piece:
    """What checks of a copy, at least one, come to."""
    last, promised, counts, size, findings = "", 0, Counter[str](), 0, []
    for expected, outcome in checked:
        last, promised = expected.key, promised + expected.size
        counts[outcome.word] += 1
        if isinstance(outcome, Intact | WrongMode | Altered):
            size += outcome.size
        if not isinstance(outcome, Intact):
            findings.append(_finding(copy, expected, outcome))
    return Piece(last, promised, counts, size, findings)


def _finding(copy: str, expected: Expected, outcome: Outcome) -> Finding:
    found = outcome.found if isinstance(outcome, Altered) else None
    why = outcome.why if isinstance(outcome, WrongMode | Unreadable | NotChecked) else ""
    return Finding(outcome.word, copy, expected.key, expected.digest, found, why)


def audit(
    store: Store, expected: Iterable[Expected], executor: Executor, progress: Progress = SILENT, how: How = AS_ALWAYS
) -> Audit:
    """Read everything that is expected of a copy, in the order given.

    A copy that does not answer at all has nothing checked in it, which is one finding, about no key.
    """
    if why := why_away(store):
        return not_checked(store.name, expected, why)
    found = Audit(store.name, cached=how.cached or not cold.is_cold(store))
    some = cut(expected, attrgetter("size"), CHUNK_KEYS, CHUNK_BYTES)
    for done in in_order(executor, partial(check_all, store, how=how), some):
        found.add(done)
        progress.advance(done.keys, done.expected)
    return found


def not_checked(copy: str, expected: Iterable[Expected], why: str) -> Audit:
    """What an audit of a copy that is away comes to: one finding, about no key."""
    result = Audit(copy, Counter(not_checked=sum(1 for _ in expected)))
    result.findings.append(Finding("not_checked", copy, "", why=why))
    return result


def extras(store: Lists, name: str, expected: Iterable[str], after: str = START, last: str = END) -> Iterator[Finding]:
    """Yield the keys of a copy above `after` and up to `last` that nobody expects; both sides ascend, so that neither
    is held in memory."""
    wanted = iter(expected)
    upcoming = next(wanted, None)
    for key in store.listing(after=after):
        if key > last:
            return
        while upcoming is not None and upcoming < key:
            upcoming = next(wanted, None)
        if key != upcoming:
            yield Finding(EXTRA, name, escape_path(os.fsencode(key)))


def is_damaged(result: Audit) -> bool:
    return any(result.counts[word] for word in DAMAGED)
