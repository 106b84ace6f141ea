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

from fixity.outcome import Altered, Intact, Missing, NotChecked, Outcome, Unreadable, WrongMode
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


class Expected(NamedTuple):
    """What has to be under a key: its SHA-256 and its bytes."""

    key: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something under a key that is not as expected; `outcome` is one of WORDS, or "extra"."""

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


def check(store: Opens, expected: Expected) -> Outcome:
    """Read what is under a key and compare."""
    try:
        with store.open(expected.key) as stream:
            hashing = Hashing((expected.digest.algorithm,)).feed_all(chunks(stream))
    except NotFound:
        return Missing(expected.digest)
    except StorageError as error:
        return Unreadable(expected.digest, str(error))
    except OSError as error:
        return Unreadable(expected.digest, error.strerror or str(error))
    if (found := hashing.digest()) != expected.digest:
        return Altered(hashing.size, expected.digest, found)
    return Intact(hashing.size)


def check_all(store: Opens, wanted: Sequence[Expected]) -> list[tuple[Expected, Outcome]]:
    """A chunk of checks, for a worker."""
    return list(zip(wanted, side_by_side(store.at_once, partial(_check_mode_too, store), wanted), strict=True))


def _check_mode_too(store: Opens, expected: Expected) -> Outcome:
    outcome = check(store, expected)
    if isinstance(outcome, Intact) and isinstance(store, Local):
        with suppress(StorageError):  # it went away in this instant
            if why := store.wrong_mode(expected.key):
                return WrongMode(outcome.size, why)
    return outcome


def audit(store: Store, expected: Iterable[Expected], executor: Executor, progress: Progress = SILENT) -> Audit:
    """Read everything that is expected of a copy, in the order given.

    A copy that does not answer at all has nothing checked in it, which is one finding, about no key.
    """
    if away := _away(store):
        return not_checked(store.name, expected, away)
    found = Audit(store.name)
    some = cut(expected, attrgetter("size"), CHUNK_KEYS, CHUNK_BYTES)
    for outcomes in in_order(executor, partial(check_all, store), some):
        for one, outcome in outcomes:
            found.add(one, outcome)
        progress.advance(len(outcomes), sum(one.size for one, _ in outcomes))
    return found


def not_checked(copy: str, expected: Iterable[Expected], why: str) -> Audit:
    """What an audit of a copy that is away comes to: one finding, about no key."""
    result = Audit(copy, Counter(not_checked=sum(1 for _ in expected)))
    result.findings.append(Finding("not_checked", copy, "", why=why))
    return result


def extras(store: Lists, name: str, expected: Iterable[str]) -> Iterator[Finding]:
    """Yield the keys of a copy that nobody expects; both sides ascend, so that neither is held in memory."""
    wanted = iter(expected)
    upcoming = next(wanted, None)
    for key in store.listing():
        while upcoming is not None and upcoming < key:
            upcoming = next(wanted, None)
        if key != upcoming:
            yield Finding("extra", name, escape_path(os.fsencode(key)))


def is_damaged(result: Audit) -> bool:
    return any(result.counts[word] for word in ("altered", "missing", "unreadable"))


def _away(store: Store) -> str:
    """Why a copy does not answer, "" where it does."""
    try:
        next(store.listing("aips/"), None)
    except StorageError as error:
        return str(error)
    return ""
