"""One look at how a repository stands: what is wrong is told, once, to whom tianyi.toml names."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from policies import document
from policies.alerts import AlertsPolicy
from policies.errors import PolicyError
from repository import alert_memory, alerts, config, edge, notify
from repository.alert_memory import Memory
from repository.alerts import Fault, Message, Told
from repository.config import Config
from repository.faults import faults
from repository.health import Health, gather
from repository.repository import Repository
from storage.errors import TianyiError
from storage.event import SCHEDULER

Send = Callable[[Sequence[str], Sequence[Message]], list[str]]
_UNOPENED = (TianyiError, PolicyError, OSError, sqlite3.Error)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look saw: its `health`, None where the repository cannot be opened; what is wrong, since when; the
    messages that were due, and why destinations did not take them; the policy that it went by."""

    health: Health | None
    faults: Sequence[Told]
    messages: Sequence[Message]
    unsent: Sequence[str]
    policy: AlertsPolicy


def look(settings: Config, now: Callable[[], datetime], send: Send = notify.send) -> Look:
    """See what is wrong, and tell what has to be told. Where no destination took it, it is told the next time."""
    seen = see(settings, now)
    before = alert_memory.read(settings.work)
    messages, known = alerts.changes(before.told, [one.fault for one in seen.faults], now(), seen.policy.again)
    to = _destinations(settings)
    unsent = send(to, messages) if messages and to else []
    disks = seen.health.disks if seen.health else []
    free = alert_memory.sampled(before.free, disks, now()) if disks else before.free
    after = Memory(before.told if unsent and len(unsent) == len(to) else known, free)
    if after != before:
        alert_memory.write(settings.work, after)
    return Look(seen.health, seen.faults, messages, unsent, seen.policy)


def see(settings: Config, now: Callable[[], datetime]) -> Look:
    """See what is wrong; nothing is told, and nothing changed."""
    policy, before, moment = _policy(settings), alert_memory.read(settings.work), now()
    try:
        with Repository.open(settings.folder, agent=SCHEDULER, patience=0, now=now) as repository:
            health = gather(repository)
        found = faults(health, policy, before.free, moment)
    except _UNOPENED as error:
        health, found = None, [_unopened(settings.folder, error), *alerts.standing(before.told)]
    there = {fault.key: fault for fault in reversed(found)}
    dated = [Told(one, alerts.since(before.told, one, moment), moment) for one in reversed(there.values())]
    return Look(health, dated, [], [], policy)


def _policy(settings: Config) -> AlertsPolicy:
    """The policy of alerts, that which ships where a file has a mistake."""
    with suppress(PolicyError):
        return document.load(settings.policies if settings.policies.is_dir() else None).alerts
    return document.load(None).alerts


def _destinations(settings: Config) -> Sequence[str]:
    """To whom, as tianyi.toml says at this moment, or said when it could last be read."""
    with suppress(TianyiError, OSError):
        return config.load(settings.folder).alerts
    return settings.alerts


def _unopened(folder: Path, error: Exception) -> Fault:
    said = edge.tell(error)
    message, next_step = (said.message, said.next) if said else (f"{type(error).__name__}: {error}", "")
    return Fault("repository", str(folder), message, next_step)
