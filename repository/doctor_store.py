"""The doctor on object stores: can a copy there be written, read back and deleted from, and what does it keep?

Trials lie under `.trial/`, which is no key of a vault, and are removed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from repository.doctor_check import Advice, Check, Wrong, checked
from storage.errors import StorageError
from storage.s3 import S3

_TRIAL = b"a trial of tianyi doctor; it can be deleted\n"
_TRIALS = ("writable", "clock", "deletes")
_SKEW = timedelta(minutes=2)  # S3 refuses what is 15 minutes off

_AWAY = Advice("error", "What is taken in now is not in it, and it is not audited.", "")
_WRITES = Advice("error", "Nothing can be taken in, repaired or caught up there.", "See to the key's rights.")
_DELETES = Advice(
    "warning", "The ledger leaves a small object more behind with each entry, and a deletion is not done there.",
    "Allow the key to delete, or say deletes = \"no\" in its table where that is meant.",
)  # fmt: skip
_VERSIONS = Advice("info", "A deletion leaves the bytes there, as older versions.", "Nothing has to be done.")
_CLOCK = Advice("warning", "At a quarter of an hour every request is refused.", "Let a time service keep the clock.")


def examine(store: S3, answers: Callable[[], None], run: str, now: datetime) -> list[Check]:
    """What can be said of a copy in an object store; `answers` raises where it is not what it should be."""
    reached = _told(store, "reachable", _AWAY, lambda: _reach(store, answers))
    if not reached.ok:
        return [reached]
    if store.place.keeps_all:
        untried = (Check(f"{store.name}: {what}", None, "info", "not tried: it would stay") for what in _TRIALS)
        return [reached, *untried, _told(store, "versions", _VERSIONS, partial(_versions, store))]
    key = f".trial/{run}"
    try:
        return [
            reached,
            _told(store, "writable", _WRITES, partial(_round_trip, store, key)),
            _told(store, "clock", _CLOCK, partial(_clock, store, key, now)),
            _told(store, "deletes", _DELETES, partial(_delete, store, key)),
            _told(store, "versions", _VERSIONS, partial(_versions, store)),
        ]
    finally:
        with suppress(StorageError):
            store.drop(key)


def _told(store: S3, what: str, advice: Advice, look: Callable[[], str]) -> Check:
    """A check whose trial may raise StorageError, which says itself what to do."""
    next_step = advice.next

    def trial() -> str:
        nonlocal next_step
        try:
            return look()
        except StorageError as error:
            next_step = error.next or next_step
            raise Wrong(str(error)) from error

    found = checked(f"{store.name}: {what}", advice, trial)
    return found if found.ok else Check(found.name, False, found.severity, found.found, found.cost, next_step)


def _reach(store: S3, answers: Callable[[], None]) -> str:
    answers()
    return store.place.where


def _round_trip(store: S3, key: str) -> str:
    store.replace(key, _TRIAL)
    with store.open(key) as stream:
        if stream.read() != _TRIAL:
            raise Wrong("what was written comes back with other bytes")
    return "yes, and read back"


def _clock(store: S3, key: str, now: datetime) -> str:
    apart = store.written(key) - now
    found = f"{apart.total_seconds():+.0f} s from this machine's"
    if abs(apart) > _SKEW:
        raise Wrong(found)
    return found


def _delete(store: S3, key: str) -> str:
    store.drop(key)
    return "yes"


def _versions(store: S3) -> str:
    if why := store.keeps_all:
        raise Wrong(why)
    return "none are kept"
