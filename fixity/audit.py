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
from typing import NamedTuple

from fixity.outcome import DAMAGED, Altered, Intact, Missing, NotChecked, Outcome, Unreadable, WrongMode
from fixity.pace import UNHURRIED, Pace
from fixity.reading import END, START
from storage import cold
from storage.away import why_away
from storage.digest import Digest, Hashing
from storage.errors import NotFound, StorageError
from storage.local import Local
from storage.names import escape_path
from storage.parallel import cut, in_order, side_by_side
from storage.progress import SILENT, Progress
from storage.receive import chunks
from storage.spool import Spool
from storage.store import Lists, Opens, Store

CHUNK_KEYS, CHUNK_BYTES = 500, 256 << 20
WORDS = ("intact", *DAMAGED, "not_checked", "extra", "mode")
"""What keys are counted as, in the order in which people are told."""


class Expected(NamedTuple):
    """What has to be under a key: its SHA-256 and its bytes."""

    key: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something under a key that is not as expected; `outcome` is one of WORDS, but for "intact"."""

    outcome: str
    copy: str
    key: str
    expected: Digest | None = None
    found: Digest | None = None
    why: str = ""


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
        return sum(n for word, n in self.counts.items() if word not in ("not_checked", "extra"))

    def add(self, expected: Expected, outcome: Outcome) -> None:
        self.counts[outcome.word] += 1
        if isinstance(outcome, Intact | WrongMode | Altered):
            self.size += outcome.size
        if not isinstance(outcome, Intact):
            found = outcome.found if isinstance(outcome, Altered) else None
            why = outcome.why if isinstance(outcome, WrongMode | Unreadable | NotChecked) else ""
            self.findings.append(Finding(outcome.word, self.copy, expected.key, expected.digest, found, why))


class Checked(NamedTuple):
    """What became of one key."""

    expected: Expected
    outcome: Outcome


class How(NamedTuple):
    """How to read: `cached`, from memory where that has it; `idle`, as whom the disk serves last."""

    cached: bool = False
    idle: bool = False


AS_ALWAYS = How()


def check(store: Opens, expected: Expected, *, cached: bool = False, pace: Pace = UNHURRIED) -> Outcome:
    """Read what is under a key and compare; from the disk, not from memory, unless `cached` is enough."""
    try:
        with store.open(expected.key) as stream:
            if not cached:
                cold.forget(stream)
            pace.begin()
            hashing = Hashing((expected.digest.algorithm,)).feed_all(pace.through(chunks(stream)))
    except NotFound:
        return Missing(expected.digest)
    except StorageError as error:
        return Unreadable(expected.digest, str(error))
    except OSError as error:
        return Unreadable(expected.digest, error.strerror or str(error))
    if (found := hashing.digest()) != expected.digest:
        return Altered(hashing.size, expected.digest, found)
    return Intact(hashing.size)


def check_all(store: Opens, wanted: Sequence[Expected], how: How = AS_ALWAYS, pace: Pace = UNHURRIED) -> list[Checked]:
    """A chunk of checks, for a worker."""

    def one(expected: Expected) -> Checked:
        return Checked(expected, _check_mode_too(store, expected, how, pace))

    with cold.idly(how.idle):
        return list(side_by_side(1 if pace.is_bounded else store.at_once, one, wanted))  # a pace is for one thread


def _check_mode_too(store: Opens, expected: Expected, how: How, pace: Pace) -> Outcome:
    outcome = check(store, expected, cached=how.cached, pace=pace)
    if isinstance(outcome, Intact) and isinstance(store, Local):
        with suppress(StorageError):  # it went away in this instant
            if why := store.wrong_mode(expected.key):
                return WrongMode(outcome.size, why)
    return outcome


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
    for checked in in_order(executor, partial(check_all, store, how=how), some):
        for one in checked:
            found.add(*one)
        progress.advance(len(checked), sum(one.expected.size for one in checked))
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
            yield Finding("extra", name, escape_path(os.fsencode(key)))


def is_damaged(result: Audit) -> bool:
    return any(result.counts[word] for word in DAMAGED)
